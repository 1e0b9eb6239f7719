"""No secret of a bad record comes out anywhere, and no text of one breaks the log."""

import json
from base64 import b64encode
from uuid import uuid4

import pytest
from pydantic import SecretStr

from authbus import LogIn, LogOut, RegisterUser
from authbus_service.auth import handlers
from authbus_service.auth.request import Request
from authbus_service.core.ids import new_id
from tests.rig.outcomes import Watch
from tests.rig.producing import Draft, Producer

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = [
    *("'; DROP TABLE users; --", '" OR 1=1', "${jndi:ldap://x}", "{{7*7}}", "%s%n%x%d", "$(id)"),
    *(
        "{0.__class__}",
        "{password}",
        "%(password)s",
        "<script>",
        "\\",
        "\\u0000",
        "\\x1b[2J",
        "`id`",
    ),
    *(
        "\0",
        "\r",
        "\n",
        "\r\n",
        "\t",
        "\x0b",
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x7f",
        "\x85",
        "\x9b31m",
    ),
    *("\u2028", "\u2029", "\u202egnp.exe", "\u200b", "\ufeff", "\ufffe", "\U0010ffff", "ana\u0301"),
    *('"}\n{"level":"info","event":"all is well"}', '","level":"debug', "null", "NaN", "[]", "{}"),
    *("../../../etc/passwd", "file:///etc/passwd", "a" * 256, "\U0001f511" * 60, "İıſK", "日本語"),
    *("\r\nkafka_replyTopic: auth.events.v1", "ce_id=1", "--", "/*", "%00", "%0d%0a"),
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_hostile_text_in_type_source_and_correlation_is_data(watch: Watch, text: str) -> None:
    web = watch.world.web
    command = LogIn(email="ana@example.com", password=SecretStr("not the right one"))
    before = len(watch.lines())

    outcomes = [
        await watch.outcome(web.draft(command, type=text)),
        await watch.outcome(web.draft(command, source=text)),
        await watch.outcome(web.draft(command, correlation_id=text)),
    ]

    assert outcomes == ["unknown_type", "unknown_client", "invalid_credentials"]
    (line,) = watch.lines()[before:]
    assert (line["event"], line["reason"]) == ("dead letter", "unknown_client")


async def test_no_secret_comes_out_of_any_bad_record(watch: Watch) -> None:
    canary = f"canary-{uuid4().hex}"

    for draft in _drafts(watch.world.web, canary):
        await watch.between(draft)

    await _nothing_shows(watch, canary)
    assert "dead letter" in {line["event"] for line in watch.lines()}


@pytest.mark.parametrize("step", ["prepare", "decide"])
async def test_no_secret_comes_out_of_a_handler_that_fails(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    canary = f"canary-{uuid4().hex}"
    # Nobody else's address: a guess that is never settled makes others wait until it expires.
    command = LogIn(email=f"{step}@example.com", password=SecretStr(canary))

    def fail(request: Request, *_: object) -> None:
        raise ValueError(f"cannot {step} {request.command.to_json()}")

    monkeypatch.setattr(handlers, step, fail)
    outcome = await watch.outcome(watch.world.web.draft(command))
    monkeypatch.undo()

    assert outcome == "failed"
    await _nothing_shows(watch, canary)
    assert "command failed" in {line["event"] for line in watch.lines()}


def _drafts(web: Producer, canary: str) -> list[Draft]:
    """Records with a secret where one may be, and where none should."""
    command = LogIn(email="ana@example.com", password=SecretStr(canary))
    fresh = RegisterUser(email="fresh@new.example", password=SecretStr(canary))
    stolen = LogOut(session_id=new_id(), refresh_token=SecretStr(canary))
    data = command.to_json()
    return [
        web.draft(command).but(value=json.dumps(data).encode()),
        web.draft(command).but(value=canary.encode()),
        web.draft(command).but(key=canary.encode(), headers=[("ce_id", canary.encode())]),
        web.draft(command).with_header("traceparent", canary.encode()),
        web.draft(fresh).with_header("traceparent", canary.encode()),
        web.around(f'{{"password":"{canary}","password":""}}'.encode(), web.draft(command)),
        web.around(f'{{"password":"{canary}"'.encode(), web.draft(command)),
        web.around(json.dumps({"password": canary}).encode(), web.draft(command)),
        web.draft(command, data={**data, canary: canary}),
        web.draft(command, data={"password": [canary], "email": {canary: canary}}),
        web.draft(command, type=f"authbus.{canary}.v1"),
        web.draft(command, source=f"/clients/{canary}"),
        web.draft(command, reply_to=canary),
        web.draft(fresh, data={**fresh.to_json(), "email": f"{canary}\0@x.example"}),
        web.draft(fresh, reply_key={"x": canary}),
        web.draft(stolen),
    ]


async def _nothing_shows(watch: Watch, canary: str) -> None:
    rows = [
        str(row)
        for table in ("inbox", "outbox")
        for row in await watch.world.rows(f"SELECT {table}::text FROM {table}")
    ]
    raw = canary.encode()
    shown = "".join([*rows, watch.log.getvalue(), *(each.decode() for each in watch.raw_letters)])
    assert rows
    for form in (canary, raw.hex(), b64encode(raw).decode().rstrip("=")):
        assert form not in shown
