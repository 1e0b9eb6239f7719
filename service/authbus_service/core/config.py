"""Settings: `load` alone reads the environment and `.env`; a name nobody knows is an error."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from authbus_service.core.errors import ConfigError
from authbus_service.core.settings import PREFIX, Settings, name_of, setting_names

__all__ = ["EMBEDDED", "ConfigError", "Settings", "load", "setting_names"]

_ENV_FILE = Path(".env")
# What the embedded stack reads by itself: it knows nobody.
EMBEDDED = {
    "AUTHBUS_EMBEDDED_KAFKA": "which Kafka runs: `3.5.2`, `3.9.2`, `4.3.0`, `4.4.0`",
    "AUTHBUS_EMBEDDED_POSTGRES": "which PostgreSQL runs: `16`, `18`",
    "AUTHBUS_CACHE": "where downloads are kept",
    "AUTHBUS_MAVEN_REPOSITORY": "a mirror for them",
}


class _Read(Settings, BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", env_file_encoding="utf-8"
    )


def load(env_file: Path = _ENV_FILE) -> Settings:
    """The settings of this process: the environment, then `env_file` where there is one.

    Raises ConfigError with all that is wrong, in one line.
    """
    try:
        in_file = dotenv_values(env_file, encoding="utf-8") if env_file.is_file() else {}
        problems = [*_unknown(os.environ), *_unknown(in_file), *_only_in_environment(in_file)]
        read = None if problems else _Read(_env_file=env_file)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        problems = [_told(each) for each in error.errors(include_input=False)]
        read = None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{env_file} cannot be read: {type(error).__name__}. Mend the file"
        ) from None
    if read is None:
        raise ConfigError("; ".join(filter(None, problems)))
    return Settings.model_construct(read.model_fields_set, **dict(read))


def _unknown(given: Mapping[str, str | None]) -> list[str]:
    known = [*setting_names(), *EMBEDDED]
    bare = {name.removeprefix(PREFIX): name for name in known}
    found: list[str] = []
    for name in sorted(given):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in known:
            near = get_close_matches(upper.removeprefix(PREFIX), bare, n=1, cutoff=0.5)
            hint = f"; did you mean {bare[near[0]]}?" if near else ""
            found.append(f"{name} is not a setting{hint}")
    return found


def _only_in_environment(in_file: Mapping[str, str | None]) -> list[str]:
    return [
        f"{name} is read from the environment alone, not from a file"
        for name in sorted(EMBEDDED.keys() & in_file.keys())
    ]


def _told(error: ErrorDetails) -> str:
    if error["type"] == "default_factory_not_called":
        return ""
    text = error["msg"].removeprefix("Value error, ")
    where = error["loc"]
    if not where:
        return text
    field = str(where[0])
    return f"{name_of(field) if field in Settings.model_fields else field}: {text}"
