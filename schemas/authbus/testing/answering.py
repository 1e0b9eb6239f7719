"""Commands, answered from memory: each id once, like the service."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from authbus import commands
from authbus.errors import AuthRejected, AuthTimeout, AuthUnavailable
from authbus.message import Command, Reply
from authbus.replies import Code, Rejected
from authbus.testing import administering, credentials, own_sessions, profiles
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.uuid7 import time_of

HANDLERS: Mapping[type[Command], Callable[[Memory, Any, Ask], Reply]] = {
    commands.RegisterUser: credentials.register,
    commands.LogIn: credentials.log_in,
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
    commands.GrantRole: administering.grant_role,
    commands.RevokeRole: administering.revoke_role,
}
# What a call meets: no answer after its effect, `busy`, or nobody to be asked.
Trouble = type[AuthTimeout] | type[AuthRejected] | type[AuthUnavailable]
_QUESTIONS = (commands.GetProfile, commands.ListSessions)


def answer(memory: Memory, command: Command, ask: Ask) -> Reply:
    """The reply, which may be a refusal. The same command under the same id: the same reply."""
    handler = HANDLERS.get(type(command))
    if handler is None:
        raise NotImplementedError(
            f"authbus.testing does not know {type(command).__name__}; "
            "test what needs it on a real service: `make serve` starts one"
        )
    asked = (type(command), command.to_json())
    if ask.id in memory.answers:
        before, found = memory.answers[ask.id]
        return found if before == asked else Rejected.because(Code.IDEMPOTENCY_MISMATCH)
    try:
        reply = handler(memory, command, ask)
    except Refusal as refused:
        reply = Rejected.because(refused.code, refused.detail)
    if not isinstance(command, _QUESTIONS):
        memory.answers[ask.id] = asked, reply
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
        del key, correlation_id, seconds
        time_of(command_id)
        if not self.is_open:
            raise AuthUnavailable("this client is not open: use it in `async with`")
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
