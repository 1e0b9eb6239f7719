package bus

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keys knows the key to seal for: the newest that serves and that the root key has signed.
type keys struct {
	topic, trust string
	newest       *jose.JSONWebKey
	since        time.Time
}

// learn takes one record of the topic of keys. What counts is what the root key signed.
func (k *keys) learn(value []byte) {
	var record struct{ Signature string }
	if json.Unmarshal(value, &record) != nil {
		return
	}
	signed, err := jose.ParseSignedCompact(record.Signature, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || signed.Signatures[0].Header.JSONWebKey == nil {
		return
	}
	root := signed.Signatures[0].Header.JSONWebKey
	thumbprint, err := root.Thumbprint(crypto.SHA256)
	if err != nil || k.trust != "" && k.trust != base64.RawURLEncoding.EncodeToString(thumbprint) {
		return
	}
	text, err := signed.Verify(root)
	if err != nil {
		return
	}
	var key struct {
		Kid, Use  string
		JWK       jose.JSONWebKey
		NotBefore time.Time  `json:"not_before"`
		RetiredAt *time.Time `json:"retired_at"`
	}
	if json.Unmarshal(text, &key) != nil || key.Use != "enc" || key.NotBefore.After(time.Now()) {
		return
	}
	if key.RetiredAt == nil && !key.NotBefore.Before(k.since) {
		key.JWK.KeyID = key.Kid
		k.newest, k.since = &key.JWK, key.NotBefore
	}
}
