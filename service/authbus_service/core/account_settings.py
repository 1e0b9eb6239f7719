"""Settings of accounts: sessions, passwords and their hashes, guesses, second factors."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

Lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)


class AccountSettings(BaseModel):
    """`access_token_seconds` is bounded by how long auth.sessions.ended.v1 is kept."""

    access_token_seconds: int = Field(
        default=600, ge=10, le=600, description="the life of an access token"
    )
    session_days: int = Field(default=30, ge=1, le=3650, description="the life of a session")
    session_idle_hours: int = Field(
        default=168,
        ge=1,
        le=87600,
        description="a session that is not refreshed for so long ends, even before "
        "`AUTHBUS_SESSION_DAYS`",
    )
    sessions_per_user: int = Field(
        default=50, ge=1, le=1000, description="live sessions of a user; one more ends the oldest"
    )
    sweep_seconds: int = Field(
        default=10,
        ge=1,
        le=3600,
        description="how often sessions that are over are looked for, to tell of their end",
    )
    refresh_grace_seconds: int = Field(
        default=10,
        ge=0,
        le=300,
        description="for so long after a refresh the refresh token before it is only refused "
        "(`token_rotated`); later its use ends the session",
    )

    argon2_memory_kib: int = Field(
        default=19456, ge=8, le=4 * 1024 * 1024, description="memory of one password hash"
    )
    argon2_time: int = Field(default=2, ge=1, le=64, description="its passes")
    argon2_parallelism: int = Field(default=1, ge=1, le=64, description="its lanes")
    hash: Annotated[Literal["wheels", "compiled"], Lower] = Field(
        default="wheels",
        description="`compiled`: what `authbus hash build` made for this processor "
        "(AVX2, AVX-512); where there is none, the wheels",
    )
    hash_threads: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="hashes at a time; as many as the cores that the process may use",
    )
    password_min_length: int = Field(
        default=12, ge=8, le=128, description="characters of a new password"
    )
    totp_issuer: str = Field(
        default="authbus",
        min_length=1,
        max_length=64,
        pattern=r"^[^:\x00-\x1f]+$",
        description="what users' apps call the service that their codes are for",
    )
    step_up_seconds: int = Field(
        default=600,
        ge=10,
        le=24 * 60 * 60,
        description="for so long a second factor that was shown is good for commands that could "
        "take an account away",
    )

    guesses: int = Field(
        default=5,
        ge=1,
        le=100,
        description="wrong passwords for an account before the next must wait",
    )
    guess_wait_seconds: int = Field(
        default=1, ge=0, le=3600, description="the first wait; each further wrong one doubles it"
    )
    guesses_until_lock: int = Field(
        default=10, ge=1, le=100, description="wrong passwords in a day that lock the account"
    )
    lock_seconds: int = Field(
        default=900, ge=1, le=24 * 60 * 60, description="for how long; no wait is longer either"
    )
    guesses_per_source: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="wrong passwords in an hour from one address that producers name; as many new "
        "accounts, and mails for a new password",
    )
