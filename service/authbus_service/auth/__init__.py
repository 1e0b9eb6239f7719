"""The module: users and sessions. Handlers decide, events change rows; no Kafka, no commit."""
