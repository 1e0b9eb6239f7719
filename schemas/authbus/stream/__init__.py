"""EventStream: identity events, each once and in each user's order, and all users before them."""

from authbus.stream.bootstrap import SnapshotBegins, SnapshotEnds, Told
from authbus.stream.event_stream import EventStream
from authbus.stream.events import Gap, StreamEvent

__all__ = ["EventStream", "Gap", "SnapshotBegins", "SnapshotEnds", "StreamEvent", "Told"]
