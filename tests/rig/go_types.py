"""Go types of the contract's messages, made of its schemas by quicktype and gofmt."""

from pathlib import Path
from tempfile import TemporaryDirectory

from authbus import specification
from tests.rig import foreign

CHECKED_IN = foreign.EXAMPLES / "go" / "events" / "events.go"
_PACKAGES = foreign.REPOSITORY / "tests" / "interop" / "npm"


async def tools() -> Path:
    """The folder of what makes them, with the packages of its lock."""
    return await foreign.installed_by_npm(_PACKAGES)


async def types(made_by: Path, kind: str) -> str:
    """Types of all messages of a kind."""
    folder = str(specification.FOLDER / kind)
    return "\n".join(await foreign.run("node", "types.js", folder, kind, folder=made_by)) + "\n"


async def events(made_by: Path) -> str:
    """The file of the Go example, as it has to be."""
    with TemporaryDirectory(prefix="go-types-") as folder:
        (Path(folder) / "events.go").write_text(await types(made_by, "events"), encoding="utf-8")
        lines = await foreign.run("gofmt", "events.go", folder=Path(folder))
    return "\n".join(lines) + "\n"
