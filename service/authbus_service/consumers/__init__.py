"""Kafka in: from a record's bytes to a committed effect and a reply."""

from authbus_service.consumers.service import Consumers
from authbus_service.consumers.went_back import DatabaseWentBackError, Guard

__all__ = ["Consumers", "DatabaseWentBackError", "Guard"]
