"""Rules and heads of requests, without a broker."""

import struct

import pytest

from tests.chaos.faults import Fault, Match, Rule, Side
from tests.chaos.wire import Api, Request


async def test_a_rule_takes_what_it_names_and_no_more() -> None:
    head = struct.pack(">hhih", Api.END_TXN, 0, 1, 5) + b"relay"
    request = Request.parse(head + b"tx-a")
    rule = Rule(Fault.DROP, Match(api=Api.END_TXN, client_id="relay", containing=b"tx-a", skip=1))

    async def taken(one: Request, side: Side = Side.REQUEST) -> bool:
        if takes := rule.takes(one, side):
            await rule.add(one)
        return takes

    assert not await taken(Request.parse(head + b"tx-b"))
    assert not await taken(Request.parse(head.replace(b"relay", b"other") + b"tx-a"))
    assert not await taken(request, Side.RESPONSE)
    assert [await taken(request) for _ in range(3)] == [False, True, False]


@pytest.mark.parametrize("frame", [b"", b"\0" * 9, struct.pack(">hhih", 0, 0, 0, 4) + b"abc"])
async def test_a_frame_without_a_whole_head_is_refused(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"head|cut off"):
        Request.parse(frame)
