"""`authbus doctor` knows how long the command topics keep what a backup lacks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from authbus.topics import COMMAND_TOPICS, Topic
from tests.rig.patient import Patient
from tests.rig.risks import set_otherwise


@pytest.mark.parametrize("kept", ["-1", str(2**63 - 1)])
@pytest.mark.parametrize("topics", [COMMAND_TOPICS[:1], COMMAND_TOPICS])
async def test_no_backup_is_too_old_for_a_topic_that_keeps_its_commands_for_ever(
    patient: Patient, topics: Sequence[Topic], kept: str
) -> None:
    now = datetime.now(UTC)
    young, old = now - timedelta(days=6, hours=23), now - timedelta(days=7, hours=1)
    some_go = len(topics) < len(COMMAND_TOPICS)
    for topic in topics:
        await set_otherwise(*patient.place, topic, "retention.ms", kept)

    of_the_young, of_the_old = await patient.seen(young), await patient.seen(old)

    assert "backup" not in of_the_young
    assert ("backup" in of_the_old) == some_go
    assert "are kept longer" in of_the_young["inbox"][1]
