package bus

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

// keys are those that commands are sealed to, as far as the root key has signed them.
type keys struct {
	trust string
	guard sync.Mutex
	known map[string]key
	// Whether their topic has been read to its end: until then a later record may end a key.
	complete bool
}

type key struct {
	Kid, Use  string
	JWK       jose.JSONWebKey
	NotBefore time.Time  `json:"not_before"`
	RetiredAt *time.Time `json:"retired_at"`
}

// A key is announced before it serves and retires at an hour set before: the clock decides.
func (k key) serves(now time.Time) bool {
	return !k.NotBefore.After(now) && (k.RetiredAt == nil || now.Before(*k.RetiredAt))
}

// sealing is the key to seal for now: the newest that serves. It waits for one.
func (k *keys) sealing(ctx context.Context) (*jose.JSONWebKey, error) {
	for {
		if newest := k.newest(time.Now()); newest.Kid != "" {
			newest.JWK.KeyID = newest.Kid
			return &newest.JWK, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no key under this trust: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (k *keys) newest(now time.Time) (newest key) {
	k.guard.Lock()
	defer k.guard.Unlock()
	for _, each := range k.known {
		if k.complete && each.serves(now) && each.NotBefore.After(newest.NotBefore) {
			newest = each
		}
	}
	return newest
}

// learn takes records of the topic of keys.
func (k *keys) learn(read kgo.FetchPartition) {
	k.guard.Lock()
	defer k.guard.Unlock()
	for _, record := range read.Records {
		k.complete = record.Offset+1 >= read.LastStableOffset
		if record.Attrs.IsControl() {
			continue
		}
		if record.Value == nil {
			delete(k.known, string(record.Key))
		} else if found, good := signed(record.Value, k.trust); good && found.Use == "enc" {
			k.known[found.Kid] = found
		}
	}
}

// signed is what the root key signed, which is what counts.
func signed(value []byte, trust string) (found key, good bool) {
	var record struct{ Signature string }
	if json.Unmarshal(value, &record) != nil {
		return
	}
	jws, err := jose.ParseSignedCompact(record.Signature, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || jws.Signatures[0].Header.JSONWebKey == nil {
		return
	}
	root := jws.Signatures[0].Header.JSONWebKey
	thumbprint, err := root.Thumbprint(crypto.SHA256)
	if err != nil || trust != "" && trust != base64.RawURLEncoding.EncodeToString(thumbprint) {
		return
	}
	text, err := jws.Verify(root)
	good = err == nil && json.Unmarshal(text, &found) == nil
	return
}
