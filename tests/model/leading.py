"""Which commands lead anywhere as things are: the others would be refused, whoever asks."""

from collections.abc import Callable, Mapping

from authbus.admin_commands import EraseUser
from authbus.commands import (
    ChangeEmail,
    ChangePassword,
    ConfirmEmailChange,
    EndAllSessions,
    EndSession,
    EraseAccount,
    ExportAccount,
    GetProfile,
    ListSessions,
    LogOut,
    RefreshSession,
    ResendVerification,
    UpdateProfile,
)
from authbus.message import Command
from authbus.password_commands import CompletePasswordReset
from authbus.second_factor import CompleteLogIn, ConfirmTotp, DisableTotp, StartTotp, StepUp
from authbus.service_accounts import LogInService, RotateServiceSecret
from tests.model.people import CHALLENGE, CHANGE, RESET, Model

_FEW = 2


def leads(kind: type[Command], model: Model) -> bool:
    """Whether a command of this kind may be of use now; what it is made of can still be wrong."""
    needs = _NEEDS.get(kind)
    return needs is None or needs(model)


def _token(model: Model) -> bool:
    return any(model.holder(each) for each in model.passes)


def _session(model: Model) -> bool:
    return any(each.refresh and each.is_live(model.at) for each in model.sessions)


def _factor(model: Model) -> bool:
    return _token(model) and any(each.has_factor for each in model.accounts)


def _new_factor(model: Model) -> bool:
    return _token(model) and any(each.factor and not each.has_factor for each in model.accounts)


def _crowd(model: Model) -> bool:
    return len(model.accounts) > _FEW


def _machine(model: Model) -> bool:
    return any(not each.email for each in model.accounts)


def _code(purpose: str) -> Callable[[Model], bool]:
    return lambda model: any(each.purpose == purpose for each in model.codes)


_NEEDS: Mapping[type[Command], Callable[[Model], bool]] = {
    **dict.fromkeys((RefreshSession, LogOut), _session),
    **dict.fromkeys((EndSession, EndAllSessions, ListSessions, GetProfile, UpdateProfile), _token),
    **dict.fromkeys((ChangePassword, ResendVerification, ChangeEmail, StartTotp), _token),
    ExportAccount: _token,
    EraseAccount: lambda model: _token(model) and _crowd(model),
    EraseUser: _crowd,
    **dict.fromkeys((DisableTotp, StepUp), _factor),
    ConfirmTotp: _new_factor,
    **dict.fromkeys((LogInService, RotateServiceSecret), _machine),
    CompletePasswordReset: _code(RESET),
    ConfirmEmailChange: _code(CHANGE),
    CompleteLogIn: _code(CHALLENGE),
}
