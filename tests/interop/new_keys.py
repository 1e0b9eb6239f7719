"""A program that goes on asking while the keys that it seals to are replaced."""

from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.conftest import Serving
from tests.rig import foreign, rotating

PROGRAMS = Path(__file__).parent / "programs"


async def goes_over_to_them(
    *command: str, folder: Path, environment: Mapping[str, str], serving: Serving
) -> None:
    """Whether it is answered before and after."""
    master = serving.settings["AUTHBUS_MASTER_KEY"]
    process = foreign.started(*command, folder=folder, environment=environment, stdin=PIPE)
    async with process as child:
        before = await foreign.answer_to("before@example.com", child)
        await rotating.replaced(serving.database, master, serving.http)
        after = await foreign.answer_to("after@example.com", child)
    assert [said.split(" ")[0] for said in (before, after)] == ["registered", "registered"], after
