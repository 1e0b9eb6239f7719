"""Consumers whom no batch can stop: what cannot be read is passed over, within bounds."""

import logging
from types import FunctionType, MethodType
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.consumer import fetcher

from authbus.kafka.batches import BoundedRecords, Bounds, fault

_LOG = logging.getLogger("authbus")
_MIB = 1024 * 1024


class ClientRecords(BoundedRecords):
    """Batches of events and states: a relay writes 256 KiB, a mirror may pack more together."""

    bounds = Bounds(records=100_000, size=16 * _MIB)


def guard(consumer: AIOKafkaConsumer) -> None:
    """Let this consumer, which has been started, read its fetches through `ClientRecords`.

    Others of the same process are not touched: its own fetcher gets aiokafka's method with one
    name bound anew. Where a version of aiokafka has no such name, it is left as it is.
    """
    own: Any = getattr(consumer, "_fetcher", None)
    method: Any = getattr(type(own), "_proc_fetch_request", None)
    code = getattr(method, "__code__", None)
    if code is None or "MemoryRecords" not in code.co_names:
        _LOG.warning("this aiokafka is not known: one bad batch can stop a partition")
        return
    bound = {**vars(fetcher), "MemoryRecords": ClientRecords}
    own._proc_fetch_request = MethodType(FunctionType(code, bound), own)  # noqa: SLF001


def is_readable(record: ConsumerRecord[Any, Any]) -> bool:
    """False for what stands in the place of something unreadable; it is logged."""
    found = fault(record.headers)
    if found is not None:
        reason, first = found
        place = f"{record.topic}/{record.partition}@{first}"
        _LOG.warning("%s to %d was passed over: %s", place, record.offset, reason)
    return found is None


def tell_passed_over(record: ConsumerRecord[Any, Any], error: Exception) -> None:
    """Log which record was passed over, and why; nothing of what it says."""
    place = f"{record.topic}/{record.partition}@{record.offset}"
    _LOG.warning("%s was passed over: %s", place, type(error).__name__)
