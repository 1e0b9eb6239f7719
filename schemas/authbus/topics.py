"""The topics: declared once, here. A namespace goes in front; nothing is computed elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

DAY_MS = 24 * 60 * 60 * 1000
DEFAULT_NAMESPACE = "auth"


def _config(**entries: str) -> Mapping[str, str]:
    return MappingProxyType({name.replace("_", "."): value for name, value in entries.items()})


_COMMANDS = _config(
    retention_ms=str(7 * DAY_MS),
    segment_ms=str(DAY_MS),
    max_message_bytes="65536",
    message_timestamp_type="LogAppendTime",
    compression_type="producer",
    cleanup_policy="delete",
)
_COMPACTED = _config(cleanup_policy="compact")
# What was replaced or erased is gone from the disks within so long, also where little is written.
_COMPACTED_DAILY = _config(
    cleanup_policy="compact", max_compaction_lag_ms=str(DAY_MS), segment_ms=str(DAY_MS)
)
# A record goes when the last one in its segment is old enough. An hour for the broker to look, and
# for copies: `authbus replay` makes none of a command that is older than a quarter of an hour.
COMMANDS_KEPT = timedelta(days=8, hours=1)
_FOR_EVER = _config(cleanup_policy="delete", retention_ms="-1")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its name without the namespace, what its key is, and how it is made.

    `personal` topics may carry personal data in the clear; every other one carries none.
    """

    suffix: str
    key: str
    partitions: int
    config: Mapping[str, str] = field(repr=False)
    personal: bool = False

    def name(self, namespace: str = DEFAULT_NAMESPACE) -> str:
        """The full name, for example `auth.events.v1`."""
        return f"{namespace}.{self.suffix}"


CREDENTIALS = Topic("commands.credentials.v1", "the producer's choice", 12, _COMMANDS)
SESSIONS = Topic("commands.sessions.v1", "session id or user id", 12, _COMMANDS)
ACCOUNTS = Topic("commands.accounts.v1", "user id", 6, _COMMANDS)
ADMIN = Topic("commands.admin.v1", "user id", 6, _COMMANDS)
EVENTS = Topic("events.v1", "user id", 12, _FOR_EVER)
USERS_STATE = Topic("state.users.v1", "user id", 12, _COMPACTED_DAILY, personal=True)
KEYS_STATE = Topic("state.keys.v1", "kid", 1, _COMPACTED)
SESSIONS_ENDED = Topic(
    "sessions.ended.v1",
    "session id, or `alive` for the heartbeat",
    3,
    _config(cleanup_policy="delete", retention_ms=str(2 * 10 * 60 * 1000)),
)
AUDIT = Topic(
    "audit.v1",
    "user id or command id",
    3,
    _config(cleanup_policy="delete", retention_ms=str(400 * DAY_MS)),
)
DEAD_LETTERS = Topic(
    "dead-letters.v1",
    "command id, or `<topic>/<partition>/<offset>` where none can be read",
    3,
    _config(cleanup_policy="delete", retention_ms=str(30 * DAY_MS)),
)
# A recovery looks there for what was decided in the last seconds before an accident.
RELAY = Topic(
    "relay.v1",
    "`manifest`, or `start` where a relay began",
    1,
    _config(cleanup_policy="compact", min_compaction_lag_ms=str(DAY_MS // 4)),
)

COMMAND_TOPICS = (CREDENTIALS, SESSIONS, ACCOUNTS, ADMIN)
TOPICS = (
    *COMMAND_TOPICS,
    EVENTS,
    USERS_STATE,
    KEYS_STATE,
    SESSIONS_ENDED,
    AUDIT,
    DEAD_LETTERS,
    RELAY,
)


def replies(client_id: str) -> Topic:
    """The reply topic of one declared client: the only place where its answers may go."""
    return Topic(
        f"replies.{client_id}",
        "correlation id, or without one the command's",
        1,
        _config(cleanup_policy="delete", retention_ms=str(10 * 60 * 1000)),
    )
