"""Master keys made here: 32 random bytes in base64."""

import base64
import os
import secrets
from pathlib import Path

_BYTES = 32


def new_master_key() -> str:
    """A new master key as text."""
    return base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def kept_master_key(folder: Path) -> Path:
    """The file with this data folder's own master key, made when it is not there; mode 0600."""
    path = folder / "master.key"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(new_master_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    return path
