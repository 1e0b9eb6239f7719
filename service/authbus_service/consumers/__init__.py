"""Kafka in: from a record's bytes to a committed effect and a reply."""
