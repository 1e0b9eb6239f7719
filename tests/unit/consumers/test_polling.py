"""What an intake makes of a poll."""

# pyright: reportPrivateUsage=false

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError, NotLeaderForPartitionError
from structlog.testing import capture_logs

from tests.unit.consumers.intake import ZERO, World, a_record


@pytest.mark.parametrize("error", [KafkaError("UnknownError()"), NotLeaderForPartitionError()])
async def test_what_cannot_be_read_is_read_again_at_once_and_the_log_says_so(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authbus_service.consumers.subscriber._POLL_AGAIN_SECONDS", 0)
    found: list[Any] = [error, {ZERO: [a_record(ZERO, 7)]}]

    async def getmany(**_: int) -> Any:
        answer = found.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    consumer: Any = SimpleNamespace(getmany=getmany)
    with capture_logs() as lines:
        first, second = [await World().intake._poll(consumer) for _ in range(2)]

    assert first == ()
    assert [each.offset for each in second] == [7]
    assert [(each["event"], each["error"]) for each in lines] == [
        ("nothing can be read", type(error).__name__)
    ]
