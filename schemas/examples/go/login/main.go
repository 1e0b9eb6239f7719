// Login walks through a user's life: register, log in, refresh, a wrong password, log out.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"example.com/authbus/bus"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

type session struct {
	UserID       string `json:"user_id"`
	SessionID    string `json:"session_id"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	namespace := cmp.Or(os.Getenv("AUTHBUS_NAMESPACE"), "auth")
	servers := cmp.Or(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), "localhost:9092")
	auth, err := bus.Open(servers, namespace, "web", os.Getenv("AUTHBUS_TRUST"))
	must(err)
	defer auth.Close()

	email := rand.Text()[:8] + "@example.com"
	known := map[string]string{"email": email, "password": "correct horse battery"}
	var user, now, later session
	must(auth.Ask(ctx, "RegisterUser", "credentials", "", known, &user))
	fmt.Println("registered", user.UserID)

	must(auth.Ask(ctx, "LogIn", "credentials", "", known, &now))
	claims := verify(ctx, now.AccessToken, namespace)
	fmt.Println("logged in", claims.Subject, "until", claims.Expiry.Time())

	must(auth.Ask(ctx, "RefreshSession", "sessions", now.SessionID, holder(now), &later))
	fmt.Println("refreshed", verify(ctx, later.AccessToken, namespace).Subject)

	wrong := map[string]string{"email": email, "password": "not this one"}
	var refused *bus.Rejected
	if !errors.As(auth.Ask(ctx, "LogIn", "credentials", "", wrong, &now), &refused) {
		log.Fatal("a wrong password was taken")
	}
	fmt.Println("refused", refused.Code)

	must(auth.Ask(ctx, "LogOut", "sessions", later.SessionID, holder(later), &later))
	fmt.Println("logged out", later.SessionID)
}

func holder(of session) map[string]string {
	return map[string]string{"session_id": of.SessionID, "refresh_token": of.RefreshToken}
}

// verify checks an access token against the published keys, which a real program keeps.
func verify(ctx context.Context, token, namespace string) jwt.Claims {
	place := cmp.Or(os.Getenv("AUTHBUS_HTTP"), "http://localhost:8080") + "/.well-known/jwks.json"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	must(err)
	response, err := http.DefaultClient.Do(request)
	must(err)
	defer response.Body.Close()
	var keys jose.JSONWebKeySet
	must(json.NewDecoder(response.Body).Decode(&keys))

	signed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA})
	must(err)
	if signed.Headers[0].ExtraHeaders[jose.HeaderType] != "at+jwt" {
		log.Fatal("no access token")
	}
	var claims jwt.Claims
	must(signed.Claims(keys, &claims))
	expected := jwt.Expected{
		Issuer: "authbus/" + namespace, AnyAudience: jwt.Audience{"web"}, Time: time.Now(),
	}
	must(claims.ValidateWithLeeway(expected, 5*time.Second)) // go-jose's own is a minute
	return claims
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
