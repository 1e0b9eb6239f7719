"""Kafka's own scripts, of which each does no more than run a class of Kafka's tools.

The tools are no part of what the service fetches: their jar comes once, for tests alone, and is
believed when it is the one that is locked here. What it needs is among the broker's jars.
"""

import asyncio
import shlex
from pathlib import Path

from authbus_service.embedded import jars, java, kafka_home
from authbus_service.embedded.jar_lock import Jar, JarLock
from authbus_service.embedded.locks import Lock
from authbus_service.embedded.settings import cache_folder
from tests.rig import foreign
from tests.rig.runbook import programs

_TOOLS = Jar(
    "org.apache.kafka:kafka-tools:4.3.0",
    698_592,
    "b88bc6ccc520d648142515526e4042c285612ce94b032434a88e3e936e38b600",
)
_CLASSES = {
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-delete-records.sh": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-log-dirs.sh": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions.sh": "org.apache.kafka.tools.TransactionsCommand",
}
_THERE = "kafka:9092"


async def ran_as_written(script: str, servers: str, folder: Path, *, action: str = "") -> list[str]:
    """The lines that the runbook's one command with this script prints until it ends well.

    Where there are more, `action` tells which.
    """
    written = (each for each in programs() if each.startswith(f"{script} "))
    (line,) = (each for each in written if action in shlex.split(each) or not action)
    assert _THERE in line
    return await ran(line.replace(_THERE, servers), folder)


async def ran(line: str, folder: Path) -> list[str]:
    """The lines that a command prints until it ends well."""
    script, *arguments = shlex.split(line)
    home = kafka_home.find()
    tools = await asyncio.to_thread(_fetched, home.lock.version)
    # What a broker is started with quickly has half of what these load, too.
    command = java.command(
        _CLASSES[script], arguments, jars=[*home.jars, tools], flags=home.flags()
    )
    return await foreign.run(*command, folder=folder)


def _fetched(version: str) -> Path:
    of = _TOOLS.gav.rpartition(":")[2]
    assert of == version, f"the broker is {version}, the tools are {of}: lock those of {version}"
    folder = cache_folder() / f"kafka-tools-{_TOOLS.sha256[:16]}"
    wanted = JarLock(version, (_TOOLS,), _TOOLS.sha256)
    lock = Lock(folder.with_suffix(".lock"))
    lock.acquire()
    try:
        if not jars.complete(folder, wanted):
            jars.fetch(wanted, folder, print)
    finally:
        lock.release()
    return folder / _TOOLS.file_name
