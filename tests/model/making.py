"""How each command is made."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr

from authbus.admin_commands import (
    DeactivateUser,
    EndUserSessions,
    EraseUser,
    ExportUser,
    FindUsers,
    ForcePasswordReset,
    GetUser,
    GrantRole,
    ImportUser,
    ReactivateUser,
    RevokeRole,
    UnlockUser,
)
from authbus.commands import (
    ChangeEmail,
    ChangePassword,
    CompletePasswordReset,
    ConfirmEmailChange,
    EndAllSessions,
    EndSession,
    EraseAccount,
    ExportAccount,
    GetProfile,
    ListSessions,
    LogIn,
    LogOut,
    RefreshSession,
    RegisterUser,
    RequestPasswordReset,
    ResendVerification,
    UpdateProfile,
    VerifyEmail,
)
from authbus.message import Command
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    DisableTotp,
    ResetSecondFactor,
    StartTotp,
    StepUp,
)
from authbus.service_accounts import CreateServiceAccount, LogInService, RotateServiceSecret
from tests.model.accounts import NO_LOCALE
from tests.model.choosing import GARBAGE, NOBODY, ROLES, Making
from tests.model.managing import IMPORTED, NO_HASH
from tests.model.people import CHALLENGE, CHANGE, MACHINE, RESET, VERIFY

_PROFILES: list[dict[str, Any]] = [
    {"display_name": "Ana"},
    {"display_name": None, "locale": "nl"},
    {"attributes": {"size": 1, "seen": [True, None]}, "time_zone": "Europe/Rome"},
    {"attributes": {"size": 1.0, "seen": [True, None]}},
    {},
    {"locale": NO_LOCALE},
]


def _register(make: Making) -> Command:
    return RegisterUser(email=make.new_address(), password=make.new_password())


def _log_in(make: Making) -> Command:
    email = make.address()
    account = make.model.by_address(email)
    device, token = make.device(account)
    return LogIn(
        email=email,
        password=make.password(account),
        device=device,
        device_token=token,
        ip_address=make.place(),
    )


def _complete_log_in(make: Making) -> Command:
    challenge = make.code(CHALLENGE)
    found = make.model.by_code(challenge.get_secret_value())
    owner = None if found is None else found.owner
    device, token = make.device(owner)
    return CompleteLogIn(
        challenge=challenge,
        code=make.factor_code(owner),
        device=device,
        device_token=token,
        ip_address=make.place(),
    )


def _log_in_service(make: Making) -> Command:
    secret = make.code(MACHINE)
    found = make.model.by_code(secret.get_secret_value())
    owner = NOBODY if found is None or found.owner.id is None else found.owner.id
    return LogInService(user_id=make.account() if make.rarely() else owner, secret=secret)


def _of_session(kind: Callable[..., Command]) -> Callable[[Making], Command]:
    """A session's newest refresh token, or another one."""

    def made(make: Making) -> Command:
        session = make.session()
        if session is None or session.id is None:
            return kind(session_id=NOBODY, refresh_token=SecretStr(GARBAGE))
        others = [token for each in make.model.sessions for token in each.refresh]
        older = session.refresh[-3:-1] * 2
        token = make.mostly(session.refresh[-1:], [*older, *others[:1], GARBAGE])
        return kind(session_id=session.id, refresh_token=SecretStr(token))

    return made


def _end_session(make: Making) -> Command:
    session = make.session()
    id_ = NOBODY if session is None or session.id is None else session.id
    return EndSession(access_token=make.token(), session_id=id_)


def _end_all(make: Making) -> Command:
    return EndAllSessions(access_token=make.token(), this_one_too=make.choose([False, True]))


def _end_user_sessions(make: Making) -> Command:
    session = make.session()
    id_ = NOBODY if session is None or session.id is None else session.id
    admin = make.admin()
    match make.choose(["all", "one", "theirs"]):
        case "all":
            return EndUserSessions(access_token=admin, user_id=make.account())
        case "one":
            return EndUserSessions(access_token=admin, session_id=id_)
        case _:
            return EndUserSessions(access_token=admin, user_id=make.account(), session_id=id_)


def _import(make: Making) -> Command:
    kept = make.mostly([IMPORTED, None], [NO_HASH])
    return ImportUser(
        access_token=make.admin(),
        email=make.new_address(),
        password_hash=None if kept is None else SecretStr(kept),
        email_verified=make.choose([False, True]),
        **make.choose(_PROFILES),
    )


