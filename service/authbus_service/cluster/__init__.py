"""The Kafka cluster seen from outside: its topics, its id, what groups have committed."""

from authbus_service.cluster.admin import Admin
from authbus_service.cluster.errors import ClusterError, Finding, TopicsError
from authbus_service.cluster.topics import Wanted, apply, check, declared

__all__ = [
    "Admin",
    "ClusterError",
    "Finding",
    "TopicsError",
    "Wanted",
    "apply",
    "check",
    "declared",
]
