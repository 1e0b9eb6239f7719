"""What the service takes from its environment, as far as it matters to who uses it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Named like the service's own `AUTHBUS_...`, with the same defaults and the same meaning."""

    access_token_seconds: float = 600
    session_days: float = 30
    session_idle_hours: float = 168
    sessions_per_user: int = 50
    refresh_grace_seconds: float = 10
    password_min_length: int = 12
    guesses: int = 5
    guess_wait_seconds: float = 1
    guesses_per_source: int = 100
    guesses_until_lock: int = 10
    lock_seconds: float = 900
    step_up_seconds: float = 600
    totp_issuer: str = "authbus"

    @property
    def access_token(self) -> timedelta:
        """The life of an access token."""
        return timedelta(seconds=self.access_token_seconds)

    @property
    def session(self) -> timedelta:
        """The life of a session."""
        return timedelta(days=self.session_days)

    @property
    def idle(self) -> timedelta:
        """How long a session goes on without a refresh."""
        return timedelta(hours=self.session_idle_hours)

    @property
    def lock(self) -> timedelta:
        """How long an account is locked."""
        return timedelta(seconds=self.lock_seconds)

    @property
    def step_up(self) -> timedelta:
        """How long a second factor that was shown is enough."""
        return timedelta(seconds=self.step_up_seconds)

    def wait(self, failures: int) -> timedelta:
        """How long after so many wrong guesses the next one is refused unchecked."""
        if failures >= self.guesses_until_lock:
            return self.lock
        if failures < self.guesses:
            return timedelta()
        return min(
            timedelta(seconds=self.guess_wait_seconds * 2 ** (failures - self.guesses)), self.lock
        )
