"""The spec folder: what stands in it, written anew or compared."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from authbus.specification import asyncapi, examples, headers, schemas, table
from authbus.specification.messages import Kind, entries
from authbus.specification.schemas import Json

FOLDER = Path(__file__).parents[1] / "spec"
_NO_MORE: Mapping[str, str] = MappingProxyType({})
_FOLDERS = ("", "envelope", "examples", *(kind.value for kind in Kind))


def documents() -> dict[str, str]:
    """Every spec file's text by its path inside the folder."""
    found: dict[str, Json] = {
        "asyncapi.json": asyncapi.document(),
        "contract.json": table.as_json(),
        "envelope/Sealed.v1.json": schemas.sealed_document(),
    }
    for kind in Kind:
        found[f"envelope/{headers.NAMES[kind]}.v1.json"] = headers.document(kind)
    for entry in entries():
        found[f"{entry.kind.value}/{entry.name}.json"] = schemas.document(entry)
        found[f"examples/{entry.name}.json"] = examples.document(entry)
    texts = {path: _text(data) for path, data in found.items()}
    return dict(sorted({**texts, "contract.md": table.as_markdown()}.items()))


def write(folder: Path = FOLDER, more: Mapping[str, str] = _NO_MORE) -> list[Path]:
    """Bring the folder up to date; spec files of messages that are gone are removed.

    `more` are texts by their path inside the folder that others make.

    Returns:
        The files that were written, changed or removed: none when nothing was stale.
    """
    wanted = {**documents(), **more}
    changed = [folder / path for path in _stale(folder, wanted)]
    for path in changed:
        text = wanted.get(path.relative_to(folder).as_posix())
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return changed


def stale(folder: Path = FOLDER, more: Mapping[str, str] = _NO_MORE) -> list[str]:
    """The paths inside the folder that are missing, differ or should not be there, sorted."""
    return _stale(folder, {**documents(), **more})


def _stale(folder: Path, wanted: dict[str, str]) -> list[str]:
    there = {
        path.relative_to(folder).as_posix()
        for name in _FOLDERS
        for path in (folder / name).glob("*.json")
    }
    differ = {path for path, text in wanted.items() if not _same(folder / path, text)}
    return sorted(differ | (there - wanted.keys()))


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _text(data: Json) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
