"""No batch can stop the service: every consumer of its process reads within bounds."""

from aiokafka.consumer import fetcher

from authbus.batches import BoundedRecords


def read_bounded() -> None:
    """Let every consumer of this process read its fetches through `BoundedRecords`."""
    fetcher.MemoryRecords = BoundedRecords
