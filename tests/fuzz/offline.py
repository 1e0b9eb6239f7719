"""What a service makes of a record before anything is asked of a database: by itself, no servers.

So thousands are opened in the time in which Kafka brings hundreds.
"""

from dataclasses import dataclass
from random import Random

from authbus import LogOut
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.opening import Opened, Opener
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core import clock
from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.security.keyring import KeyRing, first_keys
from tests.fuzz.case import Item
from tests.fuzz.scene import ENDED, HANDLED, Scene
from tests.rig.batches import Raw
from tests.rig.made import MASTERS
from tests.rig.producing import Drafter


@dataclass(frozen=True)
class Offline:
    scene: Scene
    opener: Opener

    def end_of(self, item: Item) -> str:
        """A dead letter's reason, a refusal's code, or what the handler will say."""
        raw = item.what
        assert isinstance(raw, Raw)
        headers = [(name.decode(), value) for name, value in raw.headers]
        arrival = Arrival(item.topic, 0, 0, raw.key, raw.value or b"", headers, clock.now())
        try:
            return _said(self.opener.open(arrival, read_labels(arrival)))
        except UnreadableError as error:
            return str(error.reason)


def _said(opened: Opened) -> str:
    if opened.refusal is not None:
        return str(opened.refusal.code)
    assert opened.request(MASTERS).command is opened.command
    return ENDED if isinstance(opened.command, LogOut) else HANDLED


def offline(seed: str) -> Offline:
    """Keys of their own, and right records sealed to them."""
    keyring = KeyRing(MASTERS)
    keyring.load(first_keys(clock.now(), MASTERS))
    jwk = next(each.jwk for each in keyring.public_records() if each.use == "enc")
    web, demo = (Drafter("auth", jwk, client) for client in ("web", "demo"))
    scene = Scene(web, demo, Random(seed), "canary", MASTERS)
    return Offline(scene, Opener(keyring, EMBEDDED_CLIENTS, "auth"))
