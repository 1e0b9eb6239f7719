"""Kafka out: says what the outbox holds, each record once, in each user's order."""
