"""How Kafka is reached: one set of settings from which every client of this process is made."""

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from authbus.kafka.security import InsecureConnectionError, SaslPassword, SaslTokens, Security
from authbus.tls import Tls
from authbus_service.core.errors import ConfigError

_Upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
_Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
_Function = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
_PAIRS = (
    ("kafka_key_file", "kafka_certificate_file"),
    ("relay_key_file", "relay_certificate_file"),
)
_TLS = ("kafka_ca_file", *(each for pair in _PAIRS for each in pair))
_SASL = ("kafka_username", "kafka_password_file", "kafka_token_file", "kafka_token_provider")
_SASL_RELAY = ("relay_username", "relay_password_file", "relay_token_file")


class KafkaSettings(BaseModel):
    """Every file is read again when it is replaced; the relay may be known by a name of its own."""

    kafka_bootstrap_servers: str | None = Field(
        default=None,
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
        description="without it `authbus serve` starts a Kafka of its own",
    )
    kafka_security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], _Upper
    ] = Field(
        default="PLAINTEXT",
        description="whether it is TLS, and asks who we are; as Kafka names them",
    )
    kafka_ca_file: Path | None = Field(
        default=None,
        description="who may have signed the brokers' certificates (PEM); without it those whom "
        "the system trusts",
    )
    kafka_certificate_file: Path | None = Field(
        default=None, description="our own certificate, for brokers that ask for one (mTLS)"
    )
    kafka_key_file: Path | None = Field(
        default=None, description="its key, where it is not in the same file"
    )
    kafka_sasl_mechanism: Annotated[_Mechanism, _Upper] = Field(
        default="SCRAM-SHA-512", description="how we prove who we are"
    )
    kafka_username: str | None = Field(default=None, description="the name, with SCRAM and PLAIN")
    kafka_password_file: Path | None = Field(default=None, description="a file with the password")
    kafka_token_file: Path | None = Field(
        default=None,
        description="a file with the token, for OAUTHBEARER, which somebody else keeps fresh",
    )
    kafka_token_provider: _Function | None = Field(
        default=None,
        description="or `package.module:function`: an `async` function without arguments that "
        "returns one",
    )
    relay_certificate_file: Path | None = Field(
        default=None,
        description="the relay's own certificate: then the consumers' name needs no right to "
        "write events",
    )
    relay_key_file: Path | None = Field(
        default=None, description="its key, where it is not in the same file"
    )
    relay_username: str | None = Field(default=None, description="the relay's own name")
    relay_password_file: Path | None = Field(default=None, description="a file with its password")
    relay_token_file: Path | None = Field(default=None, description="a file with its token")

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        protocol = self.kafka_security_protocol
        tls, sasl = protocol.endswith("SSL"), protocol.startswith("SASL")
        if protocol != "PLAINTEXT" and self.kafka_bootstrap_servers is None:
            raise ValueError("AUTHBUS_KAFKA_SECURITY_PROTOCOL needs KAFKA_BOOTSTRAP_SERVERS")
        if not tls and (idle := self._given(_TLS)):
            raise ValueError(f"{idle} needs AUTHBUS_KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL")
        for key, certificate in _PAIRS:
            if self._given((key,)) and not self._given((certificate,)):
                raise ValueError(f"{self._given((key,))} needs AUTHBUS_{certificate.upper()}")
        if not sasl and (idle := self._given((*_SASL, *_SASL_RELAY))):
            raise ValueError(f"{idle} needs AUTHBUS_KAFKA_SECURITY_PROTOCOL=SASL_SSL")
        if sasl:
            tokens = ("kafka_token_file", "kafka_token_provider")
            self._log_in("kafka", self.kafka_username, self.kafka_password_file, tokens)
            if self._given(_SASL_RELAY):
                tokens = ("relay_token_file",)
                self._log_in("relay", self.relay_username, self.relay_password_file, tokens)
        return self

    @property
    def logs_in(self) -> bool:
        """Whether we prove to Kafka who we are, so that it can tell names apart."""
        sasl = self.kafka_security_protocol.startswith("SASL")
        return sasl or bool(self._given(("kafka_certificate_file", "relay_certificate_file")))

    @property
    def relay_has_a_name_of_its_own(self) -> bool:
        """Whether Kafka can tell the relay from the consumers."""
        return bool(self._given((*_SASL_RELAY, "relay_certificate_file")))

    def security(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's for everything but the relay.

        Raises ConfigError for a file that cannot be read, a provider that is not there, and a
        password that would cross a network in the clear.
        """
        return self._arguments(self.client_security())

    def relay_security(self) -> dict[str, Any]:
        """The same for the relay."""
        usual = self.client_security()
        tls, log_in = usual.tls, usual.log_in
        if tls is not None and self.relay_certificate_file is not None:
            tls = Tls(self.kafka_ca_file, self.relay_certificate_file, self.relay_key_file)
        if self.relay_token_file is not None:
            log_in = SaslTokens.from_file(self.relay_token_file)
        elif self.relay_username is not None:
            log_in = self._password(self.relay_username, self.relay_password_file)
        return self._arguments(Security(tls, log_in))

    def client_security(self) -> Security:
        """The same as `security`, for a client of the package `authbus`."""
        protocol, log_in = self.kafka_security_protocol, None
        tls = Tls(self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file)
        if self.kafka_token_file is not None:
            log_in = SaslTokens.from_file(self.kafka_token_file)
        elif self.kafka_token_provider is not None:
            log_in = SaslTokens(_provider(self.kafka_token_provider))
        elif self.kafka_username is not None:
            log_in = self._password(self.kafka_username, self.kafka_password_file)
        return Security(tls if protocol.endswith("SSL") else None, log_in)

    def _password(self, username: str, file: Path | None) -> SaslPassword:
        mechanism = self.kafka_sasl_mechanism
        if mechanism == "OAUTHBEARER":
            raise AssertionError("settings with a password for OAUTHBEARER are refused")
        return SaslPassword(username, file=file, mechanism=mechanism)

    def _arguments(self, security: Security) -> dict[str, Any]:
        try:
            return security.arguments(self.kafka_bootstrap_servers or "localhost")
        except InsecureConnectionError as error:
            raise ConfigError(
                f"AUTHBUS_KAFKA_SECURITY_PROTOCOL: {error}. Set SSL or SASL_SSL"
            ) from None
        except OSError as error:
            told = f"{error.filename or 'a certificate or key'}: {error.strerror or error}"
            raise ConfigError(
                f"AUTHBUS_KAFKA_...: {told}. Mend the file, or name another"
            ) from None

    def _given(self, fields: tuple[str, ...]) -> str:
        return ", ".join(f"AUTHBUS_{each.upper()}" for each in fields if getattr(self, each))

    def _log_in(
        self, whose: str, username: str | None, password: Path | None, tokens: Sequence[str]
    ) -> None:
        given = [each for each in tokens if getattr(self, each) is not None]
        name = f"AUTHBUS_{whose.upper()}"
        if self.kafka_sasl_mechanism == "OAUTHBEARER":
            if len(given) != 1 or username is not None or password is not None:
                needed = " or ".join(f"AUTHBUS_{each.upper()}" for each in tokens)
                raise ValueError(f"OAUTHBEARER needs {needed}, and no more")
        elif username is None or password is None or given:
            mechanism = self.kafka_sasl_mechanism
            raise ValueError(f"{mechanism} needs {name}_USERNAME and {name}_PASSWORD_FILE, no more")


def _provider(name: str) -> Callable[[], Awaitable[str]]:
    module, _, function = name.partition(":")
    try:
        found: Callable[[], Awaitable[str]] = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"AUTHBUS_KAFKA_TOKEN_PROVIDER: {error}. It must be like module:function"
        ) from None
    return found
