"""The table: what each command of the contract must be answered with, and what must come of it."""

from collections.abc import Callable, Mapping
from typing import Any

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
from tests.model import (
    accounts,
    administering,
    entering,
    factors,
    managing,
    passwords,
    sessions,
)
from tests.model.expected import By, Expected
from tests.model.people import Model

RULES: Mapping[type[Command], Callable[[Model, Any, By], Expected]] = {
    RegisterUser: entering.register,
    LogIn: entering.log_in,
    RefreshSession: sessions.refresh,
    LogOut: sessions.log_out,
    EndSession: sessions.end_session,
    EndAllSessions: sessions.end_all_sessions,
    ListSessions: sessions.list_sessions,
    DeactivateUser: administering.deactivate_user,
    ReactivateUser: administering.reactivate_user,
    UnlockUser: administering.unlock_user,
    EndUserSessions: administering.end_user_sessions,
    ImportUser: managing.import_user,
    ForcePasswordReset: administering.force_password_reset,
    ChangePassword: passwords.change_password,
    RequestPasswordReset: passwords.request_password_reset,
    CompletePasswordReset: passwords.complete_password_reset,
    GetProfile: accounts.get_profile,
    UpdateProfile: accounts.update_profile,
    VerifyEmail: accounts.verify_email,
    ResendVerification: accounts.resend_verification,
    ChangeEmail: accounts.change_email,
    ConfirmEmailChange: accounts.confirm_email_change,
    GrantRole: administering.grant_role,
    RevokeRole: administering.revoke_role,
    EraseAccount: accounts.erase_account,
    EraseUser: administering.erase_user,
    ExportAccount: accounts.export_account,
    ExportUser: managing.export_user,
    GetUser: managing.get_user,
    FindUsers: managing.find_users,
    StartTotp: factors.start_totp,
    ConfirmTotp: factors.confirm_totp,
    DisableTotp: factors.disable_totp,
    CompleteLogIn: entering.complete_log_in,
    StepUp: factors.step_up,
    ResetSecondFactor: administering.reset_second_factor,
    CreateServiceAccount: managing.create_service_account,
    RotateServiceSecret: managing.rotate_service_secret,
    LogInService: entering.log_in_service,
}
