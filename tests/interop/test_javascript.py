"""schemas/examples/javascript: kafkajs, jose and the CloudEvents SDK."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.conftest import Serving
from tests.interop import new_keys
from tests.rig import foreign
from tests.rig.phantom import aborted_and_committed

pytestmark = [pytest.mark.interop, pytest.mark.timeout(900)]


NO_KEYS = """
import { Keys } from './keys.js'
const keys = new Keys()
for (const value of ['', 'null', '{}', '{"signature": "a.b.c"}', '{"signature": 1}'])
  await keys.learn({ key: Buffer.from('a'), value: Buffer.from(value) })
console.log('passed over')
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def programs() -> Path:
    place = await foreign.installed_by_npm(foreign.EXAMPLES / "javascript")
    shutil.copy(new_keys.PROGRAMS / "register.js", place)
    return place


async def test_javascript_registers_logs_in_refreshes_is_refused_and_logs_out(
    programs: Path, places: Mapping[str, str]
) -> None:
    told = await foreign.run("node", "login.js", folder=programs, environment=places)

    foreign.is_a_life(told)


async def test_javascript_goes_over_to_new_keys_while_it_runs_and_when_it_starts_again(
    programs: Path, places: Mapping[str, str], serving: Serving
) -> None:
    command = ("node", "register.js")
    await new_keys.goes_over_to_them(*command, folder=programs, environment=places, serving=serving)

    foreign.is_a_life(await foreign.run("node", "login.js", folder=programs, environment=places))


async def test_javascript_seals_nothing_for_a_key_of_another_root(
    programs: Path,
    places: Mapping[str, str],
) -> None:
    told = foreign.of_another_root(places)
    error = await foreign.failed("node", "login.js", folder=programs, environment=told)

    assert "no key under this trust within 10 s" in error


async def test_javascript_passes_over_what_is_no_record_of_a_key(programs: Path) -> None:
    told = await foreign.run("node", "--input-type=module", "-e", NO_KEYS, folder=programs)

    assert told == ["passed over"]


async def test_javascript_reads_committed_events_alone_in_their_users_order(
    programs: Path, places: Mapping[str, str]
) -> None:
    told = await foreign.run("node", "login.js", folder=programs, environment=places)
    user, namespace = told[0].split(" ")[1], places["AUTHBUS_NAMESPACE"]
    never, real = await aborted_and_committed(places["KAFKA_BOOTSTRAP_SERVERS"], namespace)
    last = f"authbus.SessionEnded.v1 {user}", f"authbus.UserCreated.v1 {real}"

    environment = {**places, "GROUP": f"{namespace}-javascript"}
    command = ("node", "events.js")
    async with foreign.started(*command, folder=programs, environment=environment) as child:
        heard = await foreign.lines_until(child, *last)

    assert [line for line in heard if f" {user} " in line] == foreign.events_of(user)
    assert str(never) not in " ".join(heard)
