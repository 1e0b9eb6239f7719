"""Settings: `load` alone reads the environment and `.env`; a name nobody knows is an error."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from authbus_service.core.errors import ConfigError
from authbus_service.core.kafka_settings import KafkaSettings
from authbus_service.core.mail_settings import parse_link_base, parse_sender, parse_smtp
from authbus_service.core.security.masters import parse_masters

__all__ = ["ConfigError", "Settings", "load", "setting_names"]

_PREFIX = "AUTHBUS_"
_ENV_FILE = Path(".env")
_EMBEDDED = frozenset(
    {
        "AUTHBUS_CACHE",
        "AUTHBUS_EMBEDDED_KAFKA",
        "AUTHBUS_EMBEDDED_POSTGRES",
        "AUTHBUS_MAVEN_REPOSITORY",
    }
)
_KIB_A_LANE = 8

_Lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
_Off = BeforeValidator(
    lambda value: None if isinstance(value, str) and value.lower() == "off" else value
)


def _topics(read: dict[str, Any]) -> Literal["check", "apply"]:
    return "check" if read.get("kafka_bootstrap_servers") else "apply"


def _issuer(read: dict[str, Any]) -> str:
    return f"authbus/{read['namespace']}"


class Settings(KafkaSettings):
    """Every setting of the service. Tests make one directly; `load` alone reads the environment.

    `access_token_seconds` is bounded by how long auth.sessions.ended.v1 is kept. `topics` is
    `apply` by default on the embedded Kafka, `check` on any other.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    namespace: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")] = "auth"
    topics: Annotated[Literal["check", "apply"], _Lower] = Field(default_factory=_topics)
    clients: Path | None = None
    roles: Path | None = None
    data: Path = Path(".data")

    master_key: SecretStr | None = None
    master_key_file: Path | None = None
    keys_reload_seconds: Annotated[int, Field(ge=1, le=30)] = 5
    issuer: Annotated[str, Field(min_length=1, max_length=255)] = Field(default_factory=_issuer)
    access_token_seconds: Annotated[int, Field(ge=10, le=600)] = 600
    session_days: Annotated[int, Field(ge=1, le=3650)] = 30
    session_idle_hours: Annotated[int, Field(ge=1, le=87600)] = 168
    sessions_per_user: Annotated[int, Field(ge=1, le=1000)] = 50
    sweep_seconds: Annotated[int, Field(ge=1, le=3600)] = 10
    refresh_grace_seconds: Annotated[int, Field(ge=0, le=300)] = 10

    argon2_memory_kib: Annotated[int, Field(ge=8, le=4 * 1024 * 1024)] = 19456
    argon2_time: Annotated[int, Field(ge=1, le=64)] = 2
    argon2_parallelism: Annotated[int, Field(ge=1, le=64)] = 1
    hash: Annotated[Literal["wheels", "compiled"], _Lower] = "wheels"
    hash_threads: Annotated[int | None, Field(ge=1, le=256)] = None
    password_min_length: Annotated[int, Field(ge=8, le=128)] = 12
    totp_issuer: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^:\x00-\x1f]+$")] = (
        "authbus"
    )
    step_up_seconds: Annotated[int, Field(ge=10, le=24 * 60 * 60)] = 600

    guesses: Annotated[int, Field(ge=1, le=100)] = 5
    guess_wait_seconds: Annotated[int, Field(ge=0, le=3600)] = 1
    guesses_until_lock: Annotated[int, Field(ge=1, le=100)] = 10
    lock_seconds: Annotated[int, Field(ge=1, le=24 * 60 * 60)] = 900
    guesses_per_source: Annotated[int, Field(ge=1, le=100_000)] = 100

    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    link_base_url: str | None = None

    http_host: str = "127.0.0.1"
    http_port: Annotated[int | None, Field(ge=0, le=65535), _Off] = 8080
    watchdog_seconds: Annotated[int, Field(ge=0, le=3600)] = 120
    traces: Annotated[Literal["off", "otlp"], _Lower] = "off"
    log_format: Annotated[Literal["json", "text"], _Lower] = "json"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _Lower] = "info"

    @field_validator("master_key")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_masters(value.get_secret_value())
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_smtp(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        return value if value is None else str(parse_sender(value))

    @field_validator("link_base_url")
    @classmethod
    def _link_base(cls, value: str | None) -> str | None:
        return value if value is None else parse_link_base(value)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.master_key is not None and self.master_key_file is not None:
            raise ValueError("set AUTHBUS_MASTER_KEY or AUTHBUS_MASTER_KEY_FILE, not both")
        if self.argon2_memory_kib < _KIB_A_LANE * self.argon2_parallelism:
            raise ValueError("AUTHBUS_ARGON2_MEMORY_KIB must be 8 for each of the parallel lanes")
        if self.smtp_url is not None and None in {self.mail_from, self.link_base_url}:
            raise ValueError("AUTHBUS_SMTP_URL needs AUTHBUS_MAIL_FROM and AUTHBUS_LINK_BASE_URL")
        return self


class _Read(Settings, BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, extra="ignore", env_file_encoding="utf-8"
    )


def load(env_file: Path = _ENV_FILE) -> Settings:
    """The settings of this process: the environment, then `env_file` where there is one.

    Raises ConfigError with all that is wrong, in one line.
    """
    try:
        in_file = dotenv_values(env_file, encoding="utf-8") if env_file.is_file() else {}
        problems = [*_unknown(os.environ), *_unknown(in_file), *_only_in_environment(in_file)]
        read = None if problems else _Read(_env_file=env_file)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        problems = [_told(each) for each in error.errors(include_input=False)]
        read = None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{env_file} cannot be read: {type(error).__name__}. Mend the file"
        ) from None
    if read is None:
        raise ConfigError("; ".join(filter(None, problems)))
    return Settings.model_construct(read.model_fields_set, **dict(read))


def setting_names() -> list[str]:
    """The names by which settings are given in the environment, in the order of `Settings`."""
    return [_name(field) for field in Settings.model_fields]


def _name(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{_PREFIX}{field.upper()}"


def _unknown(given: Mapping[str, str | None]) -> list[str]:
    known = [*setting_names(), *_EMBEDDED]
    bare = {name.removeprefix(_PREFIX): name for name in known}
    found: list[str] = []
    for name in sorted(given):
        upper = name.upper()
        if upper.startswith(_PREFIX) and upper not in known:
            near = get_close_matches(upper.removeprefix(_PREFIX), bare, n=1, cutoff=0.5)
            hint = f"; did you mean {bare[near[0]]}?" if near else ""
            found.append(f"{name} is not a setting{hint}")
    return found


def _only_in_environment(in_file: Mapping[str, str | None]) -> list[str]:
    return [
        f"{name} is read from the environment alone, not from a file"
        for name in sorted(_EMBEDDED & in_file.keys())
    ]


def _told(error: ErrorDetails) -> str:
    if error["type"] == "default_factory_not_called":
        return ""
    text = error["msg"].removeprefix("Value error, ")
    where = error["loc"]
    if not where:
        return text
    field = str(where[0])
    return f"{_name(field) if field in Settings.model_fields else field}: {text}"
