"""`authbus dead-letters` as a program: how far it is, how it ends, and what a dry run leaves."""

import json
from pathlib import Path

import pytest

from authbus_service.core import clock
from authbus_service.core.exit_status import Exit
from authbus_service.core.ids import new_id
from authbus_service.core.security.keyring import KeyRing, new_key
from tests.integration.cli.conftest import Authbus
from tests.rig.crowd import Crowd
from tests.rig.operating import settings_of
from tests.rig.redriving import buried, open_letters
from tests.rig.terminals import at_a_terminal
from tests.rig.world import World

pytestmark = pytest.mark.slow

REDRIVE = ("dead-letters", "redrive", "--all")


async def dead_for_good(world: World, count: int) -> None:
    """Bury so many commands that are sealed to a key which nobody has."""
    known = KeyRing(world.masters)
    known.load([new_key("enc", clock.now(), world.masters)])
    (record,) = known.public_records()
    world.web.seal_to(record.jwk)
    await buried(world, *Crowd(world).registers(range(count)))


async def test_what_is_dead_again_ends_with_1_and_a_pipe_is_told_how_far_it_is(
    authbus: Authbus, world: World
) -> None:
    await dead_for_good(world, 2)
    before = await open_letters(world)

    ended = await authbus(*REDRIVE, **await settings_of(world))

    assert (ended.status, json.loads(ended.out)) == (Exit.LEFT, {"selected": 2, "dead_again": 2})
    told = [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]
    steps = [(each["step"], each["done"], each["of"]) for each in told]
    assert (steps[0], steps[-1]) == (("handled", 0, 2), ("handled", 2, 2))
    assert await open_letters(world) == before


async def test_a_terminal_shows_a_bar_with_how_many_letters_of_how_many_are_handled(
    world: World, tmp_path: Path
) -> None:
    await dead_for_good(world, 3)

    shown, out, status = await at_a_terminal(
        *REDRIVE, settings=await settings_of(world), folder=tmp_path
    )

    assert any("handled" in each and "3/3" in each for each in shown.splitlines()), shown
    assert "{" not in shown
    assert (json.loads(out)["dead_again"], status) == (3, Exit.LEFT)


async def test_a_dry_run_says_how_many_would_be_discarded_and_leaves_them_open(
    authbus: Authbus, world: World
) -> None:
    await dead_for_good(world, 2)
    before, settings = await open_letters(world), await settings_of(world)
    discard = ("dead-letters", "discard", "--reason", "unknown_key")

    foretold = await authbus(*discard, "--dry-run", **settings)
    left = await open_letters(world)
    done = await authbus(*discard, **settings)

    assert [each.status for each in (foretold, done)] == [0, 0], foretold.err + done.err
    assert json.loads(foretold.out) == {"would_be_discarded": 2}
    assert (len(before), left) == (2, before)
    assert json.loads(done.out) == {"discarded": 2}
    assert await open_letters(world) == []


@pytest.mark.parametrize("what", ["redrive", "discard"])
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
async def test_a_named_letter_that_is_not_open_is_told_with_1_and_the_others_are_done(
    authbus: Authbus, world: World, what: str, more: tuple[str, ...]
) -> None:
    await dead_for_good(world, 1)
    settings, unknown = await settings_of(world), new_id()
    (there,) = await open_letters(world)

    ended = await authbus("dead-letters", what, str(unknown), str(there.id), *more, **settings)

    assert ended.status == Exit.LEFT
    assert f"no such open dead letter: {unknown}. See: authbus dead-letters list" in ended.err
    assert 1 in json.loads(ended.out).values()
    assert len(await open_letters(world)) == (0 if (what, more) == ("discard", ()) else 1)
