"""A real PgBouncer in front of a PostgreSQL, which lends its connections by the transaction."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import URL, make_url

from authbus_service.embedded import ports
from authbus_service.embedded.processes import Process, Program
from tests.rig.pgbouncer import pgbouncer

# Fewer than the connections of one process, so that each is lent to many.
CONNECTIONS = 5
_START_SECONDS = 20
_SETTINGS = f"""
listen_addr = 127.0.0.1
unix_socket_dir =
pool_mode = transaction
default_pool_size = {CONNECTIONS}
max_client_conn = 200
server_login_retry = 0.2
auth_type = scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Pooler:
    """Lends connections to the databases of one server."""

    port: int
    process: Process

    def url(self, database_url: str, *, declared: bool = True) -> str:
        """The address of a database by way of it, as an operator writes it."""
        query = {"pooler": "transaction"} if declared else {}
        near = make_url(database_url).set(
            drivername="postgresql", host="127.0.0.1", port=self.port, query=query
        )
        return near.render_as_string(hide_password=False)


@asynccontextmanager
async def a_pooler(server_url: str) -> AsyncGenerator[Pooler]:
    """One for the length of a block, in front of the server of this address."""
    server, found = make_url(server_url), pgbouncer()
    with tempfile.TemporaryDirectory() as scratch:
        (port,) = ports.free(1)
        configuration = _configured(Path(scratch), server, port)
        program = Program(
            name="PgBouncer",
            command=[
                "/usr/bin/env",
                *(f"{name}={value}" for name, value in found.environment().items()),
                str(found.program),
                str(configuration),
            ],
            log=configuration.parents[1] / "pgbouncer.log",
            own_folder=configuration.parent,
        )
        process = Process(program)
        try:
            await process.until(lambda: _answers(server, port), _START_SECONDS)
            yield Pooler(port, process)
        finally:
            await process.kill()


def _configured(folder: Path, server: URL, port: int) -> Path:
    folder.chmod(0o711)  # for who is no root any more
    own = folder / "own"
    own.mkdir()
    (own / "users").write_text(f'"{server.username}" "{server.password}"\n')
    configuration = own / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n* = host={server.host} port={server.port}\n"
        f"[pgbouncer]\nlisten_port = {port}\nauth_file = {own / 'users'}\n{_SETTINGS}"
    )
    return configuration


async def _answers(server: URL, port: int) -> bool:
    near = server.set(drivername="postgresql", host="127.0.0.1", port=port)
    with suppress(OSError, asyncpg.PostgresError, TimeoutError):
        db = await asyncpg.connect(near.render_as_string(hide_password=False), timeout=5)
        await db.close()
        return True
    return False
