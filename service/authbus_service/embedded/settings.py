"""The few settings that the embedded stack reads for itself, before any other is known."""

import os
from pathlib import Path

from authbus_service.embedded.packages import folder

_KAFKA, _POSTGRES = "4.3.0", "18"


def cache_folder() -> Path:
    """Return where downloads are kept: AUTHBUS_CACHE, or the user's own cache folder."""
    chosen = os.environ.get("AUTHBUS_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    folder("platformdirs")
    from platformdirs import user_cache_path  # noqa: PLC0415 - of the extra, may be missing

    return user_cache_path("authbus")


def maven_repositories() -> dict[str, str] | None:
    """Return the mirror from AUTHBUS_MAVEN_REPOSITORY or MAVEN_REPOSITORY; None: jgo's own."""
    mirror = os.environ.get("AUTHBUS_MAVEN_REPOSITORY") or os.environ.get("MAVEN_REPOSITORY")
    return {"mirror": mirror.rstrip("/")} if mirror else None


def kafka_version() -> str:
    """Return which Apache Kafka runs: AUTHBUS_EMBEDDED_KAFKA, or the usual one."""
    return os.environ.get("AUTHBUS_EMBEDDED_KAFKA") or _KAFKA


def postgres_version() -> str:
    """Return which PostgreSQL runs: AUTHBUS_EMBEDDED_POSTGRES, or the usual one."""
    return os.environ.get("AUTHBUS_EMBEDDED_POSTGRES") or _POSTGRES


def asks_for_tls() -> bool:
    """Whether PGSSLMODE, or another of libpq's words for TLS, is set in the environment."""
    return any(name.startswith("PGSSL") for name in os.environ)
