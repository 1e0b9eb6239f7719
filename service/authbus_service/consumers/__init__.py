"""Kafka in: from a record's bytes to a committed effect and a reply."""

from authbus_service.consumers.service import Consumers, DatabaseWentBackError

__all__ = ["Consumers", "DatabaseWentBackError"]
