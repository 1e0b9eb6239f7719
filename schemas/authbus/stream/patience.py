"""Asking Kafka until it answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from authbus.errors import AuthUnavailable

T = TypeVar("T")

HANG_SECONDS = 30.0
REST_SECONDS = 1.0
_LOG = logging.getLogger("authbus")


async def patiently(ask: Callable[..., Awaitable[T]], *arguments: object, **options: object) -> T:
    """What Kafka answers, however long it is away.

    Raises AuthUnavailable where a right is missing, IllegalStateError for what is not ours to ask.
    """
    while True:
        try:
            async with asyncio.timeout(HANG_SECONDS):
                return await ask(*arguments, **options)
        except IllegalStateError:
            raise
        except (GroupAuthorizationFailedError, TopicAuthorizationFailedError) as error:
            raise AuthUnavailable(
                f"no right to read {error}: allow this module's Kafka principal READ on it"
            ) from error
        except (KafkaError, TimeoutError) as error:
            _LOG.warning("reading from Kafka failed and is tried again: %r", error)
            await asyncio.sleep(REST_SECONDS)
