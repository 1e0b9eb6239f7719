"""The tables: what prepares and decides each command, what applies each event.

`prepare` may wait and holds no transaction, `decide` is pure, `apply` writes rows. A question has
no effect and is answered at once. What is new in the contract is a row here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from authbus.commands import (
    ChangeEmail,
    ChangePassword,
    ConfirmEmailChange,
    DeactivateUser,
    EndAllSessions,
    EndSession,
    EraseAccount,
    EraseUser,
    ExportAccount,
    ExportUser,
    FindUsers,
    GetProfile,
    GetUser,
    GrantRole,
    ListSessions,
    LogIn,
    LogOut,
    ReactivateUser,
    RegisterUser,
    ResendVerification,
    RevokeRole,
    UnlockUser,
    UpdateProfile,
    VerifyEmail,
)
from authbus.events import (
    AnyEvent,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    PasswordChanged,
    ProfileUpdated,
    RoleGranted,
    RoleRevoked,
    SessionEnded,
    SessionStarted,
    UserCreated,
    UserDeactivated,
    UserErased,
    UserLocked,
    UserReactivated,
    UserUnlocked,
)
from authbus.message import Command, Event, Reply
from authbus.state import SessionRevoked, UserState
from authbus_service.auth import emails
from authbus_service.auth.case import Case
from authbus_service.auth.codes import service as codes
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.commands import (
    change_email,
    change_password,
    confirm_email_change,
    deactivate_user,
    end_all_sessions,
    end_session,
    erase_account,
    erase_user,
    export_account,
    export_user,
    find_users,
    get_profile,
    get_user,
    grant_role,
    list_sessions,
    log_in,
    log_out,
    reactivate_user,
    register,
    resend_verification,
    revoke_role,
    unlock_user,
    update_profile,
    verify_email,
)
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.outcome import Gone, Outcome, Private
from authbus_service.auth.proof import Policy, Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Readable, Rows
from authbus_service.auth.sessions import service as sessions
from authbus_service.auth.users import service as users

C_contra = TypeVar("C_contra", bound=Command, contravariant=True)


class Handler(Protocol[C_contra]):
    """A module of `commands/` that changes something."""

    async def prepare(self, command: C_contra, request: Request, tools: Tools, /) -> Proof:
        """Read and hash what the decision needs. May take long; changes nothing."""
        ...

    def decide(self, command: C_contra, case: Case, /) -> Outcome:
        """The one answer. It refuses before it changes anything; it changes nothing."""
        ...


class Question(Protocol[C_contra]):
    """A module of `commands/` that changes nothing and leaves no trace in the inbox."""

    async def answer(
        self, command: C_contra, request: Request, tools: Tools, at: datetime, /
    ) -> Reply:
        """The answer as things are, `at` our own clock's time."""
        ...


HANDLERS: Mapping[type[Command], Handler[Any]] = {
    RegisterUser: register,
    LogIn: log_in,
    LogOut: log_out,
    EndSession: end_session,
    EndAllSessions: end_all_sessions,
    DeactivateUser: deactivate_user,
    ReactivateUser: reactivate_user,
    UnlockUser: unlock_user,
    ChangePassword: change_password,
    UpdateProfile: update_profile,
    VerifyEmail: verify_email,
    ResendVerification: resend_verification,
    ChangeEmail: change_email,
    ConfirmEmailChange: confirm_email_change,
    GrantRole: grant_role,
    RevokeRole: revoke_role,
    EraseAccount: erase_account,
    EraseUser: erase_user,
}
QUESTIONS: Mapping[type[Command], Question[Any]] = {
    ListSessions: list_sessions,
    GetProfile: get_profile,
    ExportAccount: export_account,
    ExportUser: export_user,
    GetUser: get_user,
    FindUsers: find_users,
}

Applied = UserState | SessionRevoked | Gone | None
Apply = Callable[[Any, Private, Rows, datetime], Applied]


