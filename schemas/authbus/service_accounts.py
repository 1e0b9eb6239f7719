"""Service accounts: machines that log in by a secret of their own.

What administrators and machines ask, what is answered, and what is told. A service account is a
user without an address and without a password: roles, deactivation and erasure are those of users.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from authbus.message import Command, Event, Instant, Reply, Secret
from authbus.profile import DisplayName

__all__ = [
    "CreateServiceAccount",
    "LogInService",
    "RotateServiceSecret",
    "ServiceLoggedIn",
    "ServiceSecret",
    "ServiceSecretRotated",
]


class CreateServiceAccount(Command):
    """Make an account for a machine. For administrators. Answered by `ServiceSecret`.

    `name` is for people: it is the display name of the account's profile.
    """

    access_token: Secret
    name: DisplayName = Field(repr=False)


class RotateServiceSecret(Command):
    """Give a service account a new secret. For administrators. Answered by `ServiceSecret`.

    The former ones are good for `overlap_hours` more, 0 voids them at once and ends the sessions
    of the account.
    """

    access_token: Secret
    user_id: UUID
    overlap_hours: Annotated[int, Field(ge=0, le=720)] = 24


class LogInService(Command):
    """A machine logs in. Answered by `ServiceLoggedIn`; unknown and wrong are one refusal.

    `user_id` is that of the service account. `too_soon` where it has 1,000 sessions already: keep
    the token for as long as it is good.
    """

    user_id: UUID
    secret: Secret


class ServiceSecret(Reply):
    """A service account's secret, shown this once, and until when it is good."""

    sealed: ClassVar[bool] = True

    user_id: UUID
    secret: Secret
    expires_at: Instant


class ServiceLoggedIn(Reply):
    """A token, and a session that lasts as long as it: then the machine logs in anew."""

    sealed: ClassVar[bool] = True

    user_id: UUID
    session_id: UUID
    access_token: Secret
    access_token_expires_at: Instant


class ServiceSecretRotated(Event):
    """A service account has a new secret; those of before are good until then at most."""

    former_until: Instant
