"""Mails that a decision causes. One carries no secret: a code in it is derived when it is sent."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.users.user import User

_NOTICE_LIFETIME = timedelta(days=1)


class Template(StrEnum):
    """What a mail says. Some carry a code."""

    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a template
    FORCE_RESET = "force_reset"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a template
    NEW_DEVICE = "new_device"
    SECOND_FACTOR_ON = "second_factor_on"
    SECOND_FACTOR_OFF = "second_factor_off"

    @property
    def purpose(self) -> Purpose | None:
        """What the code in it is for; a notice has none."""
        return _PURPOSES.get(self)

    @property
    def lifetime(self) -> timedelta:
        """How long it is worth sending."""
        return _NOTICE_LIFETIME if self.purpose is None else self.purpose.lifetime


_PURPOSES = {
    Template.VERIFY_EMAIL: Purpose.VERIFY_EMAIL,
    Template.CHANGE_EMAIL: Purpose.CHANGE_EMAIL,
    Template.RESET_PASSWORD: Purpose.RESET_PASSWORD,
    Template.FORCE_RESET: Purpose.RESET_PASSWORD,
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address. It is queued in the transaction of the effect."""

    template: Template
    user_id: UUID
    address: str = field(repr=False)

    @classmethod
    def to(cls, user: User, template: Template) -> Self:
        """A mail to the address that the user has."""
        return cls(template, user.id, user.email)
