"""The operators' commands, run as programs."""

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from authbus.topics import TOPICS
from tests.integration.cli.conftest import Authbus
from tests.rig.risks import fix_compression

CLIENTS = '[[client]]\nid = "web"\n'


@pytest.fixture
def clients(tmp_path: Path) -> str:
    file = tmp_path / "clients.toml"
    file.write_text(CLIENTS)
    return str(file)


def test_help_is_quick_and_names_every_command(tmp_path: Path) -> None:
    program = (sys.executable, "-m", "authbus_service", "--help")
    started = time.perf_counter()

    ended = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert time.perf_counter() - started < 3
    assert ended.returncode == 0
    for command in (
        "serve",
        "migrate",
        "topics",
        "spec",
        "demo",
        "keys",
        "replay",
        "dead-letters",
        "state",
        "watch",
        "version",
    ):
        assert command in ended.stdout


async def test_wrong_usage_ends_with_2(authbus: Authbus) -> None:
    assert (await authbus("serve", "--nonsense")).status == 2


async def test_a_new_master_key_has_32_random_bytes(authbus: Authbus) -> None:
    first, second = [await authbus("keys", "new") for _ in range(2)]

    assert len(base64.b64decode(first.out)) == 32
    assert first.out != second.out


async def test_topics_are_checked_applied_and_then_as_declared(
    authbus: Authbus, servers: str, namespace: str, clients: str
) -> None:
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": servers,
        "AUTHBUS_NAMESPACE": namespace,
        "AUTHBUS_CLIENTS": clients,
    }

    before = await authbus("topics", "check", **settings)
    applied = await authbus("topics", "apply", **settings)
    after = await authbus("topics", "check", **settings)
    await fix_compression(servers, namespace)
    fixed = await authbus("topics", "check", **settings)

    findings = [json.loads(line) for line in before.out.splitlines()]
    assert before.status == 1
    assert len(findings) == len(TOPICS) + 1
    assert {found["cure"] for found in findings} == {"authbus topics apply"}
    assert (applied.status, applied.out) == (0, "")
    assert (after.status, after.out) == (0, "")
    assert "12 topics are as declared" in after.err
    assert (fixed.status, json.loads(fixed.out)["fatal"]) == (0, False)


async def test_migrate_brings_an_empty_database_to_the_newest_revision_twice_without_harm(
    authbus: Authbus, database_url: str
) -> None:
    first = await authbus("migrate", DATABASE_URL=database_url)
    second = await authbus("migrate", DATABASE_URL=database_url)

    assert (first.status, second.status) == (0, 0)
    assert json.loads(first.out) == json.loads(second.out)
    assert json.loads(first.out)["revision"]


@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        (("migrate",), {}, "DATABASE_URL is not set"),
        (("topics", "check"), {}, "KAFKA_BOOTSTRAP_SERVERS is not set"),
        (
            ("topics", "check"),
            {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"},
            "AUTHBUS_CLIENTS is needed",
        ),
        (("migrate",), {"AUTHBUS_NAMESPICE": "x"}, "did you mean AUTHBUS_NAMESPACE?"),
        (
            ("migrate",),
            {"DATABASE_URL": "postgresql://a:hidden-word@127.0.0.1:1/x"},
            "Is PostgreSQL there",
        ),
    ],
)
async def test_what_a_person_can_mend_is_one_line_and_status_1(
    authbus: Authbus, arguments: tuple[str, ...], settings: dict[str, str], says: str
) -> None:
    ended = await authbus(*arguments, **settings)

    assert ended.status == 1
    assert ended.err.startswith("authbus: ")
    assert says in ended.err
    assert len(ended.err.splitlines()) == 1
    assert "hidden-word" not in ended.err + ended.out


async def test_no_kafka_at_the_address_is_one_line_that_names_it(
    authbus: Authbus, clients: str
) -> None:
    ended = await authbus(
        "topics", "check", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", AUTHBUS_CLIENTS=clients
    )

    assert ended.status == 1
    assert "cannot connect at 127.0.0.1:1" in ended.err
    assert len(ended.err.splitlines()) == 1
