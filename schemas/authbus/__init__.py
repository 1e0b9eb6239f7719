"""authbus: the contract of an auth service that lives on Kafka.

AuthClient, EventStream and Verifier need the extra `client`; they are imported when asked for.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from authbus import second_factor, service_accounts
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
from authbus.errors import (
    AuthError,
    AuthRejected,
    AuthTimeout,
    AuthUnavailable,
    FeedStale,
    MissingTopic,
    PermissionMissing,
    SecondFactorNeeded,
    StepUpRequired,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
)
from authbus.events import (
    DeactivationReason,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    EndReason,
    PasswordChanged,
    PasswordReason,
    PasswordResetForced,
    PasswordResetRequested,
    ProfileUpdated,
    RoleGranted,
    RoleRevoked,
    SessionEnded,
    SessionRefreshed,
    SessionStarted,
    UnlockReason,
    UserCreated,
    UserDeactivated,
    UserErased,
    UserLocked,
    UserReactivated,
    UserUnlocked,
)
from authbus.message import Command, Event, Message, Reply
from authbus.password_replies import (
    PasswordIsChanged,
    PasswordIsVoid,
    ResetIsRequested,
)
from authbus.profile import Profile, ProfileField
from authbus.replies import (
    AllSessionsEnded,
    Code,
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
    SessionEntry,
    SessionIsEnded,
    SessionList,
    UserDetails,
    UserEntry,
    UserExport,
    UserIsActive,
    UserIsDeactivated,
    UserIsErased,
    UserIsImported,
    UserIsUnlocked,
    UserProfile,
    UserRoles,
)
from authbus.second_factor import *  # noqa: F403 - the names of its __all__
from authbus.service_accounts import *  # noqa: F403 - the names of its __all__
from authbus.state import FeedAlive, PublicKey, SessionRevoked, UserKind, UserState, UserStatus

if TYPE_CHECKING:
    from authbus.client import AuthClient, Session, User
    from authbus.kafka.security import SaslPassword, SaslTokens, Security
    from authbus.stream import EventStream, Gap, SnapshotBegins, SnapshotEnds, StreamEvent
    from authbus.tls import Tls
    from authbus.tokens import Claims
    from authbus.verifier import Verifier

# fmt: off
__all__ = [
    "AllSessionsEnded", "AuthClient", "AuthError", "AuthRejected", "AuthTimeout",
    "AuthUnavailable", "ChangeEmail", "ChangePassword", "Claims", "Code", "Command",
    "CompletePasswordReset", "ConfirmEmailChange", "DeactivateUser", "DeactivationReason",
    "EmailChangeRequested", "EmailChanged", "EmailIsChanged", "EmailIsVerified",
    "EmailVerificationRequested", "EmailVerified", "EndAllSessions", "EndReason", "EndSession",
    "EndUserSessions", "EraseAccount", "EraseUser", "Event", "EventStream", "ExportAccount",
    "ExportUser", "FeedAlive", "FeedStale", "FindUsers", "ForcePasswordReset", "FoundUsers",
    "Gap", "GetProfile", "GetUser", "GrantRole", "ImportUser", "ListSessions", "LogIn",
    "LogOut", "LoggedIn", "LoggedOut", "MailQueued", "Message", "MissingTopic",
    "PasswordChanged", "PasswordIsChanged", "PasswordIsVoid", "PasswordReason",
    "PasswordResetForced", "PasswordResetRequested", "PermissionMissing", "Profile",
    "ProfileField", "ProfileSaved", "ProfileUpdated", "PublicKey", "ReactivateUser",
    "RefreshSession", "Refreshed", "RegisterUser", "Registered", "Rejected", "Reply",
    "RequestPasswordReset", "ResendVerification", "ResetIsRequested", "RevokeRole",
    "RoleGranted", "RoleRevoked", "SaslPassword", "SaslTokens", "SecondFactorNeeded", "Security",
    "Session", "SessionEnded",
    "SessionEntry", "SessionIsEnded", "SessionList", "SessionRefreshed", "SessionRevoked",
    "SessionStarted", "SnapshotBegins", "SnapshotEnds",
    "StepUpRequired", "StreamEvent", "Tls", "TokenExpired", "TokenInvalid",
    "TokenRevoked", "UnlockReason", "UnlockUser", "UpdateProfile", "User", "UserCreated",
    "UserDeactivated", "UserDetails", "UserEntry", "UserErased", "UserExport", "UserIsActive",
    "UserIsDeactivated", "UserIsErased", "UserIsImported", "UserIsUnlocked", "UserKind",
    "UserLocked",
    "UserProfile", "UserReactivated", "UserRoles", "UserState", "UserStatus", "UserUnlocked",
    "Verifier", "VerifyEmail",
]
# fmt: on

__all__ += second_factor.__all__
__all__ += service_accounts.__all__

_WITH_CLIENT = {
    "AuthClient": "authbus.client",
    "Claims": "authbus.tokens",
    "EventStream": "authbus.stream",
    "Gap": "authbus.stream",
    "SaslPassword": "authbus.kafka.security",
    "SaslTokens": "authbus.kafka.security",
    "Security": "authbus.kafka.security",
    "Session": "authbus.client",
    "SnapshotBegins": "authbus.stream",
    "SnapshotEnds": "authbus.stream",
    "StreamEvent": "authbus.stream",
    "Tls": "authbus.tls",
    "User": "authbus.client",
    "Verifier": "authbus.verifier",
}

# A library leaves it to the program whether and where something is written.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's names have any type
    module = _WITH_CLIENT.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("authbus"):
            raise
        text = f"{name} needs {error.name}: install authbus with its extra `client`"
        raise ImportError(text) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
