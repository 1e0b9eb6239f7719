"""A run as it was lived, logged and stored: what the checker reads, and nothing of how it came.

Times are seconds of one monotonic clock. Ids are text. Passwords are labels, never themselves.
"""

from dataclasses import dataclass, field
from typing import Literal

Ended = Literal["ok", "refused", "unknown"]
Place = tuple[str, int]
"""A topic without its namespace, and a partition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command as its client lived it, over all times that it was sent under its id.

    `subject` names the account that it is about, as the client knows it. `returned` is None when
    the client never heard. A refusal that decides nothing (`busy`) is no end: `unknown`.
    """

    id: str
    kind: str
    client: str
    subject: str
    invoked: float
    returned: float | None
    ended: Ended
    code: str = ""
    session: str = ""
    password: str = ""
    new_password: str = ""
    reply_topic: str = ""


@dataclass(frozen=True, slots=True)
class Logged:
    """One record of a command topic; its id is what its header claims."""

    place: Place
    offset: int
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One record of a reply topic, opened. `meaning` is a digest of all that it says.

    `command` is what it says it answers, `correlation` the id that it gives back.
    """

    command: str
    correlation: str
    topic: str
    kind: str
    code: str = ""
    session: str = ""
    user: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said onto a topic: an event, or a state, audit or ended-session record.

    `user`, `sequence`, `session` and `reason` are an event's. `digest` is that of the payload.
    """

    id: str
    topic: str
    key: str
    kind: str
    digest: str
    cause: str = ""
    user: str = ""
    sequence: int = 0
    session: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A message as it lies on Kafka."""

    partition: int
    offset: int
    message: Message


@dataclass(frozen=True, slots=True)
class Row:
    """A message as a transaction of the database committed it into the outbox."""

    position: int
    transaction: int
    message: Message


@dataclass(frozen=True, slots=True)
class Handled:
    """A row of the inbox: which reply, and a refusal's code."""

    command: str
    kind: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A row of `users`; `canonical` are its rows of `emails`."""

    id: str
    sequence: int
    canonical: tuple[str, ...]
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """A row of `sessions`."""

    id: str
    user: str
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A token that was verified offline: taken, `revoked` by an end, or refused for other reasons.

    `knows`: who looks has heard of every session that ended before.
    """

    session: str
    at: float
    taken: bool
    revoked: bool = False
    knows: float = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsets:
    """One look at one partition of a command topic, from `since` to `at`. None: there is none yet.

    `divided` marks one while a node was cut off from its peers: it may have been asked, and it
    goes on telling what the group had committed when it was its coordinator.
    """

    since: float
    at: float
    place: Place
    committed: int | None
    fence: int | None
    end: int
    divided: bool = False


@dataclass(frozen=True, slots=True)
class Stable:
    """Where a partition ends, and how far read_committed readers get, after all has healed."""

    place: Place
    stable: int
    end: int


@dataclass(frozen=True, slots=True)
class State:
    """What a replay must leave alone: a digest of each table, the events of each partition."""

    tables: dict[str, str]
    events: dict[Place, int]


@dataclass(frozen=True, slots=True)
class Replay:
    """All commands that were sent again, and what there was before and after."""

    name: str
    before: State
    after: State


@dataclass(frozen=True, slots=True)
class Samples:
    """What a process holds of something over the time: (seconds, amount)."""

    name: str
    points: tuple[tuple[float, float], ...]
    most_per_hour: float


@dataclass(frozen=True, slots=True)
class Held:
    """What there is of something when all is at rest, and how much there may be."""

    name: str
    amount: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything of one run. `written` are all rows ever committed, `waiting` those not yet said.

    `dead` are the commands with a dead letter, `failed` those that were let fail on purpose.
    `written` is in no order; `committed` is what read_committed readers get, `uncommitted` what
    everybody gets. `erased` are the ids of erased users, `failures` the guesses that count against
    each account at the end. `staleness` is how long a token may be taken after its session ended.
    `settled`: so many seconds after the heal the last transaction had ended that was open then.
    """

    calls: tuple[Call, ...] = ()
    log: tuple[Logged, ...] = ()
    answers: tuple[Answer, ...] = ()
    dead: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    committed: tuple[Told, ...] = ()
    uncommitted: tuple[Told, ...] = ()
    written: tuple[Row, ...] = ()
    waiting: frozenset[str] = frozenset()
    inbox: tuple[Handled, ...] = ()
    accounts: tuple[Account, ...] = ()
    sessions: tuple[Session, ...] = ()
    erased: frozenset[str] = frozenset()
    failures: dict[str, int] = field(default_factory=dict[str, int])
    guesses_until_lock: int = 10
    locked_seconds: float = 900.0
    guesses_at_once: int = 5
    looks: tuple[Look, ...] = ()
    staleness: float = 7.0
    offsets: tuple[Offsets, ...] = ()
    stable: tuple[Stable, ...] = ()
    settled: float = 0.0
    replays: tuple[Replay, ...] = ()
    logs: tuple[str, ...] = ()
    canaries: tuple[str, ...] = ()
    texts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    samples: tuple[Samples, ...] = ()
    held: tuple[Held, ...] = ()
