"""libsodium's argon2id, which picks its code by the processor at hand."""
