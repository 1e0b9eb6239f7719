"""Looks for texts in every file below a folder, in all the forms in which a text may be written."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

# Most of what servers set aside is empty; no form has as many zeros in a row.
_EMPTY = re.compile(rb"\0{64,}")


def forms(text: str) -> set[bytes]:
    """The text as it is, in hex, URL-encoded, as JSON, in UTF-16, and in base64 at any offset."""
    raw = text.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), quote(text, safe="").encode()}
    found |= {json.dumps(text)[1:-1].encode(), text.encode("utf-16-le")}
    for shift in range(3):
        padded = base64.b64encode(b"\0" * shift + raw)
        # The first and last characters hold bits of the neighbours too.
        kept = padded[(0, 2, 3)[shift] :].rstrip(b"=")
        kept = kept[:-1] if (shift + len(raw)) % 3 else kept
        found |= {kept, kept.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def sightings(folder: Path, texts: Mapping[str, str]) -> set[tuple[str, str]]:
    """(a text's name, the file below the folder) for every file that holds it in any form."""
    wanted = {name: forms(text) for name, text in texts.items()}
    return {
        (name, str(path.relative_to(folder)))
        for path in _files(folder)
        for name in _held(_EMPTY.sub(bytes(64), path.read_bytes()), wanted)
    }


def _held(data: bytes, wanted: Mapping[str, Iterable[bytes]]) -> Iterator[str]:
    for name, each in wanted.items():
        if any(form in data for form in each):
            yield name


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
