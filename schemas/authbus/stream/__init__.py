"""EventStream: identity events, each once and in each user's order, and all users before them.

For example:

    async for event in EventStream("localhost:9092", group="billing"):
        match event.data:
            case UserCreated(user_id=user_id):
                ...
"""

from authbus.stream.event_stream import EventStream
from authbus.stream.events import Gap, StreamEvent
from authbus.stream.told import SnapshotBegins, SnapshotEnds, Told

__all__ = ["EventStream", "Gap", "SnapshotBegins", "SnapshotEnds", "StreamEvent", "Told"]
