"""Texts that mean something to a database, a log, a terminal, a template or a shell.

Where one may be kept, it is kept as it was sent.
"""

import unicodedata
from collections.abc import Callable, Iterator
from random import Random

from pydantic import SecretStr

from authbus import LogIn, RegisterUser, UserIsImported
from tests.fuzz.case import Case, Family, Make, Try
from tests.fuzz.scene import HANDLED, Scene, put
from tests.fuzz.stage import Stage

HOSTILE = [
    *("'; DROP TABLE users; --", '" OR 1=1', "${jndi:ldap://x}", "{{7*7}}", "%s%n%x%d", "$(id)"),
    *("{0.__class__}", "{password}", "%(password)s", "<script>", "\\", "\\u0000", "\\x1b[2J"),
    *("`id`", "\0", "\r", "\n", "\r\n", "\t", "\x0b", "\x1b[2J", "\x1b]0;title\x07", "\x7f"),
    *("\x85", "\x9b31m", "\u2028", "\u2029", "\u202egnp.exe", "\u200b", "\ufeff", "\ufffe"),
    *("\U0010ffff", "ana\u0301", '"}\n{"level":"info","event":"all is well"}', "ce_id=1"),
    *('","level":"debug', "null", "NaN", "[]", "{}", "../../../etc/passwd", "--", "/*", "%00"),
    *("file:///etc/passwd", "a" * 256, "\U0001f511" * 60, "İıſK", "日本語", "%0d%0a"),
    "\r\nkafka_replyTopic: auth.events.v1",
]
_SHORT = 256
_LONGEST_NAME = 200
_CONTROLS = frozenset({"Cc", "Zl", "Zp"})
_TURNS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def as_type(text: str) -> Make:
    return _in_envelope("type", text, "unknown_type")


def as_source(text: str) -> Make:
    return _in_envelope("source", text, "unknown_client")


def as_correlation(text: str) -> Make:
    return _in_envelope("correlation_id", text, HANDLED)


def _in_envelope(field: str, text: str, ends: str) -> Make:
    """In the headers too, where it may stand in an envelope."""
    if len(text) <= _SHORT:
        return lambda scene: Try.of(scene.log_in(**{field: text}), ends)
    return lambda scene: Try.of(scene.asking(put(**{field: text})), "bad_envelope")


def as_device(text: str) -> Make:
    def make(scene: Scene) -> Try:
        command = LogIn(email=scene.address(), password=SecretStr(scene.canary))
        data = {**command.to_json(), "device": text}
        return Try.of(scene.draft(command, data=data), HANDLED, "invalid")

    return make


def as_address(text: str) -> Make:
    def make(scene: Scene) -> Try:
        command = LogIn(email="x@y", password=SecretStr(scene.canary))
        data = {**command.to_json(), "email": f"{text}@example.com"}
        return Try.of(scene.draft(command, data=data), HANDLED, "invalid")

    return make


def as_new_address(text: str) -> Make:
    def make(scene: Scene) -> Try:
        command = RegisterUser(email="x@y", password=SecretStr(scene.canary))
        data = {**command.to_json(), "email": f"{text} {scene.address()}"}
        return Try.of(scene.draft(command, data=data), "email_invalid", "invalid")

    return make


def as_subject(text: str) -> Make:
    bad = len(text) > 1024
    return lambda scene: Try.of(
        scene.log_in().with_header("ce_subject", text.encode()), "bad_header" if bad else HANDLED
    )


def as_display_name(text: str) -> Make:
    ends = UserIsImported.wire_type() if may_be_a_name(text) else "invalid"
    return lambda scene: Try.of(scene.importing(text), ends)


def may_be_a_name(text: str) -> bool:
    """Whether it is short enough, shows something, and steers nothing that shows it."""
    steers = any(
        unicodedata.category(each) in _CONTROLS or unicodedata.bidirectional(each) in _TURNS
        for each in text
    )
    return len(text) <= _LONGEST_NAME and not text.isspace() and not steers


WAYS: list[Callable[[str], Make]] = [
    *(as_type, as_source, as_correlation, as_device, as_address, as_new_address, as_subject)
]


def _named() -> Iterator[Case]:
    for number, text in enumerate(HOSTILE):
        for way in (WAYS[number % len(WAYS)], as_display_name):
            yield Case(f"{text[:40]!a} {way.__name__}", way(text))


async def _names_as_they_were_sent(stage: Stage) -> list[str]:
    sent = stage.scene.named
    rows = await stage.rows("SELECT email, profile ->> 'display_name' AS name FROM users")
    kept = {row["email"]: row["name"] for row in rows}
    wanted = {email: name for email, name in sent.items() if may_be_a_name(name)}
    found = [
        f"the name {name[:40]!a} is stored as {kept.get(email)!a}"
        for email, name in wanted.items()
        if kept.get(email) != name
    ]
    made = [name for email, name in sent.items() if email in kept and email not in wanted]
    return found + [f"an account was made with the name {name[:40]!a}" for name in made]


def more(random: Random) -> Iterator[Case]:
    number = 0
    while True:
        number += 1
        text = "".join(random.choices(HOSTILE, k=random.randrange(1, 5)))
        text *= random.choice([1, 1, 1, 60])
        way = random.choice([*WAYS, as_display_name])
        yield Case(f"{way.__name__[3:]} {number}", way(text[:12_000]))


TEXTS = Family(
    "texts of SQL, logs, formats and terminals",
    500,
    list(_named()),
    more,
    looked=_names_as_they_were_sent,
)
