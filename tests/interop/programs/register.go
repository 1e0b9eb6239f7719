// Register registers whom each line of its input names, for as long as there are any.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"example.com/authbus/bus"
)

func main() {
	servers, namespace := os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), os.Getenv("AUTHBUS_NAMESPACE")
	auth, err := bus.Open(servers, namespace, "web", os.Getenv("AUTHBUS_TRUST"))
	must(err)
	defer auth.Close()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		known := map[string]string{"email": lines.Text(), "password": "correct horse battery"}
		var user struct {
			UserID string `json:"user_id"`
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		must(auth.Ask(ctx, "RegisterUser", "credentials", "", known, &user))
		cancel()
		fmt.Println("registered", user.UserID)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
