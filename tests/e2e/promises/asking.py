"""Calls that are refused."""

from collections.abc import Awaitable

import pytest

from authbus import AuthRejected, Code


async def refused(call: Awaitable[object], code: Code) -> AuthRejected:
    """The refusal, which has this code."""
    with pytest.raises(AuthRejected) as told:
        await call
    assert told.value.code == code
    assert told.value.http_status == code.http_status
    return told.value
