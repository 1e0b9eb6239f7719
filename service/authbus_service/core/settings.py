"""Every setting of the service: its type, its bounds, its default and what it means."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from authbus_service.core.account_settings import AccountSettings, Lower
from authbus_service.core.kafka_settings import KafkaSettings
from authbus_service.core.mail_settings import parse_link_base, parse_sender, parse_smtp
from authbus_service.core.security.masters import Masters, parse_masters

PREFIX = "AUTHBUS_"
_KIB_A_LANE = 8
# A rebalance waits for 20 s for a member that is gone, and a relay's start may take as long.
_LEAST_PATIENCE = 30

_Off = BeforeValidator(
    lambda value: None if isinstance(value, str) and value.lower() == "off" else value
)


def _topics(read: dict[str, Any]) -> Literal["check", "apply"]:
    return "check" if read.get("kafka_bootstrap_servers") else "apply"


def _issuer(read: dict[str, Any]) -> str:
    return f"authbus/{read['namespace']}"


class Settings(AccountSettings, KafkaSettings):
    """Every setting of the service. Tests make one directly; `load` alone reads the environment.

    `topics` is `apply` by default on the embedded Kafka, `check` on any other.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="`postgresql://user:password@host:5432/name`, with libpq's `sslmode` and "
        "`sslrootcert`, and `pooler=transaction` where a pooler is in between; without it "
        "a PostgreSQL of its own",
    )
    namespace: str = Field(
        default="auth",
        pattern=r"^[a-z][a-z0-9-]{0,40}$",
        description="stands before every topic and group, so that environments can share a cluster",
    )
    instance: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="this process's name, no other's, and the same when it is started again after "
        "it was killed, as a pod's: it takes its own place in Kafka's groups, and the others read "
        "on meanwhile",
    )
    topics: Annotated[Literal["check", "apply"], Lower] = Field(
        default_factory=_topics,
        description="`check`: no start when topics are not as declared; `apply`: create and "
        "mend them (the default on its own Kafka)",
    )
    clients: Path | None = Field(
        default=None,
        description="a file that declares who may send commands, like `deploy/clients.toml`",
    )
    roles: Path | None = Field(
        default=None,
        description="a file that declares what roles permit, like "
        "`deploy/roles.toml`; `admin` is built in",
    )
    data: Path = Field(default=Path(".data"), description="where its own servers keep their data")

    master_key: SecretStr | None = Field(
        default=None,
        description="the key from which all others are made; while it is being replaced several, "
        "with commas between, of which the first makes new ones",
    )
    master_key_file: Path | None = Field(
        default=None, description="or a file with it; several on a line each"
    )
    keys_reload_seconds: int = Field(
        default=5,
        ge=1,
        le=30,
        description="how often each process looks for new keys; `authbus keys rotate --lead` is "
        "at least twice that",
    )
    issuer: str = Field(
        default_factory=_issuer,
        min_length=1,
        max_length=255,
        description="the `iss` of tokens; `auth` is the namespace",
    )

    smtp_url: SecretStr | None = Field(
        default=None,
        description="`smtp://user:password@host:587` (STARTTLS), `smtps://` (TLS) or "
        "`smtp+plain://` (none, and no password then)",
    )
    mail_from: str | None = Field(
        default=None, description="the sender: `Example <no-reply@example.com>`"
    )
    link_base_url: str | None = Field(
        default=None,
        description="links in mails are this and `/verify-email?code=...`, "
        "`/change-email?code=...`, `/reset-password?code=...`; needed with `AUTHBUS_SMTP_URL`, and "
        "else `http://localhost:3000`",
    )

    http_host: str = Field(
        default="127.0.0.1", description="where health, metrics, keys and the contract are served"
    )
    http_port: Annotated[int | None, Field(ge=0, le=65535), _Off] = Field(
        default=8080, description="0 takes a free one, `off` serves nothing"
    )
    watchdog_seconds: int = Field(
        default=120,
        ge=0,
        le=3600,
        description="a process that makes no progress for so long while work waits, and Kafka "
        "and PostgreSQL answer, ends: 30 or more; 0: never",
    )
    traces: Annotated[Literal["off", "otlp"], Lower] = Field(
        default="off",
        description="`otlp`: traces to where OpenTelemetry's own variables say "
        "(`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER` ...)",
    )
    log_format: Annotated[Literal["json", "text"], Lower] = Field(
        default="json", description="of each line; on a terminal `text`, where nothing is set"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Lower] = Field(
        default="info", description="the least that is logged"
    )

    def masters(self) -> Masters:
        """The masters that are set. Raises MasterKeyError when none are, or they cannot be read."""
        return Masters.read(self.master_key, self.master_key_file)

    @field_validator("data")
    @classmethod
    def _at_home(cls, value: Path) -> Path:
        try:
            return value.expanduser()
        except RuntimeError:
            raise ValueError("its ~ is no home folder here. Give the whole path") from None

    @field_validator("master_key")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_masters(value.get_secret_value())
        return value

    @field_validator("watchdog_seconds")
    @classmethod
    def _patient(cls, value: int) -> int:
        if 0 < value < _LEAST_PATIENCE:
            raise ValueError(
                "a healthy process may wait for so long, and would be ended. Give 30 or more, "
                "or 0 for no watchdog"
            )
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


def setting_names() -> list[str]:
    """The names by which settings are given in the environment, in the order of `Settings`."""
    return [name_of(field) for field in Settings.model_fields]


def name_of(field: str) -> str:
    """The name by which one is given."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{field.upper()}"
