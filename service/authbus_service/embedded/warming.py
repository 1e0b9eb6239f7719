"""Prepare what every start needs: the jars, a formatted log dir, an AOT cache for Java."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from authbus_service.embedded import jars, java, kafka, kafka_home, ports
from authbus_service.embedded.errors import EmbeddedError
from authbus_service.embedded.kafka_home import KafkaHome
from authbus_service.embedded.locks import Lock
from authbus_service.embedded.processes import Program, run

_FORMAT, _TRAIN = "format-", "train-"
_FORMAT_SECONDS = 60.0
# Each .venv has a Java of its own, and each Java a cache of 67 MB.
_UNUSED_SECONDS = 30 * 24 * 3600


def warm(report: Callable[[str], None]) -> None:
    """Fetch and make what is missing in the cache; a second call finds it and returns at once.

    Two processes may call it at once: one works, the other waits for it. Raises EmbeddedError
    when a package is missing or the cache cannot be used, DownloadError when the jars cannot be
    had.
    """
    home = kafka_home.find()
    if home.warm:
        with suppress(OSError):  # others may have made it, and only they may touch it
            home.aot_cache.touch()
        return
    try:
        _warm_alone(home, report)
    except OSError as error:
        cache = home.folder.parent
        msg = (
            f"the cache {cache} cannot be used: {error.strerror}. "
            "Mend that, or set AUTHBUS_CACHE to another folder"
        )
        raise EmbeddedError(msg) from None


def _warm_alone(home: KafkaHome, report: Callable[[str], None]) -> None:
    lock = Lock(home.folder.with_suffix(".lock"))
    if not lock.try_acquire():
        report("Waiting for another process that prepares Apache Kafka")
        lock.acquire()
    try:
        _make_missing(home, report)
    finally:
        lock.release()


def _make_missing(home: KafkaHome, report: Callable[[str], None]) -> None:
    _sweep(home)
    if not home.has_jars:
        jars.fetch(home.lock, home.jar_folder, report)
    if not home.template.is_dir():
        report("Formatting a log dir, once")
        _format(home)
    if not home.aot_cache.exists():
        report("Teaching Java to start Kafka quickly, once (some seconds)")
        _train(home)
        if not home.flags():
            report("  this Java made no AOT cache; Kafka will start a little slower")


def _sweep(home: KafkaHome) -> None:
    """Remove what killed runs left, and AOT caches of a Java that is not used any more.

    Who works there holds the lock, which is ours now.
    """
    for prefix in (jars.SCRATCH, _FORMAT, _TRAIN):
        for old in home.folder.glob(f"{prefix}*"):
            shutil.rmtree(old, ignore_errors=True)
    unused = time.time() - _UNUSED_SECONDS
    for other in home.folder.glob("*.aot"):
        with suppress(OSError):  # another user's, in a cache that is shared
            if other.stat().st_mtime < unused:
                other.unlink()


def _format(home: KafkaHome) -> None:
    with tempfile.TemporaryDirectory(dir=home.folder, prefix=_FORMAT) as scratch:
        plan = _scratch_plan(home, Path(scratch))
        arguments = ["format", "--cluster-id", kafka.new_uuid()]
        arguments += ["--config", str(kafka.write_properties(plan))]
        command = java.command("kafka.tools.StorageTool", arguments, jars=home.jars)
        program = Program(name="StorageTool", command=command, log=Path(scratch) / "format.log")
        run(program, seconds=_FORMAT_SECONDS)
        plan.log_dir.rename(home.template)


def _train(home: KafkaHome) -> None:
    with tempfile.TemporaryDirectory(dir=home.folder, prefix=_TRAIN) as scratch:
        made = Path(scratch) / "kafka.aot"
        asyncio.run(_run_once(_scratch_plan(home, Path(scratch) / "broker"), made))
        if made.exists():
            shutil.move(made, home.aot_cache)
        else:
            home.aot_cache.touch()


async def _run_once(plan: kafka.BrokerPlan, made: Path) -> None:
    broker = kafka.start(plan, f"-XX:AOTCacheOutput={made}")
    try:
        await kafka.ready(broker, plan)
        await broker.stop(seconds=_FORMAT_SECONDS)
    finally:
        await broker.kill()


def _scratch_plan(home: KafkaHome, folder: Path) -> kafka.BrokerPlan:
    port, controller_port = ports.free(2)
    return kafka.BrokerPlan(
        home=home, folder=folder, port=port, controller_port=controller_port, settings={}
    )
