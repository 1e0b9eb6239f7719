"""What `prepare` found out before the transaction: enough to know what to lock and to decide."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from authbus.export_pages import ExportPage, Place
from authbus.message import Secret
from authbus.replies import Rejected
from authbus_service.auth.acting import Acting
from authbus_service.auth.codes.code import OneTimeCode
from authbus_service.auth.guessing.attempt import Attempt, Verdict
from authbus_service.auth.guessing.limits import Limits
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.auth.rows import Rows
from authbus_service.auth.seen import Seen
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.search import Found, Search
from authbus_service.auth.users.user import Credential
from authbus_service.core.security.masters import token_hash
from authbus_service.core.security.operator import Operator


@dataclass(frozen=True, slots=True)
class Claim:
    """An address that a user wants; without `user_id` it is the user whom the command makes."""

    canonical: str = field(repr=False)
    address: str = field(repr=False)
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """All that `decide` asks for is locked, loaded and claimed before it runs.

    - `user_id` and the user of `acting` are locked; `session_id` and the session of `acting` are
      loaded, with `every_session` all live ones of `user_id`.
    - The code of `code_hash` is loaded; with `every_code` the unused codes of all `users`, with
      `factor` their second factors.
    - `claim` is the address to claim; what counts already under `source` (who asks, or from
      where), `mailbox` and `address` is read with the claims.
    - `credential` is there when the password was right for it; `password_hash` is a new one to
      keep. `operator` is there when the command came with an operator's proof.
    - `attempt` is a guess that was counted: the decision settles it.
    - `refusal` is the answer where it is known already; `acting` is then for auditors alone and
      needs no lock but for its guess. `looked` is what became of a look-up, which needs none.
    - `about` is whom the command is about where nobody is locked, for auditors alone.
    - With `hidden` nothing may tell whether there is a `user_id`: the same is asked and written
      without one. With `registers` nothing may tell whether the address was free: what a new user
      costs is written without one too.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    every_session: bool = False
    code_hash: bytes = field(default=b"", repr=False)
    every_code: bool = False
    factor: bool = False
    acting: Acting | None = None
    operator: Operator | None = None
    claim: Claim | None = None
    credential: Credential | None = None
    password_hash: str = field(default="", repr=False)
    refusal: Rejected | None = None
    looked: Rejected | Seen | None = None
    about: UUID | None = None
    attempt: Attempt | None = None
    hidden: bool = False
    registers: bool = False
    source: bytes | None = field(default=None, repr=False)
    mailbox: bytes | None = field(default=None, repr=False)
    address: bytes | None = field(default=None, repr=False)

    @classmethod
    def unjudged(cls, attempt: Attempt) -> "Proof":
        """The proof of a guess of which nobody found out whether it was wrong."""
        return cls(attempt=attempt, factor=True)

    @property
    def is_wrong(self) -> bool:
        """Whether a password was checked and was not right, also that of a user who is not."""
        return self.attempt is not None and self.credential is None and not self.hidden

    @property
    def guessed_wrong(self) -> bool:
        """The same, known before the decision: whether a code is right is found there alone."""
        return self.is_wrong and (self.refusal is not None or not self.factor)

    @property
    def users(self) -> set[UUID]:
        """Whose locks the decision needs."""
        if self.looked is not None:
            return set()
        acting = self._deciding
        asked = self.user_id, None if acting is None else acting.user_id
        return {each for each in asked if each is not None}

    @property
    def counted(self) -> set[bytes]:
        """Under which keys it is to be known what was done lately."""
        keys = (self.source, self.mailbox, self.address)
        return {each for each in keys if each is not None}

    @property
    def changes_address(self) -> bool:
        """Whether the command may give a user another address."""
        return self.claim is not None and self.claim.user_id is not None

    @property
    def sessions(self) -> set[UUID]:
        """The sessions that the decision asks for by id."""
        acting = self._deciding
        asked = self.session_id, None if acting is None else acting.session_id
        return {each for each in asked if each is not None}

    @property
    def _deciding(self) -> Acting | None:
        """Who acts, where it is still to be decided whether they may."""
        return self.acting if self.refusal is None else None


class Verified(Protocol):
    """What the hash pool says of a password."""

    @property
    def ok(self) -> bool: ...
    @property
    def rehash_needed(self) -> bool: ...


class Hashes(Protocol):
    """The hash pool. A verify without a hash costs as much as one with.

    `pretend` takes as long and hashes nothing.
    """

    async def verify(self, phc: str | None, password: str) -> Verified: ...
    async def hash(self, password: str, salt: bytes | None = None) -> str: ...
    async def pretend(self) -> None: ...


class Lookups(Protocol):
    """What only administrators and the users themselves ask, seldom."""

    async def find(self, search: Search) -> Found: ...
    async def fill(self, page: ExportPage, user_id: UUID, place: Place) -> None: ...
    async def over(self, user_id: UUID, limit: int) -> Sequence[Session]: ...
    async def open(self, user_id: UUID, limit: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What `prepare` may wait for: questions to the database and the hash pool.

    `token` reads an access token (see `acting.read_token`), `operator` an operator's proof; neither
    waits for anything.
    """

    credential: Callable[[str], Awaitable[Credential | None]]
    owner: Callable[[UUID], Awaitable[UUID | None]]
    code: Callable[[bytes], Awaitable[OneTimeCode | None]]
    rows: Callable[["Proof"], Awaitable[Rows]]
    token: Callable[[str], Acting | None]
    hashes: Hashes
    reserve: Callable[[Attempt], Awaitable[Verdict | None]]
    policy: "Policy"
    lookups: "Lookups"
    operator: Callable[[str], Operator | None] = lambda _: None

    async def by_code(self, code: Secret) -> tuple[Proof, OneTimeCode | None]:
        """The proof of a command that comes with a mail's code, and the code as it was found.

        All unused codes of its user are loaded with it.
        """
        code_hash = token_hash(code.get_secret_value())
        found = await self.code(code_hash)
        user_id = None if found is None else found.user_id
        return Proof(user_id=user_id, code_hash=code_hash, every_code=True), found

    def administering(
        self, token: Secret, *, user_id: UUID | None = None, every_session: bool = False
    ) -> Proof:
        """The proof of a command for administrators, about this user."""
        text = token.get_secret_value()
        return Proof(
            acting=self.token(text),
            operator=self.operator(text),
            user_id=user_id,
            every_session=every_session,
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers that rules depend on."""

    session_lifetime: timedelta
    session_idle: timedelta
    sessions_per_user: int
    refresh_grace: timedelta
    access_token_lifetime: timedelta
    password_min_length: int
    roles: Roles = BUILT_IN
    guessing: Limits = field(default_factory=Limits)
    step_up: timedelta = timedelta(minutes=10)
