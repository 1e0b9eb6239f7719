"""Commands, answered from memory: each id once, like the service."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from authbus import commands, second_factor
from authbus import service_accounts as services
from authbus.client.outgoing import Sender
from authbus.contract import ROWS
from authbus.errors import AuthRejected, AuthTimeout, AuthUnavailable
from authbus.message import Command, Reply
from authbus.replies import Code, Rejected
from authbus.sealing import ReplyKey
from authbus.testing import (
    administering,
    credentials,
    exporting,
    factors,
    importing,
    logging_in,
    looking_up,
    own_sessions,
    profiles,
    roles,
    service_accounts,
)
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.topics import DEFAULT_NAMESPACE

HANDLERS: Mapping[type[Command], Callable[[Memory, Any, Ask], Reply]] = {
    commands.RegisterUser: credentials.register,
    commands.LogIn: logging_in.log_in,
    second_factor.CompleteLogIn: logging_in.complete_log_in,
    commands.ChangePassword: credentials.change_password,
    commands.RequestPasswordReset: credentials.request_reset,
    commands.CompletePasswordReset: credentials.complete_reset,
    commands.EraseAccount: credentials.erase,
    commands.RefreshSession: own_sessions.refresh,
    commands.LogOut: own_sessions.log_out,
    commands.ListSessions: own_sessions.list_sessions,
    commands.EndSession: own_sessions.end_session,
    commands.EndAllSessions: own_sessions.end_all,
    commands.GetProfile: profiles.get_profile,
    commands.UpdateProfile: profiles.update_profile,
    commands.VerifyEmail: profiles.verify_email,
    commands.ResendVerification: profiles.resend_verification,
    commands.ChangeEmail: profiles.change_email,
    commands.ConfirmEmailChange: profiles.confirm_email_change,
    commands.DeactivateUser: administering.deactivate,
    commands.ReactivateUser: administering.reactivate,
    commands.UnlockUser: administering.unlock,
    commands.EndUserSessions: administering.end_sessions,
    commands.EraseUser: administering.erase,
    commands.ForcePasswordReset: administering.force_reset,
    commands.GrantRole: roles.grant_role,
    commands.RevokeRole: roles.revoke_role,
    commands.ImportUser: importing.import_user,
    commands.FindUsers: looking_up.find_users,
    commands.GetUser: looking_up.get_user,
    commands.ExportAccount: exporting.export_account,
    commands.ExportUser: exporting.export_user,
    second_factor.StartTotp: factors.start_totp,
    second_factor.ConfirmTotp: factors.confirm_totp,
    second_factor.DisableTotp: factors.disable_totp,
    second_factor.StepUp: factors.step_up,
    second_factor.ResetSecondFactor: factors.reset,
    services.CreateServiceAccount: service_accounts.create,
    services.RotateServiceSecret: service_accounts.rotate,
    services.LogInService: service_accounts.log_in,
}
# What a call meets: no answer after its effect, `busy`, or nobody to be asked.
Trouble = type[AuthTimeout] | type[AuthRejected] | type[AuthUnavailable]
# They have no effect, and an answer of now each time.
QUESTIONS = tuple(row.command for row in ROWS if not row.events)
_TAKEN = timedelta(minutes=10)
_NOBODYS = ReplyKey()


def answer(memory: Memory, command: Command, ask: Ask) -> Reply:
    """The reply, which may be a refusal.

    The same command under the same id: the same reply, for as long as the id is taken.
    """
    asked = (type(command), command.to_json())
    if ask.id in memory.answers:
        before, found, at = memory.answers[ask.id]
        if at + _TAKEN < memory.now:
            return Rejected.because(Code.STALE_ID)
        return found if before == asked else Rejected.because(Code.IDEMPOTENCY_MISMATCH)
    try:
        reply = HANDLERS[type(command)](memory, command, ask)
    except Refusal as refused:
        reply = Rejected.because(refused.code, refused.detail)
    if not isinstance(command, QUESTIONS):
        memory.answers[ask.id] = asked, reply, memory.now
    return reply


@dataclass(slots=True)
class MemoryAsker:
    """Stands where a client's connection is."""

    memory: Memory
    client_id: str
    troubles: deque[Trouble]
    is_open: bool = False

    async def ask(
        self,
        command: Command,
        *,
        key: str,
        command_id: UUID,
        correlation_id: str | None,
        seconds: float,
    ) -> Reply:
        """The answer, which is not a refusal; raises like the real one."""
        if not self.is_open:
            raise AuthUnavailable("this client is not open: use it in `async with`")
        # Nobody opens it: what no record can hold is refused as the real one refuses it.
        Sender(self.client_id, DEFAULT_NAMESPACE).outgoing(
            command,
            key=key,
            command_id=command_id,
            correlation_id=correlation_id,
            life=timedelta(seconds=seconds),
            sealing_key=_NOBODYS.public,
        )
        trouble = self.troubles.popleft() if self.troubles else None
        if trouble is AuthUnavailable:
            raise AuthUnavailable("Kafka is away")
        reply: Reply = Rejected.because(Code.BUSY)
        if trouble is not AuthRejected:
            reply = answer(self.memory, command, Ask(command_id, self.client_id))
        if trouble is AuthTimeout:
            raise AuthTimeout(command_id)
        if isinstance(reply, Rejected):
            raise AuthRejected(
                reply.code, reply.detail, retryable=reply.retryable, command_id=command_id
            )
        return reply
