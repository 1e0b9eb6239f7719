"""How Kafka is reached is said whole or not at all; what is missing is named."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka.abc import AbstractTokenProvider
from pydantic import ValidationError

from authbus_service.core.config import ConfigError, Settings

TLS: dict[str, Any] = {
    "kafka_bootstrap_servers": "kafka:9093",
    "kafka_security_protocol": "SASL_SSL",
}
BY_TOKENS = {**TLS, "kafka_sasl_mechanism": "OAUTHBEARER"}
PASSWORD: dict[str, Any] = {"kafka_username": "authbus", "kafka_password_file": "p"}


async def a_token() -> str:
    return "made here"


def test_without_settings_kafka_is_reached_in_the_clear() -> None:
    assert Settings().security() == {"security_protocol": "PLAINTEXT"}
    assert Settings().relay_security() == {"security_protocol": "PLAINTEXT"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_security_protocol": "SSL"}, "needs KAFKA_BOOTSTRAP_SERVERS"),
        ({"kafka_ca_file": "ca"}, "AUTHBUS_KAFKA_CA_FILE needs AUTHBUS_KAFKA_SECURITY_PROTOCOL"),
        (PASSWORD, "AUTHBUS_KAFKA_USERNAME, AUTHBUS_KAFKA_PASSWORD_FILE needs"),
        (TLS, "SCRAM-SHA-512 needs AUTHBUS_KAFKA_USERNAME and AUTHBUS_KAFKA_PASSWORD_FILE"),
        ({**TLS, "kafka_username": "authbus"}, "and AUTHBUS_KAFKA_PASSWORD_FILE"),
        ({**TLS, **PASSWORD, "kafka_token_file": "t"}, "no more"),
        ({**TLS, **PASSWORD, "relay_username": "relay"}, "and AUTHBUS_RELAY_PASSWORD_FILE"),
        ({**BY_TOKENS, **PASSWORD}, "AUTHBUS_KAFKA_TOKEN_FILE"),
        (BY_TOKENS, "needs AUTHBUS_KAFKA_TOKEN_FILE or AUTHBUS_KAFKA_TOKEN_PROVIDER, and no more"),
        (
            {**BY_TOKENS, "kafka_token_file": "t", "relay_username": "relay"},
            "needs AUTHBUS_RELAY_TOKEN_FILE, and no more",
        ),
    ],
)
def test_a_way_that_is_half_said_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**given)


def test_the_relay_is_known_by_a_name_of_its_own_where_it_has_one(tmp_path: Path) -> None:
    for name in ("consumers", "relay"):
        (tmp_path / name).write_text(f"secret of {name}\n")
    settings = Settings(
        **TLS,
        kafka_username="authbus",
        kafka_password_file=tmp_path / "consumers",
        relay_username="authbus-relay",
        relay_password_file=tmp_path / "relay",
    )

    consumers, relay = settings.security(), settings.relay_security()

    assert (consumers["sasl_plain_username"], relay["sasl_plain_username"]) == (
        "authbus",
        "authbus-relay",
    )
    assert relay["sasl_plain_password"].encode("utf-8") == b"secret of relay"
    assert "secret" not in repr((settings, consumers, relay))


async def test_tokens_come_from_a_function_that_is_named() -> None:
    settings = Settings(
        **TLS, kafka_sasl_mechanism="OAUTHBEARER", kafka_token_provider=f"{__name__}:a_token"
    )

    provider: AbstractTokenProvider = settings.security()["sasl_oauth_token_provider"]

    assert await provider.token() == "made here"


@pytest.mark.parametrize(
    "given",
    [
        {"kafka_sasl_mechanism": "OAUTHBEARER", "kafka_token_provider": "nowhere:token"},
        {**PASSWORD, "kafka_ca_file": "/nowhere/ca.pem"},
        {**PASSWORD, "kafka_sasl_mechanism": "PLAIN", "kafka_security_protocol": "SASL_PLAINTEXT"},
    ],
    ids=["no-provider", "no-ca", "plain-in-the-clear"],
)
def test_a_way_that_cannot_be_gone_is_an_error_of_the_settings(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="AUTHBUS_KAFKA_"):
        Settings(**{**TLS, **given}).security()
