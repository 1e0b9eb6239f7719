// View keeps tables of users and of sessions from events, whoever reads them again.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"example.com/authbus/events"
	"github.com/cloudevents/sdk-go/protocol/kafka_sarama/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
)

const tables = `
CREATE TABLE IF NOT EXISTS view_users (
	user_id uuid PRIMARY KEY, sequence bigint NOT NULL, status text NOT NULL);
CREATE TABLE IF NOT EXISTS view_sessions (
	session_id uuid PRIMARY KEY, user_id uuid NOT NULL, sequence bigint NOT NULL, ended text)`

// An event that comes again, or after a later one of the same user, changes nothing.
const users = `INSERT INTO view_users AS known VALUES ($1, $2, $3)
	ON CONFLICT (user_id) DO UPDATE SET sequence = excluded.sequence, status = excluded.status
	WHERE known.sequence < excluded.sequence`

const sessions = `INSERT INTO view_sessions AS known VALUES ($1, $2, $3, $4)
	ON CONFLICT (session_id) DO UPDATE SET sequence = excluded.sequence, ended = excluded.ended
	WHERE known.sequence < excluded.sequence`

func main() {
	group := flag.String("group", "view", "the consumer group")
	uncommitted := flag.Bool("uncommitted", false, "show what goes wrong without read_committed")
	flag.Parse()
	ctx := context.Background()
	until, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	db, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	must(err)
	_, err = db.Exec(ctx, tables)
	must(err)

	isolation := kgo.ReadCommitted() // franz-go's own default is read_uncommitted
	if *uncommitted {
		isolation = kgo.ReadUncommitted()
	}
	servers := cmp.Or(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), "localhost:9092")
	kafka, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(servers, ",")...),
		kgo.ConsumerGroup(*group),
		kgo.ConsumeTopics(cmp.Or(os.Getenv("AUTHBUS_NAMESPACE"), "auth")+".events.v1"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(isolation),
		kgo.DisableAutoCommit(),
	)
	must(err)
	defer kafka.Close()
	for {
		fetched := kafka.PollFetches(until)
		if until.Err() != nil {
			return
		}
		must(fetched.Err())
		for _, record := range fetched.Records() {
			must(apply(ctx, db, record))
		}
		must(kafka.CommitUncommittedOffsets(ctx)) // after the tables: at least once is enough
	}
}

func apply(ctx context.Context, db *pgx.Conn, record *kgo.Record) error {
	headers := map[string][]byte{}
	for _, header := range record.Headers {
		headers[header.Key] = header.Value
	}
	kind := string(headers["content-type"])
	message := kafka_sarama.NewMessage(record.Value, kind, headers)
	told, err := binding.ToEvent(ctx, message)
	if err != nil {
		return err
	}
	var every events.UserErased // tells what every event tells, and no more
	if err := told.DataAs(&every); err != nil {
		return err
	}
	switch told.Type() {
	case "authbus.UserCreated.v1", "authbus.UserReactivated.v1":
		_, err = db.Exec(ctx, users, every.UserID, every.Sequence, "active")
	case "authbus.UserDeactivated.v1":
		_, err = db.Exec(ctx, users, every.UserID, every.Sequence, "deactivated")
	case "authbus.UserErased.v1":
		_, err = db.Exec(ctx, users, every.UserID, every.Sequence, "erased")
	case "authbus.SessionStarted.v1":
		var one events.SessionStarted
		if err = told.DataAs(&one); err == nil {
			_, err = db.Exec(ctx, sessions, one.SessionID, one.UserID, one.Sequence, nil)
		}
	case "authbus.SessionEnded.v1":
		var one events.SessionEnded
		if err = told.DataAs(&one); err == nil {
			_, err = db.Exec(ctx, sessions, one.SessionID, one.UserID, one.Sequence, one.Reason)
		}
	} // other kinds, and those of later versions, are none of this module's business
	fmt.Println(told.Type(), every.UserID, every.Sequence)
	return err
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