def _session_started(event: SessionStarted, private: Private, rows: Rows, at: datetime) -> None:
    if private.password_hash:
        users.rehashed(event.user_id, private.password_hash, rows.users)
    sessions.started(event, private, rows.sessions, at)


def _session_ended(event: SessionEnded, _: Private, rows: Rows, at: datetime) -> SessionRevoked:
    return sessions.ended(event, rows.sessions, at)


def _password_changed(event: PasswordChanged, private: Private, rows: Rows, _: datetime) -> None:
    users.password_changed(event, private, rows.users)


def _user_created(event: UserCreated, private: Private, rows: Rows, at: datetime) -> UserState:
    state = users.created(event, private, rows.users, at)
    if private.code_hash:
        codes.made(Purpose.VERIFY_EMAIL, event, private.code_hash, private.address, rows.codes, at)
    return state


def _user_deactivated(event: UserDeactivated, _: Private, rows: Rows, __: datetime) -> UserState:
    return users.deactivated(event, rows.users)


def _user_reactivated(event: UserReactivated, _: Private, rows: Rows, __: datetime) -> UserState:
    return users.reactivated(event, rows.users)


def _user_locked(event: UserLocked, _: Private, rows: Rows, __: datetime) -> None:
    users.locked(event, rows.users)


def _user_unlocked(event: UserUnlocked, _: Private, rows: Rows, __: datetime) -> None:
    users.unlocked(event, rows.users)
    rows.attempts.forgive(event.user_id)


def _profile_updated(event: ProfileUpdated, private: Private, rows: Rows, _: datetime) -> UserState:
    return users.profile_updated(event, private, rows.users)


def _role_granted(event: RoleGranted, _: Private, rows: Rows, __: datetime) -> UserState:
    return users.role_granted(event, rows.users)


def _role_revoked(event: RoleRevoked, _: Private, rows: Rows, __: datetime) -> UserState:
    return users.role_revoked(event, rows.users)


def _user_erased(event: UserErased, _: Private, rows: Rows, at: datetime) -> Gone:
    gone = users.erased(event, rows.users, at)
    rows.sessions.forget(event.user_id)
    rows.codes.forget(event.user_id)
    rows.attempts.forgive(event.user_id)
    return gone


APPLY: Mapping[type[Event], Apply] = {
    UserCreated: _user_created,
    UserLocked: _user_locked,
    UserUnlocked: _user_unlocked,
    SessionStarted: _session_started,
    SessionEnded: _session_ended,
    UserDeactivated: _user_deactivated,
    UserReactivated: _user_reactivated,
    PasswordChanged: _password_changed,
    ProfileUpdated: _profile_updated,
    EmailVerificationRequested: emails.verification_requested,
    EmailVerified: emails.verified,
    EmailChangeRequested: emails.change_requested,
    EmailChanged: emails.changed,
    RoleGranted: _role_granted,
    RoleRevoked: _role_revoked,
    UserErased: _user_erased,
}


async def prepare(request: Request, tools: Tools) -> Proof:
    """See Handler."""
    return await HANDLERS[type(request.command)].prepare(request.command, request, tools)


def decide(request: Request, proof: Proof, rows: Readable, at: datetime, policy: Policy) -> Outcome:
    """See Handler. What `prepare` refused stays refused; a guess it found wrong counts."""
    if proof.refusal is not None:
        settled = Settled.FREED if proof.attempt is None else Settled.FAILED
        return Outcome(proof.refusal, settled=settled)
    case = Case(request, proof, rows, at, policy)
    return HANDLERS[type(request.command)].decide(request.command, case)


def apply(event: AnyEvent, private: Private, rows: Rows, at: datetime) -> Applied:
    """Change the rows as the event says; returns the state record that goes with it, if any."""
    if not isinstance(event, UserCreated):
        users.follows(event, rows.users)
    return APPLY[type(event)](event, private, rows, at)
