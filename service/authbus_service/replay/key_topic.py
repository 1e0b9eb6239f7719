"""What lies on auth.state.keys.v1: the last word on each key, ours or not."""

from dataclasses import dataclass, field

from authbus.topics import KEYS_STATE
from authbus_service.cluster import Admin
from authbus_service.core.security.masters import Masters
from authbus_service.reading.ranges import partitions_of, read, reader, spans
from authbus_service.recovery.keys import SaidKeys


@dataclass(slots=True)
class KeyTopic:
    """`said` are the keys of ours, `there` all names that have not ended."""

    said: SaidKeys = field(default_factory=SaidKeys)
    there: set[str] = field(default_factory=set[str])

    @classmethod
    async def read(cls, admin: Admin, namespace: str, masters: Masters) -> "KeyTopic":
        """Read it from its start. Raises ClusterError."""
        found = cls()
        async with reader(admin) as consumer:
            places = await partitions_of(admin, KEYS_STATE.name(namespace))
            async for records in read(consumer, await spans(consumer, places, None, None)):
                for each in records:
                    found.note((each.key or b"").decode(errors="replace"), each.value, masters)
        return found

    def note(self, kid: str, value: bytes | None, masters: Masters) -> None:
        """Take the topic's next record."""
        self.said.note(kid, value, masters)
        if value is None:
            self.there.discard(kid)
        else:
            self.there.add(kid)
