"""How each command is made."""

from collections.abc import Callable, Mapping

from pydantic import SecretStr

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
    StartTotp,
    StepUp,
)
from authbus.service_accounts import LogInService
from tests.model.by_admins import BY_ADMINS, PROFILES
from tests.model.choosing import GARBAGE, NOBODY, Making
from tests.model.people import CHALLENGE, CHANGE, MACHINE, RESET, VERIFY


def _register(make: Making) -> Command:
    return RegisterUser(
        email=make.new_address(), password=make.new_password(), ip_address=make.place()
    )


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


def _update_profile(make: Making) -> Command:
    token = make.token()
    account = make.owner(token)
    version = 0 if account is None else account.version
    return UpdateProfile(
        access_token=token,
        profile_version=version + make.mostly([0], [1]),
        **make.choose(PROFILES),
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


MAKERS: Mapping[type[Command], Callable[[Making], Command]] = {
    RegisterUser: _register,
    LogIn: _log_in,
    RefreshSession: _of_session(RefreshSession),
    LogOut: _of_session(LogOut),
    EndSession: _end_session,
    EndAllSessions: _end_all,
    ListSessions: _by_token(ListSessions),
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
    EraseAccount: _with_password(EraseAccount),
    ExportAccount: _by_token(ExportAccount),
    StartTotp: _with_password(StartTotp),
    ConfirmTotp: _with_factor(ConfirmTotp),
    DisableTotp: _with_factor(DisableTotp),
    CompleteLogIn: _complete_log_in,
    StepUp: _with_factor(StepUp),
    LogInService: _log_in_service,
    **BY_ADMINS,
}
