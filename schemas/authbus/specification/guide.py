"""What a producer or a downstream module of any language must know beside tables and schemas."""

from authbus import topics

COMMAND = f"""\
## Sending a command

1. **Be declared.** The operator declares each client by an id; it names its reply topic,
   `{topics.DEFAULT_NAMESPACE}.replies.<client>`, with one partition.
2. **Find the key to seal for**: on `{topics.KEYS_STATE.name()}`, read from its start, the records
   with `use` `enc`; of those whose `not_before` has come and whose `retired_at` has not, the one
   with the latest `not_before`. A service that has just started has them there in a moment; a null
   value ends a key. `signature` is a compact JWS (`EdDSA`) whose payload is the record without
   `signature`, and whose header has the root key as `jwk`: take the fields from that payload, and
   only when the RFC 7638 thumbprint (SHA-256, base64url) of the root key is the one that the
   service prints as `trust`. Pass over a record that is otherwise, or whose signed fields are
   another key's (`kid` is the record's key); and a key that was retired once stays so, whatever a
   later record says.
3. **Write the envelope**, a JSON object as `envelope/Sealed.v1.json` says, in UTF-8: no byte order
   mark, no name twice, no number beyond 64 bits, no more than 32 levels, no surrogate alone and no
   U+0000 in a text. `id` is a UUIDv7, made once and kept for every retry; its time and the record's
   append time are at most 10 minutes apart. Times are RFC 3339, with any offset and any fraction.
   `source` is `/clients/<client>`. `reply_key` is an EC P-256 public JWK, made for this command
   alone, of `kty`, `crv`, `x` and `y`; without one a command that may be answered with secrets
   (`x-sealed` in the schema of its reply) is refused as `invalid`. What `data` holds is the
   command's own schema; a field that is not in it is refused in the same way.
4. **Seal it**: compact JWE, `alg` `ECDH-ES`, `enc` `A256GCM`, `kid` of that key, on P-256. Beside
   these and `epk` the header may have `cty`, `typ`, `apu` and `apv`; with any other, `zip` and
   `crit` included, nobody is answered. At most 64,000 bytes: a topic of commands takes 65,536, with
   the headers and what Kafka adds.
5. **Send it** to the command's topic with the headers of `envelope/CommandHeaders.v1.json`, each of
   them once. What a header repeats must equal the seal's content. The record's key is for order
   alone: commands with the same key are handled one after the other. It stands in the clear: take
   an id, or none, or an HMAC under a secret of yours, and never an address. Where the table names
   an id that you do not have yet (`RequestPasswordReset`, `CompleteLogIn`, `VerifyEmail`,
   `ImportUser` ...), the command's own does.
6. **Read the answer** on the reply topic: the record whose `correlation_id` is the command's; where
   it has none, `ce_causationid` names its `id`. Start to read before you send. With `content-type`
   `application/jose` the value is a compact JWE as above, sealed to `reply_key`; with
   `application/json` it is clear. `ce_type` says which reply it is; `authbus.Rejected.v1` is always
   clear, and all others are sealed where the command has a `reply_key`. Have one, and take no other
   in the clear: whoever writes to your reply topic can make that, but nobody can make what opens
   with a key that only your command's seal names. A `wrong_topic` whose `detail` names the topic
   that you sent to is about a copy that somebody made: read on. Where a library reads in consumer
   groups alone, take one for each process, since answers of two processes come on the same
   partition. You may use those whose names begin with the reply topic's and a dot.

Without a JOSE library, `python -m authbus seal` does steps 2 to 4 and `python -m authbus open`
opens the answer: they come with the Python package `authbus` and its extra `client`.

To try again, after no answer, send the same record, or the same `id` and `data` sealed anew: it has
its effect once, and is answered again until `expirytime`. What was read after its `expirytime` is
`expired` for good, also when it comes sealed anew: ask with a new id. Sealed anew it is judged like
a new command: `stale_id` when the id is more than 10 minutes old.

A record that cannot be opened or read, of a client that is not declared, whose headers differ from
its seal, or that asks for another reply topic, is **not answered**: it is on
`{topics.DEAD_LETTERS.name()}` with its reason. [errors.md](errors.md#records-that-are-not-answered)
has them all.

Spring's `ReplyingKafkaTemplate` works as it is: `kafka_replyTopic` and `kafka_replyPartition` say
where to, and `kafka_correlationId` comes back byte for byte.
"""

TOKENS = f"""\
## Checking an access token

A JWT as RFC 9068 has it: `typ` is `at+jwt`, `alg` is `EdDSA` on Ed25519, `kid` names a key of
`/.well-known/jwks.json`, which holds those of `{topics.KEYS_STATE.name()}`. `iss` is
`authbus/<namespace>` unless the operator says otherwise (`AUTHBUS_ISSUER`). `aud` is the audience
declared for the client that logged in (without one, its id), or a list where there are several.
`sub` is the user's id, `sid` the session's, `client_id` the client's. `exp` is at most 10 minutes
after `iat`. `auth_time`, `amr`, `roles` and `scope` (permissions) say more of its owner. Allow 5 s
of leeway. A token that was issued after its key's `retired_at` is refused; that stands on the topic
alone, not in the JSON Web Key Set.

A session may end before its token: then there is a record with its id on
`{topics.SESSIONS_ENDED.name()}`, and a token with it as `sid` is refused. Read that topic back 20
minutes at the start, to its end before you take a token, and follow it; keep each for 20 minutes.
`alive` records come each second on every partition, and say in `published_through` up to when
nothing is missing there. When the oldest of these is more than 5 s behind, or one partition was
silent for so long, nobody knows who has logged out: answer 503 then, and not 401, or decide to take
such tokens.
"""

EVENTS = f"""\
## Reading events

Read `{topics.EVENTS.name()}`, and so `{topics.USERS_STATE.name()}`,
`{topics.SESSIONS_ENDED.name()}`, `{topics.KEYS_STATE.name()}` and `{topics.AUDIT.name()}`, with
`isolation.level=read_committed`: they are written in transactions, and one that was aborted stays
on the topic for others to see. Some clients have `read_uncommitted` as their default. Each event is
there once; after a restart of yours it may be read again, so let a view take only what is newer:
`sequence` counts each user's events without a gap, and an upsert with `WHERE known.sequence <
excluded.sequence` can be read from the start at any time. Kinds and fields that you do not know
will come: pass them over.
"""
