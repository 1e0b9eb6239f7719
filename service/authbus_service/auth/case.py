"""One command as `decide` sees it: what was asked, what was found out, the rows, the time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authbus.events import EndReason, SessionEnded
from authbus_service.auth import actors
from authbus_service.auth.acting import Actor, actor
from authbus_service.auth.proof import Policy, Proof
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Readable
from authbus_service.auth.users.user import User


@dataclass(frozen=True, slots=True)
class Case:
    """`at` is the database's clock, read under the locks."""

    request: Request
    proof: Proof
    rows: Readable
    at: datetime
    policy: Policy

    @property
    def who(self) -> Actor | None:
        """The user whose access token came with the command, if it may still be used."""
        return actor(self.proof.acting, self.rows, self.at, self.request.client.id)

    def told(self, user: User, index: int = 0, *, actor: str = "") -> dict[str, Any]:
        """What every event of this command says of a user; `index` counts its events from 0.

        The actor is the user, unless told otherwise.
        """
        return {
            "user_id": user.id,
            "sequence": user.sequence + 1 + index,
            "actor": actor or actors.user(user.id),
            "causation_id": self.request.id,
        }

    def ending(
        self,
        user: User,
        reason: EndReason,
        *,
        but: UUID | None = None,
        index: int = 0,
        actor: str = "",
    ) -> tuple[SessionEnded, ...]:
        """The events that end all live sessions of a user that were loaded, oldest first.

        The session `but` goes on; `index` is that of the first event.
        """
        ending = [each for each in self.rows.sessions_of(user.id, self.at) if each.id != but]
        return tuple(
            SessionEnded(**self.told(user, number, actor=actor), session_id=each.id, reason=reason)
            for number, each in enumerate(ending, index)
        )
