"""Master keys: which are set, and those made here, 32 random bytes in base64."""

import base64
import os
import secrets
from pathlib import Path

from authbus_service.core.config import Settings
from authbus_service.core.security.masters import MasterKeyError, Masters

_BYTES = 32


def masters_of(settings: Settings) -> Masters:
    """As they are set; on this machine's own servers, those of their data folder.

    Raises MasterKeyError when there is none where one is needed, or it cannot be taken.
    """
    is_set = settings.master_key is not None or settings.master_key_file is not None
    if is_set or settings.kafka_bootstrap_servers is not None:
        return settings.masters()
    return Masters.read(None, kept_master_key(settings.data))


def new_master_key() -> str:
    """A new master key as text."""
    return base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def kept_master_key(folder: Path) -> Path:
    """The file with this data folder's own master key, made when it is not there; mode 0600.

    Raises MasterKeyError when it cannot be made.
    """
    path = folder / "master.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
    except OSError as error:
        raise MasterKeyError(
            f"the data folder {folder} cannot be used: {error.strerror}. "
            "Mend that, or set AUTHBUS_DATA to another folder"
        ) from None
    return path


def _make(path: Path) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(new_master_key() + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
