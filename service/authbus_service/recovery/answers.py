"""The answers of commands whose events were applied again: they follow from events and rows.

A command that is asked again after a recovery is answered as before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authbus import commands as asks
from authbus.events import AnyEvent, ProfileUpdated, SessionEnded, SessionRefreshed, SessionStarted
from authbus.message import Command
from authbus.password_replies import PasswordIsChanged, PasswordIsVoid, ResetIsRequested
from authbus.replies import (
    AllSessionsEnded,
    Code,
    EmailIsChanged,
    EmailIsVerified,
    LoggedOut,
    MailQueued,
    ProfileSaved,
    Registered,
    Rejected,
    SessionIsEnded,
    UserIsActive,
    UserIsDeactivated,
    UserIsErased,
    UserIsImported,
    UserIsUnlocked,
    UserRoles,
)
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    DisableTotp,
    ResetSecondFactor,
    SecondFactorIsReset,
    SecondFactorRequested,
    SessionElevated,
    StartTotp,
    StepUp,
    TotpIsDisabled,
)
from authbus.service_accounts import CreateServiceAccount, LogInService, RotateServiceSecret
from authbus.topics import COMMANDS_KEPT
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.outcome import (
    Answer,
    Challenged,
    Elevated,
    Enrolled,
    Enrolling,
    Granted,
    Renewed,
    SecretMade,
    ServiceGranted,
)
from authbus_service.auth.proof import Policy
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions.tokens import terms
from authbus_service.auth.users import devices


@dataclass(frozen=True, slots=True)
class Done:
    """What one command did: its events, all of one user, and the rows as they are after them."""

    command: Command
    events: Sequence[AnyEvent]
    at: datetime
    rows: Rows
    policy: Policy

    @property
    def user_id(self) -> UUID:
        """Whom it was about."""
        return self.events[0].user_id

    @property
    def ended(self) -> int:
        """How many sessions it ended."""
        return sum(isinstance(event, SessionEnded) for event in self.events)

    @property
    def session_id(self) -> UUID:
        """The session that it ended."""
        return next(each.session_id for each in self.events if isinstance(each, SessionEnded))

    @property
    def roles(self) -> tuple[str, ...]:
        """What the user holds."""
        user = self.rows.user(self.user_id)
        return () if user is None else user.roles


def answer(done: Done) -> Answer:
    """What the command was answered."""
    return ANSWERS[type(done.command)](done)


def _started(done: Done) -> Answer:
    """A log-in without a session was refused: its wrong guess locked the account."""
    for event in done.events:
        if isinstance(event, SecondFactorRequested):
            return Challenged(expires_at=done.at + Purpose.LOG_IN.lifetime)
        if isinstance(event, SessionStarted):
            tokens = _tokens(done, event.session_id, event.expires_at)
            return Granted(**tokens, amr=event.amr, is_known_device=_is_known_device(done))
    return Rejected.because(Code.INVALID_CREDENTIALS)


def _is_known_device(done: Done) -> bool:
    """A log-in's own device is known afterwards: the one that it showed, or else a new one."""
    user, command = done.rows.user(done.user_id), done.command
    if user is None or not isinstance(command, asks.LogIn | CompleteLogIn):
        return False
    return devices.known(user.devices, command) is not None


def _service_started(done: Done) -> Answer:
    return ServiceGranted.model_validate(_started(done).model_dump())


def _secret_made(done: Done) -> Answer:
    expires_at = done.at + Purpose.SERVICE_SECRET.lifetime
    return SecretMade(user_id=done.user_id, expires_at=expires_at)


def _refreshed(done: Done) -> Answer:
    """A refresh that ended its session was refused: the token had been used before."""
    event = done.events[0]
    session = done.rows.session(event.session_id) if isinstance(event, SessionRefreshed) else None
    if session is None:
        return Rejected.because(Code.INVALID_TOKEN)
    tokens = _tokens(done, session.id, session.expires_at)
    tokens["auth_time"] = session.authenticated_at
    return Renewed(**tokens, amr=session.amr)


