"""What a producer asks for, as awaitable calls, whoever answers them."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr

from authbus.client.account_calls import AccountCalls
from authbus.client.admin_calls import AdminCalls
from authbus.client.calling import Asks, Caller
from authbus.client.email_calls import EmailCalls
from authbus.client.factor_calls import FactorCalls
from authbus.client.lanes import Lanes
from authbus.client.password_calls import PasswordCalls
from authbus.client.profile_calls import ProfileCalls
from authbus.client.results import Session, User
from authbus.client.service_calls import ServiceCalls
from authbus.client.session_calls import SessionCalls
from authbus.commands import LogIn, LogOut, RefreshSession, RegisterUser
from authbus.ended_sessions import EndedSessions
from authbus.message import Command, Reply
from authbus.replies import LoggedIn, LoggedOut, Refreshed, Registered
from authbus.tokens import Claims, TokenChecker
from authbus.uuid7 import uuid7


@dataclass(frozen=True, slots=True)
class Means:
    """What calls are made with: who answers, who checks tokens, whose clock and ids."""

    asks: Asks
    checker: TokenChecker
    ended: EndedSessions
    timeout: float
    lanes: Lanes
    new_id: Callable[[], UUID] = uuid7


class AuthCalls:
    """All calls of a producer."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._call = call = Caller(means.asks, means.timeout, means.new_id)
        self.sessions = SessionCalls(call)
        self.passwords = PasswordCalls(call, means.lanes)
        self.profile = ProfileCalls(call)
        self.email = EmailCalls(call)
        self.admin, self.account = AdminCalls(call), AccountCalls(call)
        self.factors = FactorCalls(call, means.lanes)
        self.services = ServiceCalls(call)

    async def register(
        self,
        email: str,
        password: str,
        *,
        ip_address: str | None = None,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> User:
        """Make an account. Raises AuthRejected (`email_taken`, `password_too_short` ...).

        `ip_address` is the user's, as for `log_in`: from one place there are not many accounts.
        """
        secret = SecretStr(password)
        reply = await self._call(
            lambda: RegisterUser(email=email, password=secret, ip_address=ip_address),
            Registered,
            key=self._means.lanes.key(email),
            command_id=command_id,
            timeout=timeout,
        )
        return User(reply.user_id)

    async def log_in(
        self,
        email: str,
        password: str,
        *,
        device: str | None = None,
        ip_address: str | None = None,
        device_token: str | None = None,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> Session:
        """Start a session. Raises AuthRejected: `invalid_credentials` whatever is wrong.

        Raises SecondFactorNeeded where the user has one: `factors.complete_log_in` goes on.

        `device` and `ip_address` are shown to the user in the list of their sessions. Guesses are
        counted by `ip_address`: give the user's own and never that of a proxy before you.
        `device_token` is what an earlier session on the same device came with.
        """
        secret = SecretStr(password)
        known = None if device_token is None else SecretStr(device_token)
        reply = await self._call(
            lambda: LogIn(
                email=email,
                password=secret,
                device=device,
                ip_address=ip_address,
                device_token=known,
            ),
            LoggedIn,
            key=self._means.lanes.key(email),
            command_id=command_id,
            timeout=timeout,
        )
        return Session.of(reply)

    async def refresh(
        self,
        session: Session,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> Session:
        """New tokens for a session; those held before are used up, so keep what this returns.

        Raises AuthRejected: `invalid_token` when the session is over, `token_rotated` when another
        call has just refreshed it. After AuthTimeout call with its `command_id` again.
        """
        token = SecretStr(session.refresh_token)
        reply = await self._call(
            lambda: RefreshSession(session_id=session.session_id, refresh_token=token),
            Refreshed,
            key=str(session.session_id),
            command_id=command_id,
            timeout=timeout,
        )
        return Session.of(reply, session.device_token)

    async def log_out(
        self,
        session: Session,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> None:
        """End a session; no error when it ended in the last 30 days.

        This client refuses its tokens from now on.
        """
        token = SecretStr(session.refresh_token)
        reply = await self._call(
            lambda: LogOut(session_id=session.session_id, refresh_token=token),
            LoggedOut,
            key=str(session.session_id),
            command_id=command_id,
            timeout=timeout,
        )
        self._means.ended.note(reply.session_id)

    async def send(
        self,
        command: Command,
        *,
        key: str,
        command_id: UUID | None = None,
        correlation_id: str | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """Send any command under a record key and wait for its answer.

        The same record is sent again after a refusal that may pass, and when sending it failed,
        until the time is up.
        Raises AuthRejected (`invalid` for more than a command may hold), AuthTimeout and
        AuthUnavailable; ValueError for an id of another kind.
        """
        return await self._means.asks.ask(
            command,
            key=key,
            command_id=command_id or self._means.new_id(),
            correlation_id=correlation_id,
            seconds=self._means.timeout if timeout is None else timeout,
        )

    def verify(self, token: str) -> Claims:
        """What an access token for this client's audience says; see Verifier.verify."""
        return self._means.checker.verify(token)
