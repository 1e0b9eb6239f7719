"""From the settings to the numbers that rules depend on."""

from datetime import timedelta

from authbus_service.auth.guessing.limits import Limits
from authbus_service.auth.proof import Policy
from authbus_service.auth.roles.roles import Roles
from authbus_service.core.config import Settings


def policy_of(settings: Settings, roles: Roles) -> Policy:
    """The policy of one process."""
    return Policy(
        roles=roles,
        session_lifetime=timedelta(days=settings.session_days),
        session_idle=timedelta(hours=settings.session_idle_hours),
        sessions_per_user=settings.sessions_per_user,
        refresh_grace=timedelta(seconds=settings.refresh_grace_seconds),
        access_token_lifetime=timedelta(seconds=settings.access_token_seconds),
        password_min_length=settings.password_min_length,
        step_up=timedelta(seconds=settings.step_up_seconds),
        guessing=Limits(
            at_once=settings.guesses,
            first_wait=timedelta(seconds=settings.guess_wait_seconds),
            until_lock=settings.guesses_until_lock,
            lock=timedelta(seconds=settings.lock_seconds),
            per_source=settings.guesses_per_source,
        ),
    )