def _elevated(done: Done) -> Answer:
    event = next(each for each in done.events if isinstance(each, SessionElevated))
    session = done.rows.session(event.session_id)
    expires_at = done.at if session is None else session.expires_at
    return Elevated(**_tokens(done, event.session_id, expires_at), amr=event.amr)


def _tokens(done: Done, session_id: UUID, expires_at: datetime) -> dict[str, Any]:
    return {
        "user_id": done.user_id,
        "session_id": session_id,
        "auth_time": done.at,
        **terms(done.policy, done.roles, done.at, expires_at),
    }


def _mail(purpose: Purpose) -> Callable[[Done], Answer]:
    return lambda done: MailQueued(expires_at=done.at + purpose.lifetime)


def _saved(done: Done) -> Answer:
    versions = [each.profile_version for each in done.events if isinstance(each, ProfileUpdated)]
    return ProfileSaved(profile_version=versions[-1])


def _erased(done: Done) -> Answer:
    return UserIsErased(
        user_id=done.user_id,
        sessions_ended=done.ended,
        commands_gone_at=done.at + COMMANDS_KEPT,
    )


def _password(done: Done) -> Answer:
    return PasswordIsChanged(sessions_ended=done.ended)


def _roles(done: Done) -> Answer:
    return UserRoles(user_id=done.user_id, roles=done.roles)


ANSWERS: Mapping[type[Command], Callable[[Done], Answer]] = {
    asks.RegisterUser: lambda done: Registered(user_id=done.user_id),
    asks.LogIn: _started,
    asks.RefreshSession: _refreshed,
    asks.LogOut: lambda done: LoggedOut(session_id=done.session_id),
    asks.EndSession: lambda done: SessionIsEnded(session_id=done.session_id),
    asks.EndAllSessions: lambda done: AllSessionsEnded(count=done.ended),
    asks.ChangePassword: _password,
    asks.CompletePasswordReset: _password,
    asks.RequestPasswordReset: lambda done: ResetIsRequested(
        expires_at=done.at + Purpose.RESET_PASSWORD.lifetime
    ),
    asks.ImportUser: lambda done: UserIsImported(user_id=done.user_id),
    asks.ForcePasswordReset: lambda done: PasswordIsVoid(
        user_id=done.user_id, sessions_ended=done.ended
    ),
    asks.UpdateProfile: _saved,
    asks.VerifyEmail: lambda done: EmailIsVerified(user_id=done.user_id),
    asks.ConfirmEmailChange: lambda done: EmailIsChanged(user_id=done.user_id),
    asks.ResendVerification: _mail(Purpose.VERIFY_EMAIL),
    asks.ChangeEmail: _mail(Purpose.CHANGE_EMAIL),
    asks.DeactivateUser: lambda done: UserIsDeactivated(
        user_id=done.user_id, sessions_ended=done.ended
    ),
    asks.ReactivateUser: lambda done: UserIsActive(user_id=done.user_id),
    asks.UnlockUser: lambda done: UserIsUnlocked(user_id=done.user_id),
    asks.GrantRole: _roles,
    asks.RevokeRole: _roles,
    asks.EraseAccount: _erased,
    asks.EraseUser: _erased,
    StartTotp: lambda _: Enrolling(),
    ConfirmTotp: lambda _: Enrolled(),
    CompleteLogIn: _started,
    asks.EndUserSessions: lambda done: AllSessionsEnded(count=done.ended),
    StepUp: _elevated,
    CreateServiceAccount: _secret_made,
    RotateServiceSecret: _secret_made,
    LogInService: _service_started,
    ResetSecondFactor: lambda done: SecondFactorIsReset(user_id=done.user_id),
    DisableTotp: lambda done: TotpIsDisabled(user_id=done.user_id),
}
