// Package bus sends sealed commands to authbus and waits for their answers.
package bus

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Rejected is the service's refusal: an answer, not a fault.
type Rejected struct {
	Code, Detail string
	Retryable    bool
}

func (r *Rejected) Error() string { return r.Code + ": " + r.Detail }

// Bus is one declared client.
type Bus struct {
	kafka           *kgo.Client
	client, replies string
	namespace       string
	keys            *keys
	waiting         sync.Map // a channel for each correlation id
}

// Open connects; trust is the thumbprint that the service prints, empty on one's own machine.
func Open(servers, namespace, client, trust string) (*Bus, error) {
	replies, keyTopic := namespace+".replies."+client, namespace+".state.keys.v1"
	kafka, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(servers, ",")...),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // the topic of keys ends with one: the end of a transaction
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
			keyTopic: {0: kgo.NewOffset().AtStart()},
			// By time and not "at the end": the end may be asked for after the answer has come.
			replies: {0: kgo.NewOffset().AfterMilli(time.Now().Add(-time.Minute).UnixMilli())},
		}),
	)
	if err != nil {
		return nil, err
	}
	known := &keys{trust: trust, known: map[string]key{}}
	b := &Bus{kafka: kafka, client: client, replies: replies, namespace: namespace, keys: known}
	go b.follow()
	return b, nil
}

// Close disconnects.
func (b *Bus) Close() { b.kafka.Close() }

// Ask sends a command, like LogIn to credentials, and reads its answer into answer. Commands with
// the same key are handled in turn; it stands in the clear, so it is an id, or nothing, no address.
func (b *Bus) Ask(ctx context.Context, kind, topic, key string, data, answer any) error {
	serving, err := b.keys.sealing(ctx)
	if err != nil {
		return err
	}
	once, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	// To try again after a time-out, send the same record: it has its effect once.
	id, now := uuid.Must(uuid.NewV7()).String(), time.Now().UTC()
	sent := map[string]string{
		"specversion": "1.0", "id": id, "type": "authbus." + kind + ".v1",
		"source": "/clients/" + b.client, "time": now.Format(time.RFC3339Nano),
		"expirytime": now.Add(30 * time.Second).Format(time.RFC3339Nano),
		"reply_to":   b.replies, "correlation_id": id,
	}
	sealed := map[string]any{"data": data, "reply_key": jose.JSONWebKey{Key: &once.PublicKey}}
	record := &kgo.Record{Topic: b.namespace + ".commands." + topic + ".v1"}
	if key != "" {
		record.Key = []byte(key)
	}
	header(record, "content-type", "application/jose")
	for name, value := range sent {
		sealed[name] = value
		if strings.Contains(name, "_") {
			header(record, name, value)
		} else {
			header(record, "ce_"+name, value)
		}
	}
	if record.Value, err = seal(sealed, serving); err != nil {
		return err
	}
	answered := make(chan *kgo.Record, 1)
	b.waiting.Store(id, answered)
	defer b.waiting.Delete(id)
	if err := b.kafka.ProduceSync(ctx, record).FirstErr(); err != nil {
		return err
	}
	select {
	case reply := <-answered:
		return read(reply, once, answer)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// follow reads keys and answers until the client is closed: keys change while nobody asks.
func (b *Bus) follow() {
	for {
		fetched := b.kafka.PollFetches(context.Background())
		if fetched.IsClientClosed() {
			return
		}
		fetched.EachError(func(topic string, _ int32, err error) { log.Println(topic, err) })
		fetched.EachPartition(func(read kgo.FetchTopicPartition) {
			if read.Topic == b.replies {
				read.EachRecord(b.answered)
			} else {
				b.keys.learn(read.FetchPartition)
			}
		})
	}
}

func (b *Bus) answered(reply *kgo.Record) {
	if waits, found := b.waiting.LoadAndDelete(Header(reply, "correlation_id")); found {
		waits.(chan *kgo.Record) <- reply
	}
}

func seal(payload any, key *jose.JSONWebKey) ([]byte, error) {
	to := jose.Recipient{Algorithm: jose.ECDH_ES, Key: key}
	sealer, err := jose.NewEncrypter(jose.A256GCM, to, nil)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	jwe, err := sealer.Encrypt(text)
	if err != nil {
		return nil, err
	}
	compact, err := jwe.CompactSerialize()
	return []byte(compact), err
}

// Only a refusal comes in the clear: anybody could have made another answer that does.
func read(reply *kgo.Record, once *ecdsa.PrivateKey, answer any) error {
	if Header(reply, "ce_type") == "authbus.Rejected.v1" {
		refused := &Rejected{}
		if err := json.Unmarshal(reply.Value, refused); err != nil {
			return err
		}
		return refused
	}
	jwe, err := jose.ParseEncryptedCompact(string(reply.Value),
		[]jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return err
	}
	text, err := jwe.Decrypt(once)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s: %w", Header(reply, "ce_type"), err)
	}
	return nil
}

func header(record *kgo.Record, name, value string) {
	record.Headers = append(record.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
}

// Header is the text of a record's header, empty where there is none.
func Header(record *kgo.Record, name string) string {
	for _, found := range record.Headers {
		if found.Key == name {
			return string(found.Value)
		}
	}
	return ""
}
