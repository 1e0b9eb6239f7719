"""The records for auditors that a test reads."""

from pydantic import SecretStr

from authbus.state import AuditRecord
from tests.rig.producing import Draft
from tests.rig.world import World

WRONG = SecretStr("none of this is known")


async def audited(world: World) -> list[tuple[dict[str, str], str, AuditRecord]]:
    """Every record for auditors in the outbox: headers, key, value."""
    rows = await world.rows(
        "SELECT aggregateid, headers, payload FROM outbox "
        "WHERE aggregatetype = 'audit.v1' ORDER BY position"
    )
    return [
        (
            dict(row["headers"]),
            row["aggregateid"],
            AuditRecord.model_validate_json(row["payload"]),
        )
        for row in rows
    ]


async def of(world: World, *drafts: Draft) -> list[AuditRecord]:
    """The records of these commands, which have one each."""
    by_id = {told.command_id: told for _, _, told in await audited(world)}
    return [by_id[each.id] for each in drafts]
