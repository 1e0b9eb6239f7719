"""Who may do what on which topic, for two clients and three modules that read."""

from authbus_service.cluster import declared as declared_topics
from authbus_service.cluster.acls import acls
from authbus_service.consumers.intakes import groups_of
from authbus_service.core.clients import Declared
from tests.rig.trying import DOINGS, Doing

DECLARED = Declared.model_validate(
    {
        "client": [
            {"id": "web", "principal": "User:web"},
            {"id": "shell", "principal": "User:shell", "admin": True},
        ],
        "reader": [
            {"principal": "User:billing", "group": "billing"},
            {"principal": "User:crm", "group": "crm", "personal_data": True},
            {"principal": "User:auditor", "group": "audit", "audit": True},
        ],
    }
)
WANTED = acls("auth", DECLARED, groups_of("auth"))
TOPICS = sorted(each.name for each in declared_topics("auth", DECLARED.clients, 1))


def named(*suffixes: str) -> set[str]:
    return {f"auth.{each}" for each in suffixes}


COMMON = named("commands.credentials.v1", "commands.sessions.v1", "commands.accounts.v1")
COMMANDS = COMMON | named("commands.admin.v1")
BURIED = named("dead-letters.v1")
ANSWERS = named("replies.web", "replies.shell") | BURIED
VERIFYING = named("state.keys.v1", "sessions.ended.v1")
SAID = named("events.v1", "state.users.v1", "audit.v1", "relay.v1") | VERIFYING
ALL = set(TOPICS)

# principal -> (may read, may write, may describe); nobody may add partitions or delete records.
MATRIX: dict[str, tuple[set[str], set[str], set[str]]] = {
    "authbus": (COMMANDS | named("events.v1", "state.keys.v1"), ANSWERS, ALL),
    "authbus-relay": (BURIED | SAID, BURIED | SAID, BURIED | SAID),
    "authbus-operator": (ALL, COMMANDS | ANSWERS, ALL),
    "web": (named("replies.web") | VERIFYING, COMMON, set()),
    "shell": (named("replies.shell") | VERIFYING, COMMANDS, set()),
    "billing": (named("events.v1") | VERIFYING, set(), set()),
    "crm": (named("events.v1", "state.users.v1") | VERIFYING, set(), set()),
    "auditor": (named("events.v1", "audit.v1") | VERIFYING, set(), set()),
    "stranger": (set(), set(), set()),
}


def expected(user: str) -> dict[tuple[str, Doing], bool]:
    reads, writes, describes = MATRIX[user]
    cells: dict[Doing, set[str]] = {
        "read": reads,
        "write": writes,
        "describe": reads | writes | describes,
        "alter": set(),
        "delete": set(),
    }
    return {(topic, doing): topic in cells[doing] for topic in TOPICS for doing in DOINGS}
