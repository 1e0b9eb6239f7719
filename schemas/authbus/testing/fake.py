"""FakeAuthbus: the service, Kafka and the clock of one test."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from authbus import totp
from authbus.client import AuthClient
from authbus.errors import AuthRejected, AuthTimeout, AuthUnavailable
from authbus.events import RoleGranted
from authbus.stream import EventStream, StreamEvent
from authbus.testing.answering import Trouble
from authbus.testing.clients import FakeClient, FakeVerifier
from authbus.testing.memory import Memory
from authbus.testing.permitting import ADMIN
from authbus.testing.rows import Mail, derived_id
from authbus.testing.settings import Settings
from authbus.testing.streams import FakeStream, Group
from authbus.tokens import OnStale
from authbus.verifier import Verifier


class FakeAuthbus:
    """An authbus in memory: what its clients do, its streams tell and its verifiers know.

    Time stands still until `forward` moves it. It begins `at` a time of your choice, else now; all
    ids and secrets follow from it and from what was asked, so a test that chooses one is the same
    in every run. Passwords are not hashed, and nothing here is secret.

        bus = FakeAuthbus(roles={"clerk": ["orders:write"]})
        async with bus.client("web") as auth:
            user = await auth.register("ana@example.com", "correct horse battery")
            bus.grant(user.user_id, "clerk")
            session = await auth.log_in("ana@example.com", "correct horse battery")
            bus.forward(minutes=11)
            assert bus.events[-1].type == "authbus.SessionStarted.v1"
    """

    def __init__(
        self,
        *,
        at: datetime | None = None,
        roles: Mapping[str, Iterable[str]] | None = None,
        audiences: Mapping[str, Sequence[str]] | None = None,
        settings: Settings | None = None,
    ) -> None:
        """`roles` are names with what they permit, `admin` is built in.

        `audiences` are those of each client's tokens; the client's own name, unless given.
        """
        declared = {name: frozenset(each) for name, each in (roles or {}).items()}
        self._memory = Memory(
            now=at or datetime.now(UTC),
            settings=settings or Settings(),
            roles={"admin": ADMIN, **declared},
            audiences={name: tuple(each) for name, each in (audiences or {}).items()},
        )
        self._groups: dict[str, Group] = {}
        self._troubles: deque[Trouble] = deque()

    def client(
        self, client_id: str, *, audience: str | None = None, on_stale: OnStale = "reject"
    ) -> AuthClient:
        """A client of this name."""
        audience = audience or client_id
        return FakeClient(
            self._memory, client_id, self._troubles, audience=audience, on_stale=on_stale
        )

    def verifier(self, audience: str, *, on_stale: OnStale = "reject") -> Verifier:
        """A verifier of tokens for this audience."""
        return FakeVerifier(self._memory, audience=audience, on_stale=on_stale)

    def stream(self, group: str, *, since: datetime | None = None) -> EventStream:
        """A member of this group, which goes on where the group was."""
        return FakeStream(self._memory, self._groups.setdefault(group, Group()), since)

    async def heard(self, group: str) -> None:
        """Wait until this group has finished everything that has been said so far."""
        found, until = self._groups.setdefault(group, Group()), len(self._memory.log)
        await self._memory.until(lambda: found.has_finished(until))

    @property
    def now(self) -> datetime:
        """What time it is."""
        return self._memory.now

    def forward(
        self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        """Let time pass; sessions that are over end, each at its time. Raises ValueError for less.

        A session is forgotten 30 days after its end, a code 7 days after it ran out.
        """
        by = timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
        if by < timedelta():
            raise ValueError("time goes on")
        self._memory.forward(by)

    @property
    def events(self) -> tuple[StreamEvent, ...]:
        """All that has been said, in order."""
        return tuple(said.event for said in self._memory.log)

    @property
    def mails(self) -> tuple[Mail, ...]:
        """All mails to users who are not erased, in order."""
        return tuple(self._memory.mails)

    def code(self, address: str, template: str) -> str:
        """The code of the newest mail of this kind to this address. Raises LookupError."""
        for mail in reversed(self._memory.mails):
            if (mail.address, mail.template) == (address, template) and mail.code is not None:
                return mail.code
        raise LookupError(f"no mail {template} to {address}")

    def app_code(self, secret: str, *, ahead: int = 0) -> str:
        """What a user's app shows that was given the `secret` of `start_totp`.

        Each code is good once, and there is another one every 30 seconds: let that time pass, or
        take the code of one step `ahead`, which is good already.
        """
        return totp.code_at(totp.from_text(secret), totp.step_of(self._memory.now) + ahead)

    def grant(self, user_id: UUID, role: str) -> None:
        """Give a declared role, as an operator does. Raises LookupError for an unknown one."""
        user = self._memory.users[user_id]
        if role not in self._memory.roles:
            raise LookupError(f"no role {role}")
        if role not in user.roles:
            user.roles = tuple(sorted({*user.roles, role}))
            cause = derived_id(f"grant {role} {user.sequence}", user_id)
            self._memory.tell(user, RoleGranted, cause, actor="operator", role=role)

    def feed_behind(self, seconds: float) -> None:
        """Let the feed of ended sessions be so far behind; more than 5 s refuse tokens."""
        self._memory.ended.behind = timedelta(seconds=seconds)

    def lose_answers(self, calls: int = 1) -> None:
        """The next calls have their effect and raise AuthTimeout."""
        self._troubles.extend([AuthTimeout] * calls)

    def be_busy(self, calls: int = 1) -> None:
        """The next calls are refused as `busy`, as if the time for asking again were over."""
        self._troubles.extend([AuthRejected] * calls)

    def be_away(self, calls: int = 1) -> None:
        """The next calls find no Kafka: AuthUnavailable."""
        self._troubles.extend([AuthUnavailable] * calls)
