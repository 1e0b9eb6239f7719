"""Ids and times that are not of now, and ids that were used before."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

from pydantic import SecretStr

from authbus import LogIn
from authbus.envelope import stamp
from authbus_service.core.ids import new_id
from tests.fuzz.case import Case, Family, Item, Make, Try, each, table
from tests.fuzz.scene import HANDLED, Json, Scene, put
from tests.rig.producing import Draft

_NEAR, _LONGEST = 600, 900
STALE, EXPIRED, MISMATCH = "stale_id", "expired", "idempotency_mismatch"


def id_at(seconds: float) -> UUID:
    """A UUIDv7 of a time so many seconds from now."""
    moment = int((datetime.now(UTC).timestamp() + seconds) * 1000)
    return UUID(int=moment << 80 | new_id().int & (1 << 80) - 1)


def _by_chance() -> int:
    return new_id().int & (1 << 60) - 1


def under(id_: Callable[[], UUID], *among: str) -> Make:
    return lambda scene: Try.of(scene.asking(put(), id_=id_()), *among)


def aged(seconds: float) -> Make:
    """Under an id so many seconds off, with an expiry that is right for it."""

    def make(scene: Scene) -> Try:
        def change(payload: Json) -> None:
            until = max(60.0, seconds + 60)
            payload["expirytime"] = stamp(datetime.now(UTC) + timedelta(seconds=until))

        draft = scene.asking(change, id_=id_at(seconds))
        fits = abs(seconds) < _NEAR
        return Try.of(draft, "invalid" if fits and seconds < -800 else HANDLED if fits else STALE)

    return make


def expiring(seconds: float, *among: str) -> Make:
    def make(scene: Scene) -> Try:
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        return Try.of(scene.asking(put(expirytime=stamp(at))), *among)

    return make


def at(text: str, *among: str) -> Make:
    return lambda scene: Try.of(scene.asking(put(expirytime=text)), *among)


def twice(change: Callable[[Scene, Draft], Draft], second: str) -> Make:
    """A good record, then one under its id."""

    def make(scene: Scene) -> Try:
        first = scene.log_in()
        other = change(scene, first).but(key=first.key, id=first.id)
        return Try([Item.of(first), Item.of(other)], each(HANDLED, second))

    return make


def with_other_password(scene: Scene, first: Draft) -> Draft:
    command = LogIn(email=scene.address(), password=SecretStr("another"))
    return scene.draft(command, id_=first.id)


def with_other_type(scene: Scene, first: Draft) -> Draft:
    return scene.draft(
        LogIn(email="x@y", password=SecretStr("b")), id_=first.id, type="authbus.No.v1"
    )


def of_another_client(scene: Scene, first: Draft) -> Draft:
    command = LogIn(email=scene.address(), password=SecretStr(scene.canary))
    return scene.demo.draft(command, id_=first.id, key=first.key)


def as_it_was(_: Scene, first: Draft) -> Draft:
    return first


def sealed_anew(scene: Scene) -> Try:
    """The same content in other bytes, as another process sends it again."""
    command = LogIn(email=scene.address(), password=SecretStr(scene.canary))
    first = scene.draft(command)
    again = scene.draft(command, id_=first.id).but(key=first.key)
    return Try([Item.of(first), Item.of(again)], each(HANDLED, HANDLED))


NAMED = table(
    [
        ("version 4", under(uuid4, STALE)),
        ("nil but for its end", under(lambda: UUID(int=_by_chance()), STALE)),
        ("ones but for its end", under(lambda: UUID(int=2**128 - 1 - _by_chance()), STALE)),
        ("version 8", under(lambda: UUID(int=new_id().int & ~(0xF << 76) | 8 << 76), STALE)),
        ("eleven minutes old", under(lambda: id_at(-660), STALE)),
        ("eleven minutes ahead", under(lambda: id_at(660), STALE)),
        ("of 1970", under(lambda: id_at(-datetime.now(UTC).timestamp()), STALE)),
        (
            "of 9999",
            under(lambda: UUID(int=(2**48 - 1) << 80 | 7 << 76 | 2 << 62 | _by_chance()), STALE),
        ),
        ("nine minutes old", aged(-540)),
        ("nine minutes ahead", aged(540)),
        ("expired", expiring(-1, EXPIRED)),
        ("expired an hour ago", expiring(-3600, EXPIRED)),
        ("expired in the year 1", at("0001-01-01T00:00:00+14:00", EXPIRED)),
        ("expiry too far", expiring(_LONGEST + 60, "invalid")),
        ("expiry in the year 9999", at("9999-12-31T23:59:59-14:00", "invalid")),
        ("one id, another password", twice(with_other_password, MISMATCH)),
        ("one id, another type", twice(with_other_type, "unknown_type")),
        ("one id, another client", twice(of_another_client, MISMATCH)),
        ("one record twice", twice(as_it_was, HANDLED)),
        ("one content sealed twice", sealed_anew),
    ]
)


def more(random: Random) -> Iterator[Case]:
    kinds = [_stale, _near, _expired, _far, _again]
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        yield Case(f"{kind.__name__[1:]} {number}", kind(random))


def _stale(random: Random) -> Make:
    return aged(random.choice([-1, 1]) * random.uniform(_NEAR + 20, 10**6))


def _near(random: Random) -> Make:
    return aged(random.choice([-1, 1]) * random.uniform(0, _NEAR - 60))


def _expired(random: Random) -> Make:
    return expiring(-(10 ** random.uniform(0, 8)), EXPIRED)


def _far(random: Random) -> Make:
    return expiring(_LONGEST + 10 ** random.uniform(1, 9), "invalid")


def _again(random: Random) -> Make:
    changes = [
        twice(with_other_password, MISMATCH),
        twice(with_other_type, "unknown_type"),
        twice(of_another_client, MISMATCH),
    ]
    if random.random() < 0.3:
        return random.choice([sealed_anew, twice(as_it_was, HANDLED)])
    return random.choice(changes)


TIMES = Family("ids and times", 200, NAMED, more)
