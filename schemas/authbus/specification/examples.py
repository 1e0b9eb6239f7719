"""One example record for each message. The people and the keys in them are made up."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from authbus import topics
from authbus.commands import (
    ChangePassword,
    CompletePasswordReset,
    GetProfile,
    LogIn,
    LogOut,
    RefreshSession,
    RegisterUser,
    RequestPasswordReset,
    UpdateProfile,
)
from authbus.envelope import JSON_TYPE, SEALED_TYPE, Sealed, own_headers, source_of
from authbus.events import (
    EndReason,
    ProfileUpdated,
    SessionEnded,
    SessionStarted,
    UnlockReason,
    UserCreated,
    UserLocked,
    UserUnlocked,
)
from authbus.message import Message
from authbus.profile import Profile, ProfileField
from authbus.replies import (
    Code,
    LoggedIn,
    LoggedOut,
    ProfileSaved,
    Registered,
    Rejected,
    UserProfile,
)
from authbus.specification import (
    admin_examples,
    email_examples,
    factor_examples,
    password_examples,
    service_examples,
    session_examples,
    state_examples,
)
from authbus.specification.messages import Entry, Kind
from authbus.specification.schemas import SEALED_URN, Json
from authbus.state import DeadLetter, DeadLetterClosed, FeedAlive, PublicKey, SessionRevoked

CLIENT = "web"
AT = datetime(2026, 3, 2, 9, 30, 0, 123456, UTC)
_COMMAND = UUID("019cade2-123b-7c1a-9d52-6f8e0b4a7d31")
_USER = UUID("019cade2-123b-8b0e-8f6d-2a9c41e7d058")
_SESSION = UUID("019cade2-123b-8d47-a1c3-75f09e2b6a84")
_RECORD = UUID("019cade2-123b-8f22-b64e-0d9a83c5e717")
_CORRELATION = "0f6b1c52"
_USER_DATA: Json = {"email": "ana@example.com", "password": "correct horse battery"}
_SIDE: Json = {"device": "Firefox on Linux", "ip_address": "192.0.2.7"}
_BY_TOKEN: Json = {"access_token": "header.payload.signature"}
_TOKENS: Json = {
    "user_id": _USER,
    "access_token_expires_at": AT + timedelta(minutes=10),
    "session_expires_at": AT + timedelta(days=30),
    "session_id": _SESSION,
    "refresh_token": "an-opaque-refresh-token",
    **_BY_TOKEN,
}
_CAUSED: Json = {"user_id": _USER, "actor": f"user:{_USER}", "causation_id": _COMMAND}
_OUR_OWN: Json = {**_CAUSED, "actor": "service"}

_PROFILE = Profile(version=1, display_name="Ana", locale="pt-BR")

# Public halves; nobody has the private ones.
_REPLY_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "rzrGVTksV9Vc--rZvnea3X2Fr2aAHtRSYz8cXI6RF_8",
    "y": "6HfQk3zg89uE04uaPVhWGHp6rNKhFE-cb6CuboewDuY",
}
_VALUES: tuple[Message, ...] = (
    RegisterUser(**_USER_DATA),
    LogIn(**_USER_DATA, **_SIDE),
    LogOut.model_validate({"session_id": _SESSION, "refresh_token": "an-opaque-refresh-token"}),
    GetProfile.model_validate(_BY_TOKEN),
    UpdateProfile.model_validate(
        {**_BY_TOKEN, "profile_version": 0, "display_name": "Ana", "locale": "pt-BR"}
    ),
    Registered(user_id=_USER),
    LoggedIn.model_validate({**_TOKENS, "device_token": "an-opaque-device-token"}),
    LoggedOut(session_id=_SESSION),
    UserProfile(user_id=_USER, email="ana@example.com", profile=_PROFILE),
    ProfileSaved(profile_version=1),
    Rejected.because(Code.INVALID, "password: missing"),
    UserCreated(sequence=1, **_CAUSED),
    SessionStarted(
        sequence=2,
        session_id=_SESSION,
        client_id=CLIENT,
        amr=("pwd",),
        expires_at=AT + timedelta(days=30),
        lapses_at=AT + timedelta(days=7),
        **_CAUSED,
    ),
    SessionEnded(sequence=3, session_id=_SESSION, reason=EndReason.LOGOUT, **_CAUSED),
    UserLocked(sequence=4, until=AT + timedelta(minutes=15), **_OUR_OWN),
    UserUnlocked(sequence=5, reason=UnlockReason.EXPIRED, **_OUR_OWN),
    ProfileUpdated(
        sequence=4,
        profile_version=1,
        fields=(ProfileField.DISPLAY_NAME, ProfileField.LOCALE),
        **_CAUSED,
    ),
    *state_examples.values(_USER, _SESSION, _COMMAND, AT),
    *session_examples.values(_SESSION, _TOKENS, _CAUSED, AT),
    *email_examples.values(_USER, _COMMAND, AT),
    *password_examples.values(_USER, _COMMAND, AT),
    *admin_examples.values(_USER, _COMMAND, AT),
    *factor_examples.values(_USER, _SESSION, _COMMAND, AT),
    *service_examples.values(_USER, _SESSION, _COMMAND, AT),
)
VALUES: dict[type[Message], Message] = {type(value): value for value in _VALUES}
_KEYS: dict[type[Message], str] = {
    RegisterUser: "the-producers-choice",
    LogIn: "the-producers-choice",
    LogOut: str(_SESSION),
    RefreshSession: str(_SESSION),
    ChangePassword: "the-producers-choice",
    RequestPasswordReset: "the-producers-choice",
    CompletePasswordReset: "the-producers-choice",
    PublicKey: state_examples.KID,
    SessionRevoked: str(_SESSION),
    FeedAlive: "alive",
    DeadLetter: str(_COMMAND),
    DeadLetterClosed: str(_COMMAND),
}
_UNCAUSED = {PublicKey, FeedAlive, DeadLetter, DeadLetterClosed}


def sealed(model: type[Message]) -> Sealed:
    """The payload of the example command before it is sealed."""
    return Sealed(
        id=_COMMAND,
        type=model.wire_type(),
        source=source_of(CLIENT),
        time=AT,
        expirytime=AT + timedelta(seconds=30),
        reply_to=topics.replies(CLIENT).name(),
        correlation_id=_CORRELATION,
        reply_key=_REPLY_KEY,
        data=VALUES[model].to_json(),
    )


def headers(entry: Entry) -> dict[str, str]:
    """The example's record headers as text."""
    if entry.kind is Kind.COMMAND:
        pairs = sealed(entry.model).headers()
    else:
        replies = entry.kind is Kind.REPLY
        pairs = own_headers(
            entry.model.wire_type(),
            id=uuid5(_COMMAND, entry.model.wire_type()) if replies else _RECORD,
            time=AT,
            subject=None if replies else key(entry),
            cause=None if entry.model in _UNCAUSED else _COMMAND,
            extra={
                "content-type": SEALED_TYPE if entry.wrapped else JSON_TYPE,
                "correlation_id": _CORRELATION if replies else None,
            },
        )
    return {name: value.decode() for name, value in pairs}


def key(entry: Entry) -> str:
    """The example's record key."""
    if entry.kind is Kind.REPLY:
        return _CORRELATION
    return _KEYS.get(entry.model, str(_USER))


def value(entry: Entry) -> Json:
    """The example's data: a record's value, or what is inside its seal."""
    if entry.kind is Kind.COMMAND:
        return sealed(entry.model).to_json()
    return VALUES[entry.model].to_json()


def document(entry: Entry) -> Json:
    """The spec file of one example record."""
    topic = entry.topic or topics.replies(CLIENT)
    name = "value_before_sealing" if entry.wrapped else "value"
    return {
        "schema": SEALED_URN if entry.kind is Kind.COMMAND else entry.urn,
        "topic": topic.name(),
        "key": key(entry),
        "headers": headers(entry),
        name: value(entry),
    }
