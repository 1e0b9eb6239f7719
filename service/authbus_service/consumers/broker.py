"""FastStream's broker, reached like every other client of Kafka's."""

from collections.abc import Mapping
from typing import Any

from faststream.kafka import KafkaBroker
from faststream.security import (
    BaseSecurity,
    SASLOAuthBearer,
    SASLPlaintext,
    SASLScram256,
    SASLScram512,
)

from authbus.kafka.connection import SILENCE_MS

_GRACE_SECONDS = 10.0
# How soon a group shares out partitions that a topic got, or a topic that was made anew.
_LOOK_MS = 5_000
_BY_PASSWORD = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


def broker(servers: str, security: Mapping[str, Any]) -> KafkaBroker:
    """A broker that is not connected; `security` are aiokafka's keyword arguments."""
    tokens = security.get("sasl_oauth_token_provider")
    return KafkaBroker(
        # FastStream takes a text for one server, where every other client sees a list in it.
        [each.strip() for each in servers.split(",")],
        allow_auto_create_topics=False,
        graceful_timeout=_GRACE_SECONDS,
        request_timeout_ms=SILENCE_MS,
        metadata_max_age_ms=_LOOK_MS,
        logger=None,
        security=_security(security),
        **({} if tokens is None else {"sasl_oauth_token_provider": tokens}),
    )


def _security(given: Mapping[str, Any]) -> BaseSecurity | None:
    """The same in FastStream's words."""
    context, mechanism = given.get("ssl_context"), given.get("sasl_mechanism")
    if mechanism in _BY_PASSWORD:
        name, password = given["sasl_plain_username"], given["sasl_plain_password"]
        return _BY_PASSWORD[mechanism](name, password, context)
    if mechanism == "OAUTHBEARER":
        return SASLOAuthBearer(context)
    return None if context is None else BaseSecurity(context)
