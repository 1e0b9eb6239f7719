"""EventStream: identity events, each once and in each user's order."""

from authbus.stream.event_stream import EventStream
from authbus.stream.events import Gap, StreamEvent

__all__ = ["EventStream", "Gap", "StreamEvent"]