def _update_profile(make: Making) -> Command:
    token = make.token()
    account = make.owner(token)
    version = 0 if account is None else account.version
    return UpdateProfile(
        access_token=token,
        profile_version=version + make.mostly([0], [1]),
        **make.choose(_PROFILES),
    )


def _find(make: Making) -> Command:
    return FindUsers(
        access_token=make.admin(),
        email_prefix=make.choose([None, "a", "BELA@", "example"]),
        status=make.choose([None, "active", "deactivated"]),
        limit=make.choose([50, 1]),
    )


def _change_password(make: Making) -> Command:
    token = make.token()
    current = make.password(make.owner(token))
    return ChangePassword(
        access_token=token, current_password=current, new_password=make.new_password()
    )


def _complete_reset(make: Making) -> Command:
    return CompletePasswordReset(code=make.code(RESET), new_password=make.new_password())


def _change_email(make: Making) -> Command:
    token = make.token()
    return ChangeEmail(
        access_token=token,
        password=make.password(make.owner(token)),
        new_email=make.new_address(),
    )


def _rotate(make: Making) -> Command:
    return RotateServiceSecret(
        access_token=make.admin(),
        user_id=make.account(machine=True),
        overlap_hours=make.choose([24, 0]),
    )


def _by_token(kind: Callable[..., Command]) -> Callable[[Making], Command]:
    return lambda make: kind(access_token=make.token())


def _with_password(kind: Callable[..., Command]) -> Callable[[Making], Command]:
    def made(make: Making) -> Command:
        token = make.token()
        return kind(access_token=token, password=make.password(make.owner(token)))

    return made


def _with_factor(kind: Callable[..., Command]) -> Callable[[Making], Command]:
    def made(make: Making) -> Command:
        token = make.token()
        return kind(access_token=token, code=make.factor_code(make.owner(token)))

    return made


def _about(kind: Callable[..., Command], **more: Any) -> Callable[[Making], Command]:
    return lambda make: kind(access_token=make.admin(), user_id=make.account(), **more)


def _with_role(kind: Callable[..., Command]) -> Callable[[Making], Command]:
    return lambda make: kind(
        access_token=make.admin(), user_id=make.account(), role=make.choose(ROLES)
    )


MAKERS: Mapping[type[Command], Callable[[Making], Command]] = {
    RegisterUser: _register,
    LogIn: _log_in,
    RefreshSession: _of_session(RefreshSession),
    LogOut: _of_session(LogOut),
    EndSession: _end_session,
    EndAllSessions: _end_all,
    ListSessions: _by_token(ListSessions),
    DeactivateUser: _about(DeactivateUser, reason="abuse"),
    ReactivateUser: _about(ReactivateUser),
    UnlockUser: _about(UnlockUser),
    EndUserSessions: _end_user_sessions,
    ImportUser: _import,
    ForcePasswordReset: _about(ForcePasswordReset),
    ChangePassword: _change_password,
    RequestPasswordReset: lambda make: RequestPasswordReset(
        email=make.address(), ip_address=make.place()
    ),
    CompletePasswordReset: _complete_reset,
    GetProfile: _by_token(GetProfile),
    UpdateProfile: _update_profile,
    VerifyEmail: lambda make: VerifyEmail(code=make.code(VERIFY)),
    ResendVerification: _by_token(ResendVerification),
    ChangeEmail: _change_email,
    ConfirmEmailChange: lambda make: ConfirmEmailChange(code=make.code(CHANGE)),
    GrantRole: _with_role(GrantRole),
    RevokeRole: _with_role(RevokeRole),
    EraseAccount: _with_password(EraseAccount),
    EraseUser: _about(EraseUser),
    ExportAccount: _by_token(ExportAccount),
    ExportUser: _about(ExportUser),
    GetUser: lambda make: GetUser(
        access_token=make.admin(),
        user_id=make.account(),
        ended_sessions=make.choose([False, True]),
    ),
    FindUsers: _find,
    StartTotp: _with_password(StartTotp),
    ConfirmTotp: _with_factor(ConfirmTotp),
    DisableTotp: _with_factor(DisableTotp),
    CompleteLogIn: _complete_log_in,
    StepUp: _with_factor(StepUp),
    ResetSecondFactor: _about(ResetSecondFactor),
    CreateServiceAccount: lambda make: CreateServiceAccount(
        access_token=make.admin(), name="billing"
    ),
    RotateServiceSecret: _rotate,
    LogInService: _log_in_service,
}
