"""One call: a command is made, sent, and answered by the reply that belongs to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from pydantic import ValidationError

from authbus.errors import AuthError, AuthRejected, SecondFactorNeeded
from authbus.message import Command, Reply
from authbus.replies import Code
from authbus.second_factor import SecondFactorRequired
from authbus.uuid7 import uuid7

R = TypeVar("R", bound=Reply)


class Asks(Protocol):
    """Whoever answers commands."""

    async def ask(
        self,
        command: Command,
        *,
        key: str,
        command_id: UUID,
        correlation_id: str | None,
        seconds: float,
    ) -> Reply:
        """The answer, which is not a refusal: that one is raised as AuthRejected."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks; `timeout` is used where a call names none, in seconds."""

    asks: Asks
    timeout: float
    new_id: Callable[[], UUID] = uuid7

    async def __call__(
        self,
        make: Callable[[], Command],
        reply: type[R],
        *,
        key: str,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> R:
        """The reply.

        Raises AuthRejected (`invalid` before anything is sent), AuthTimeout and AuthUnavailable;
        SecondFactorNeeded for a log-in that is half done.
        """
        id_ = command_id or self.new_id()
        try:
            command = make()
        except ValidationError as error:
            detail = _told(error)
        else:
            seconds = self.timeout if timeout is None else timeout
            found = await self.asks.ask(
                command, key=key, command_id=id_, correlation_id=None, seconds=seconds
            )
            if isinstance(found, SecondFactorRequired):
                raise SecondFactorNeeded(found.challenge.get_secret_value(), found.expires_at)
            if not isinstance(found, reply):
                raise AuthError(f"{reply.__name__} was expected, {type(found).__name__} came")
            return found
        raise AuthRejected(Code.INVALID, detail, retryable=False, command_id=id_)


def _told(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in error.errors()
    )
