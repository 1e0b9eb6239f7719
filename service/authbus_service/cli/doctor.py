"""`authbus doctor`."""

from datetime import datetime

import typer

from authbus_service.cli.output import show_rows
from authbus_service.cli.running import run_quietly
from authbus_service.core.config import Settings, load
from authbus_service.core.exit_status import Exit
from authbus_service.startup.diagnosis import Diagnosis
from authbus_service.startup.doctor import Doctor


def examine(backup_from: datetime | None) -> None:
    """Print every finding; exit 1 when one is a fault."""
    findings = run_quietly(_findings(load(), backup_from))
    show_rows([{"what": each.what, "state": each.state, "says": each.says} for each in findings])
    if any(each.state == "fault" for each in findings):
        raise typer.Exit(Exit.LEFT)


async def _findings(settings: Settings, backup_from: datetime | None) -> list[Diagnosis]:
    return [each async for each in Doctor.of(settings, backup_from).look()]
