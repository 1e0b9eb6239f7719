"""`authbus keys replace-master`: what lies under which master key, and all of it moved to one."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import typer
from pydantic_core import to_json

from authbus_service.cli.keys import a_database, require_lead
from authbus_service.cli.output import report, say, show_rows, to_a_person
from authbus_service.cli.progress import progress
from authbus_service.cli.running import run_quietly
from authbus_service.core import clock
from authbus_service.core.config import Settings, load
from authbus_service.core.exit_status import Exit
from authbus_service.core.security.masters import Masters
from authbus_service.startup.master_key import masters_of
from authbus_service.startup.replacing import Replacement
from authbus_service.startup.under_masters import Lying, What

_WAITS: dict[What, str] = {
    "signing keys": "tokens that they signed live until then",
    "sealing keys": "commands that are sealed to them lie on their topics until then",
    "mails": "they are sent or given up by then",
    "answers": "they may be asked for again until then",
}
_WOULD: dict[What, str] = {
    "signing keys": "would be replaced by one of the current master",
    "sealing keys": "would be replaced by one of the current master",
    "second factors": "would be wrapped again",
}
_STAYS: dict[What, str] = {
    "signing keys": "a new one is ahead, or a process made it meanwhile: run this again",
    "sealing keys": "a new one is ahead, or a process made it meanwhile: run this again",
    "second factors": "their users were busy, or a process still has this master in front: again",
}


def replace_master(lead: int, trusted: str | None, *, dry_run: bool) -> None:
    """Move all to the current master, and print what lies where; exit 1 when some is left."""
    settings = load()
    require_lead(settings, lead)
    masters = masters_of(settings)
    found, trust, unreadable = run_quietly(_done(settings, masters, lead, trusted, dry_run=dry_run))
    show_rows([_row(each, masters, dry_run=dry_run) for each in found])
    for user_id in unreadable:
        report(f"the second factor of user {user_id} was altered and is of no use: take it away")
    others = [*masters.names[1:], *sorted({each.master for each in found} - {*masters.names})]
    if dry_run and others:
        report(f"before the first key of {masters.current} every client must trust: {trust}")
    if not others:
        report(
            f"{masters.current} is the only master key. "
            "Put a new one behind it in every process, and then in front"
        )
    left = {other: [each for each in found if each.master == other] for other in others}
    for other, lying in left.items():
        _close(other, lying, settings, dry_run=dry_run)
    if any(left.values()):
        raise typer.Exit(Exit.LEFT)


async def _done(
    settings: Settings, masters: Masters, lead: int, trusted: str | None, *, dry_run: bool
) -> tuple[list[Lying], str, list[UUID]]:
    async with a_database(settings) as database:
        with progress() as tell:
            work = Replacement(database, masters, tell)
            if dry_run:
                return await work.look(), work.trust, []
            found = await work.run(timedelta(seconds=lead), trusted)
            return found, work.trust, sorted(work.unreadable)


def _row(lying: Lying, masters: Masters, *, dry_run: bool) -> dict[str, Any]:
    return {
        "master": lying.master,
        "place": _place(lying.master, masters),
        "what": lying.what,
        "count": lying.count,
        "until": lying.until if lying.master != masters.current else None,
        "why": "" if lying.master == masters.current else _why(lying, dry_run=dry_run),
    }


def _place(master: str, masters: Masters) -> str:
    if master not in masters.names:
        return "missing"
    return "current" if master == masters.current else "previous"


def _why(lying: Lying, *, dry_run: bool) -> str:
    if lying.until is None:
        return (_WOULD if dry_run else _STAYS)[lying.what]
    if lying.what in _WOULD and lying.until < clock.now():
        return "would be destroyed" if dry_run else "just ran out: run this again"
    return _WAITS[lying.what]


def _close(master: str, left: Collection[Lying], settings: Settings, *, dry_run: bool) -> None:
    """The last word on a master: for a person a line, in a pipe an object."""
    setting = "AUTHBUS_MASTER_KEY" + ("" if settings.master_key_file is None else "_FILE")
    until = _latest(each.until for each in left)
    if not left:
        says = f"nothing is left under {master}: take it out of {setting}"
    else:
        told = ", ".join(f"{each.count} {each.what}" for each in left)
        when = "" if until is None or dry_run else f" after {until.isoformat(' ', 'seconds')}"
        again = "run this without --dry-run" if dry_run else f"run this again{when}"
        says = f"{told} {'lie' if dry_run else 'are left'} under {master}: {again}"
    count = sum(each.count for each in left)
    closing = {"master": master, "left": count, "until": until, "says": says}
    say(says if to_a_person() else to_json(closing).decode())


def _latest(times: Iterable[datetime | None]) -> datetime | None:
    """None when one of them is not known, or there is none."""
    known = [*times]
    return max((each for each in known if each is not None), default=None) if all(known) else None
