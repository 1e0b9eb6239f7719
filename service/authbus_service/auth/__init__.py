"""The module: users and their sessions. Handlers decide, events change rows; no Kafka, no commit."""
