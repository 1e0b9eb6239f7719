"""The tables: what prepares and decides each command; what applies each event is in `applying`.

`prepare` may wait and holds no transaction, `decide` is pure, `apply` writes rows. A question has
no effect and is answered at once. What is new in the contract is a row here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from authbus.commands import (
    ChangeEmail,
    ChangePassword,
    CompletePasswordReset,
    ConfirmEmailChange,
    DeactivateUser,
    EndAllSessions,
    EndSession,
    EndUserSessions,
    EraseAccount,
    EraseUser,
    ExportAccount,
    ExportUser,
    FindUsers,
    ForcePasswordReset,
    GetProfile,
    GetUser,
    GrantRole,
    ImportUser,
    ListSessions,
    LogIn,
    LogOut,
    ReactivateUser,
    RefreshSession,
    RegisterUser,
    RequestPasswordReset,
    ResendVerification,
    RevokeRole,
    UnlockUser,
    UpdateProfile,
    VerifyEmail,
)
from authbus.message import Command, Reply
from authbus.replies import Code, Rejected
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    DisableTotp,
    ResetSecondFactor,
    StartTotp,
    StepUp,
)
from authbus.service_accounts import CreateServiceAccount, LogInService, RotateServiceSecret
from authbus_service.auth.applying import APPLY, apply
from authbus_service.auth.case import Case
from authbus_service.auth.commands import (
    change_email,
    change_password,
    complete_log_in,
    complete_password_reset,
    confirm_email_change,
    confirm_totp,
    create_service_account,
    deactivate_user,
    disable_totp,
    end_all_sessions,
    end_session,
    end_user_sessions,
    erase_account,
    erase_user,
    export_account,
    export_user,
    find_users,
    force_password_reset,
    get_profile,
    get_user,
    grant_role,
    import_user,
    list_sessions,
    log_in,
    log_in_service,
    log_out,
    reactivate_user,
    refresh_session,
    register,
    request_password_reset,
    resend_verification,
    reset_second_factor,
    revoke_role,
    rotate_service_secret,
    start_totp,
    step_up,
    unlock_user,
    update_profile,
    verify_email,
)
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.proof import Policy, Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Readable

__all__ = [
    "APPLY",
    "HANDLERS",
    "LOOK_UPS",
    "QUESTIONS",
    "Handler",
    "Question",
    "apply",
    "decide",
    "late",
    "prepare",
]

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
    RefreshSession: refresh_session,
    EndSession: end_session,
    EndAllSessions: end_all_sessions,
    DeactivateUser: deactivate_user,
    ReactivateUser: reactivate_user,
    UnlockUser: unlock_user,
    EndUserSessions: end_user_sessions,
    ChangePassword: change_password,
    RequestPasswordReset: request_password_reset,
    ImportUser: import_user,
    ForcePasswordReset: force_password_reset,
    CompletePasswordReset: complete_password_reset,
    UpdateProfile: update_profile,
    VerifyEmail: verify_email,
    ResendVerification: resend_verification,
    ChangeEmail: change_email,
    ConfirmEmailChange: confirm_email_change,
    GrantRole: grant_role,
    RevokeRole: revoke_role,
    EraseAccount: erase_account,
    EraseUser: erase_user,
    StartTotp: start_totp,
    ConfirmTotp: confirm_totp,
    DisableTotp: disable_totp,
    CompleteLogIn: complete_log_in,
    StepUp: step_up,
    ResetSecondFactor: reset_second_factor,
    CreateServiceAccount: create_service_account,
    RotateServiceSecret: rotate_service_secret,
    LogInService: log_in_service,
}
QUESTIONS: Mapping[type[Command], Question[Any]] = {
    ListSessions: list_sessions,
    GetProfile: get_profile,
    ExportAccount: export_account,
    ExportUser: export_user,
    GetUser: get_user,
    FindUsers: find_users,
}
# Questions whose answers auditors know of: the inbox claims them like commands.
LOOK_UPS: frozenset[type[Command]] = frozenset({ExportAccount, ExportUser, GetUser, FindUsers})


async def prepare(request: Request, tools: Tools) -> Proof:
    """See Handler."""
    return await HANDLERS[type(request.command)].prepare(request.command, request, tools)


def late(proof: Proof) -> Outcome:
    """Nobody waits any more: there is no effect, but a wrong guess counts as at any time."""
    settled = Settled.FAILED if proof.guessed_wrong else Settled.FREED
    return Outcome(Rejected.because(Code.EXPIRED), settled=settled)


def decide(request: Request, proof: Proof, rows: Readable, at: datetime, policy: Policy) -> Outcome:
    """See Handler. What `prepare` refused stays refused; a guess it found wrong counts."""
    if proof.looked is not None:
        return Outcome(proof.looked)
    if proof.refusal is not None:
        settled = Settled.FREED if proof.attempt is None else Settled.FAILED
        return Outcome(proof.refusal, settled=settled)
    case = Case(request, proof, rows, at, policy)
    return HANDLERS[type(request.command)].decide(request.command, case)
