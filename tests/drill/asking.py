"""Calls that are made again, under the same id, until they are answered."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from authbus import AuthRejected, AuthTimeout
from authbus.errors import AuthUnavailable
from authbus.replies import Code
from authbus.uuid7 import uuid7

T = TypeVar("T")
Call = Callable[..., Awaitable[T]]

_PAUSE = 0.5


async def asked(call: Call[T], *given: Any, **named: Any) -> T:
    """Ask as an application does: what came too late has no effect and is asked under a new id."""
    while True:
        id_ = uuid7()
        try:
            return await patiently(lambda: call(*given, **named, command_id=id_))  # noqa: B023 - now
        except AuthRejected as refused:
            if refused.code != Code.EXPIRED:
                raise


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Make this call until it is decided: no answer and a refusal that may pass decide nothing."""
    while True:
        try:
            return await call()
        except AuthRejected as refused:
            if not refused.retryable:
                raise
        except (AuthTimeout, AuthUnavailable):
            pass
        await asyncio.sleep(_PAUSE)
