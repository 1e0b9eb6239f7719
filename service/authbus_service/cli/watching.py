"""`authbus watch`."""

import typer

from authbus_service.cli.output import report, say, to_a_person
from authbus_service.cli.running import run_quietly, until_asked
from authbus_service.core.config import Settings, load
from authbus_service.core.log_values import as_json, clean
from authbus_service.reading.records import Where
from authbus_service.startup.watching import watching
from authbus_service.watching.following import Sighting
from authbus_service.watching.silence import SECONDS

_SHORT = 8


def watch(where: list[str]) -> None:
    """Print records as they come, until Ctrl-C."""
    try:
        chosen = Where.read(where)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--where") from None
    run_quietly(until_asked(_watched(load(), chosen)))


async def _watched(settings: Settings, where: Where) -> None:
    def started() -> None:
        report(f"watching {settings.namespace}.*; Ctrl-C ends it")

    async with watching(settings, where) as follow:

        def silent(is_silent: bool) -> None:
            if not is_silent:
                report("Kafka answers again")
                return
            report(
                f"authbus: Kafka at {follow.admin.servers} cannot be reached: it has been silent "
                f"for {SECONDS:.0f} s. What comes is shown once it answers; authbus doctor tells "
                "what is wrong"
            )

        async for seen in follow.records(started, silent):
            say(line(seen) if to_a_person() else as_json(clean(seen.as_json())))


def line(seen: Sighting) -> str:
    """For a person: time, kind, type, who, outcome, and how long each stage took."""
    took = ", ".join(f"{stage} {ms:,.1f} ms" for stage, ms in seen.after_ms.items())
    who = f"user {str(seen.user_id)[-_SHORT:]}" if seen.user_id else seen.client or ""
    # Whoever can write to a topic chooses these: what is no plain letter is shown as its number.
    cells = (
        f"{seen.at:%H:%M:%S.%f}"[:-3],
        f"{seen.kind:11}",
        f"{_plain(seen.type):22}",
        f"{_plain(seen.command_id or seen.id)[-_SHORT:]:8}",
        f"{_plain(who):14}",
        f"{_plain(seen.outcome or ''):20}",
        took,
        "(replay)" if seen.replay_id else "",
    )
    return "  ".join(cells).rstrip()


def _plain(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode().translate(_CONTROLS)


_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), 127)}
