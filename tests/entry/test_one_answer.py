"""What a refused log-in is answered tells nobody why: not by its code, its fields or its size."""

from dataclasses import replace

from aiokafka import ConsumerRecord

from tests.entry.refused import LOG_INS, REFUSED, SETTINGS, with_accounts
from tests.rig.world import World

# These are each answer's own, and as long in each.
OWN = frozenset({"ce_id", "ce_time", "ce_causationid", "correlation_id"})


def shown(record: ConsumerRecord[bytes, bytes]) -> object:
    """All that a reader of the topic sees of an answer, but which one it is."""
    headers = [
        (name, len(value) if name in OWN else value) for name, value in record.headers if value
    ]
    assert len(headers) == len(record.headers)
    assert {name for name, _ in headers} >= OWN
    own_key = record.key and len(record.key)
    return record.topic, record.partition, own_key, record.timestamp_type, headers, record.value


async def test_whatever_a_log_in_is_refused_for_its_answer_is_the_same_to_the_byte(
    world: World,
) -> None:
    answers: dict[str, object] = {}
    async with replace(world, settings=SETTINGS).consuming():
        await with_accounts(world)
        for name, command in LOG_INS.items():
            draft = world.web.draft(command)
            assert await world.web.ask(draft) == REFUSED
            (record,) = world.web.answers(draft.id)
            answers[name] = shown(record)

    assert len(answers) == len(LOG_INS)
    assert {name: each for name, each in answers.items() if each != answers["wrong"]} == {}
