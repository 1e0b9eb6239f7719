"""The one table of the contract: command -> topic -> replies -> events."""

from dataclasses import dataclass
from typing import get_args

from authbus import topics
from authbus.commands import (
    AnyCommand,
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
from authbus.events import (
    AnyEvent,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    PasswordChanged,
    PasswordResetForced,
    PasswordResetRequested,
    ProfileUpdated,
    RoleGranted,
    RoleRevoked,
    SessionEnded,
    SessionRefreshed,
    SessionStarted,
    UserCreated,
    UserDeactivated,
    UserErased,
    UserLocked,
    UserReactivated,
    UserUnlocked,
)
from authbus.message import Command, Message, Reply
from authbus.password_replies import (
    PasswordIsChanged,
    PasswordIsVoid,
    ResetIsRequested,
)
from authbus.replies import (
    AllSessionsEnded,
    EmailIsChanged,
    EmailIsVerified,
    FoundUsers,
    LoggedIn,
    LoggedOut,
    MailQueued,
    ProfileSaved,
    Refreshed,
    Registered,
    Rejected,
    SessionIsEnded,
    SessionList,
    UserDetails,
    UserExport,
    UserIsActive,
    UserIsDeactivated,
    UserIsErased,
    UserIsImported,
    UserIsUnlocked,
    UserProfile,
    UserRoles,
)
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    DisableTotp,
    RecoveryCodeUsed,
    ResetSecondFactor,
    SecondFactorIsReset,
    SecondFactorRequested,
    SecondFactorRequired,
    SessionElevated,
    StartTotp,
    SteppedUp,
    StepUp,
    TotpDisabled,
    TotpEnabled,
    TotpIsDisabled,
    TotpIsEnabled,
    TotpRequested,
    TotpStarted,
    TotpUsed,
)
from authbus.service_accounts import (
    CreateServiceAccount,
    LogInService,
    RotateServiceSecret,
    ServiceLoggedIn,
    ServiceSecret,
    ServiceSecretRotated,
)
from authbus.state import (
    AuditRecord,
    DeadLetter,
    DeadLetterClosed,
    FeedAlive,
    PublicKey,
    SessionRevoked,
    UserState,
)
from authbus.topics import Topic


@dataclass(frozen=True, slots=True)
class Row:
    """One command: where it is sent, what may answer it, what it may cause; a question: nothing.

    `other` is an answer that may come in place of `reply`.
    """

    command: type[AnyCommand]
    topic: Topic
    reply: type[Reply]
    events: tuple[type[AnyEvent], ...]
    other: type[Reply] | None = None

    @property
    def replies(self) -> tuple[type[Reply], ...]:
        """What may answer it, besides `Rejected`."""
        return (self.reply,) if self.other is None else (self.reply, self.other)


