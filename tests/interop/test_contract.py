"""The contract as others' tools see it: AsyncAPI's own parser, and types made of the schemas."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from authbus import specification
from tests.rig import foreign, go_types

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

DOCUMENT = specification.FOLDER / "asyncapi.json"
KINDS = ("commands", "envelope", "events", "replies", "state")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tools() -> Path:
    return await go_types.tools()


async def parsed(tools: Path, document: Path) -> list[str]:
    return await foreign.run("node", "parse.js", str(document), folder=tools)


async def test_asyncapis_own_parser_has_nothing_against_the_document(tools: Path) -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    commands = len(list((specification.FOLDER / "commands").iterdir()))
    messages = len(document["components"]["messages"])

    assert await parsed(tools, DOCUMENT) == [
        f"operations {len(document['operations'])} replies {commands}",
        f"messages {messages}",
    ]


async def test_the_parser_tells_what_is_wrong(tools: Path, tmp_path: Path) -> None:
    document: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    document["operations"]["receiveLogIn"]["action"] = "take"
    broken = tmp_path / "asyncapi.json"
    broken.write_text(json.dumps(document), encoding="utf-8")

    assert "operations.receiveLogIn.action" in " ".join(await parsed(tools, broken))


async def test_go_types_of_every_schema_compile(tools: Path) -> None:
    module = foreign.CACHE / "go-types"
    module.mkdir(parents=True, exist_ok=True)
    (module / "go.mod").write_text("module example.com/contract\n\ngo 1.23\n")
    for kind in KINDS:
        (module / kind).mkdir(exist_ok=True)
        made = await go_types.types(tools, kind)
        (module / kind / "types.go").write_text(made, encoding="utf-8")
        wanted = {path.name.split(".")[0] for path in (specification.FOLDER / kind).iterdir()}
        assert wanted <= set(re.findall(r"^type (\w+) ", made, re.MULTILINE))

    await foreign.built_by_go("vet", "./...", folder=module)


async def test_the_types_in_the_go_example_are_those_of_the_schemas(tools: Path) -> None:
    made = await go_types.events(tools)

    assert go_types.CHECKED_IN.read_text(encoding="utf-8") == made, "stale: make go-events"
