"""What each profile does to a run, and what of it needs root."""

# pyright: reportPrivateUsage=false

import os

import pytest

from authbus_service.consumers import subscriber
from authbus_service.relay import lease, producer
from authbus_service.relay.loop import Pace
from tests.chaos.run import nodes
from tests.chaos.run.members import MISSED_AFTER
from tests.chaos.run.menu import menu
from tests.chaos.run.nemesis import LONG_STOP
from tests.rig.processes import TRANSACTION_MS, cut_short


@pytest.mark.parametrize("profile", ["small", "soak"])
def test_topics_are_replayed_while_all_is_harmed(profile: str) -> None:
    assert "replay a topic" in menu(profile)  # pyright: ignore[reportArgumentType]


def test_without_root_three_nodes_are_cut_off_by_the_proxy_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    there = {*menu("full")} & {*nodes.MENU}

    assert {*nodes.MENU} - there == {*nodes.OF_A_NET}
    assert there & {*nodes.PARTITIONS}


def test_a_long_stop_is_longer_than_kafka_waits_for_a_member_and_for_a_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shortest, _ = LONG_STOP
    for module, name in [
        (subscriber, "_SESSION_MS"),
        (subscriber, "_HEARTBEAT_MS"),
        (producer, "_TRANSACTION_MS"),
    ]:
        monkeypatch.setattr(module, name, getattr(module, name))  # and back again at the end

    cut_short(MISSED_AFTER)

    assert shortest * 1000 > subscriber._SESSION_MS == MISSED_AFTER * 1000
    assert shortest * 1000 > producer._TRANSACTION_MS == TRANSACTION_MS
    assert shortest > lease.LEASE_SECONDS
    assert Pace().deadline * 1000 < TRANSACTION_MS