ROWS = (
    Row(RegisterUser, topics.CREDENTIALS, Registered, (UserCreated,)),
    Row(
        LogIn,
        topics.CREDENTIALS,
        LoggedIn,
        (SessionStarted, SessionEnded, UserLocked, UserUnlocked, SecondFactorRequested),
        other=SecondFactorRequired,
    ),
    Row(RefreshSession, topics.SESSIONS, Refreshed, (SessionRefreshed, SessionEnded)),
    Row(LogOut, topics.SESSIONS, LoggedOut, (SessionEnded,)),
    Row(EndSession, topics.SESSIONS, SessionIsEnded, (SessionEnded,)),
    Row(EndAllSessions, topics.SESSIONS, AllSessionsEnded, (SessionEnded,)),
    Row(ListSessions, topics.SESSIONS, SessionList, ()),
    Row(DeactivateUser, topics.ADMIN, UserIsDeactivated, (UserDeactivated, SessionEnded)),
    Row(ReactivateUser, topics.ADMIN, UserIsActive, (UserReactivated,)),
    Row(UnlockUser, topics.ADMIN, UserIsUnlocked, (UserUnlocked,)),
    Row(EndUserSessions, topics.ADMIN, AllSessionsEnded, (SessionEnded,)),
    Row(ImportUser, topics.ADMIN, UserIsImported, (UserCreated, EmailVerified, ProfileUpdated)),
    Row(ForcePasswordReset, topics.ADMIN, PasswordIsVoid, (PasswordResetForced, SessionEnded)),
    Row(ChangePassword, topics.CREDENTIALS, PasswordIsChanged, (PasswordChanged, SessionEnded)),
    Row(RequestPasswordReset, topics.ACCOUNTS, ResetIsRequested, (PasswordResetRequested,)),
    Row(
        CompletePasswordReset,
        topics.CREDENTIALS,
        PasswordIsChanged,
        (PasswordChanged, EmailVerified, TotpDisabled, UserUnlocked, SessionEnded),
    ),
    Row(GetProfile, topics.ACCOUNTS, UserProfile, ()),
    Row(UpdateProfile, topics.ACCOUNTS, ProfileSaved, (ProfileUpdated,)),
    Row(VerifyEmail, topics.ACCOUNTS, EmailIsVerified, (EmailVerified,)),
    Row(ResendVerification, topics.ACCOUNTS, MailQueued, (EmailVerificationRequested,)),
    Row(ChangeEmail, topics.CREDENTIALS, MailQueued, (EmailChangeRequested,)),
    Row(ConfirmEmailChange, topics.ACCOUNTS, EmailIsChanged, (EmailChanged,)),
    Row(GrantRole, topics.ADMIN, UserRoles, (RoleGranted,)),
    Row(RevokeRole, topics.ADMIN, UserRoles, (RoleRevoked,)),
    Row(EraseAccount, topics.CREDENTIALS, UserIsErased, (SessionEnded, UserErased)),
    Row(EraseUser, topics.ADMIN, UserIsErased, (SessionEnded, UserErased)),
    Row(ExportAccount, topics.ACCOUNTS, UserExport, ()),
    Row(ExportUser, topics.ADMIN, UserExport, ()),
    Row(GetUser, topics.ADMIN, UserDetails, ()),
    Row(FindUsers, topics.ADMIN, FoundUsers, ()),
    Row(StartTotp, topics.CREDENTIALS, TotpStarted, (TotpRequested,)),
    Row(ConfirmTotp, topics.ACCOUNTS, TotpIsEnabled, (TotpEnabled, SessionElevated)),
    Row(DisableTotp, topics.ACCOUNTS, TotpIsDisabled, (TotpDisabled,)),
    Row(
        CompleteLogIn,
        topics.SESSIONS,
        LoggedIn,
        (TotpUsed, RecoveryCodeUsed, SessionStarted, SessionEnded),
    ),
    Row(StepUp, topics.SESSIONS, SteppedUp, (TotpUsed, RecoveryCodeUsed, SessionElevated)),
    Row(ResetSecondFactor, topics.ADMIN, SecondFactorIsReset, (TotpDisabled,)),
    Row(CreateServiceAccount, topics.ADMIN, ServiceSecret, (UserCreated,)),
    Row(RotateServiceSecret, topics.ADMIN, ServiceSecret, (ServiceSecretRotated, SessionEnded)),
    Row(LogInService, topics.SESSIONS, ServiceLoggedIn, (SessionStarted,)),
)

COMMANDS: dict[str, type[AnyCommand]] = {row.command.wire_type(): row.command for row in ROWS}
ANSWERED_SEALED = frozenset(
    row.command for row in ROWS if any(reply.sealed for reply in row.replies)
)
REPLIES: dict[str, type[Reply]] = {
    reply.wire_type(): reply
    for reply in (*(each for row in ROWS for each in row.replies), Rejected)
}
EVENTS: dict[str, type[AnyEvent]] = {event.wire_type(): event for event in get_args(AnyEvent)}
# What else is written, and onto which topic.
STATE: dict[type[Message], Topic] = {
    UserState: topics.USERS_STATE,
    PublicKey: topics.KEYS_STATE,
    SessionRevoked: topics.SESSIONS_ENDED,
    FeedAlive: topics.SESSIONS_ENDED,
    AuditRecord: topics.AUDIT,
    DeadLetter: topics.DEAD_LETTERS,
    DeadLetterClosed: topics.DEAD_LETTERS,
}


def topic_of(command: type[Command]) -> Topic:
    """The topic that takes this command; on any other it is refused with `wrong_topic`."""
    return next(row.topic for row in ROWS if row.command is command)
