"""TOML files in which an operator declares something: clients, roles."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from authbus_service.core.config import ConfigError

M = TypeVar("M", bound=BaseModel)


def read_tables(model: type[M], path: Path, setting: str) -> M:
    """The file as this model; `setting` is the one that names the file.

    Raises ConfigError when the file cannot be read or declares something wrong.
    """
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{setting}: {path} cannot be read: {reason}. Mend the file") from None
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise ConfigError(f"{setting}: {path}: {told}. Mend the file") from None
