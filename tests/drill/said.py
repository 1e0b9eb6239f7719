"""Everything that was said of users, read from its topics."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from authbus.events import UserErased
from authbus.topics import AUDIT, EVENTS
from tests.rig.topics import records


@dataclass
class Said:
    """`sequences` and `causes` are each user's; `told` are the commands that the audit knows."""

    ids: Counter[str] = field(default_factory=Counter[str])
    audited: Counter[str] = field(default_factory=Counter[str])
    told: set[str] = field(default_factory=set[str])
    causes: dict[str, set[str]] = field(default_factory=lambda: defaultdict[str, set[str]](set))
    erasures: dict[str, str] = field(default_factory=dict[str, str])
    sequences: dict[str, list[int]] = field(
        default_factory=lambda: defaultdict[str, list[int]](list)
    )

    def effects(self) -> set[str]:
        """The commands whose answers stay: of somebody who was erased, the erasure's alone."""
        return {
            cause
            for user, causes in self.causes.items()
            for cause in ([self.erasures[user]] if user in self.erasures else causes)
        }

    def faults(self) -> list[str]:
        """What was said twice, left out, or never audited."""
        found = [f"event {id_} was said {n} times" for id_, n in self.ids.items() if n > 1]
        found += [f"audit {id_} was said {n} times" for id_, n in self.audited.items() if n > 1]
        found += [
            f"the events of {user} count {told}"
            for user, told in self.sequences.items()
            if told != list(range(1, len(told) + 1))
        ]
        done = {cause for causes in self.causes.values() for cause in causes}
        return found + [f"no audit tells of command {cause}" for cause in done - self.told]


async def everything_said(servers: str, namespace: str) -> Said:
    """Read the events and the audit from their beginnings."""
    said = Said()
    async for record in records(servers, EVENTS, namespace):
        event, headers = json.loads(record.value or b"{}"), dict(record.headers)
        said.ids[headers["ce_id"].decode()] += 1
        said.causes[event["user_id"]].add(event["causation_id"])
        if headers["ce_type"] == UserErased.wire_type().encode():
            said.erasures[event["user_id"]] = event["causation_id"]
        said.sequences[event["user_id"]].append(event["sequence"])
    async for record in records(servers, AUDIT, namespace):
        said.audited[dict(record.headers)["ce_id"].decode()] += 1
        said.told.add(json.loads(record.value or b"{}").get("command_id", ""))
    return said
