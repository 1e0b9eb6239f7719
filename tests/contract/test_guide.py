"""What the guide of the contract promises to those who write from it alone, held to the code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from authbus import specification, topics
from authbus.commands import LogIn
from authbus.ended_sessions import TOKEN_LIFETIME
from authbus.profile import DEEPEST_ATTRIBUTES, LARGEST_ATTRIBUTES, LONGEST_KEY, MOST_KEYS
from authbus.sealing import LARGEST_SEAL
from authbus.specification import examples
from authbus.strict_json import JsonError, read_json
from authbus.tokens import LEEWAY
from authbus.verifier import MAX_STALENESS
from authbus_service.cluster.acls import SAID_BY_RELAY

GUIDE = " ".join((specification.FOLDER / "contract.md").read_text(encoding="utf-8").split())
# The ids that others choose as long as may be, and Spring's three beside them.
LONGEST = {"correlation_id": "x" * 256, "traceparent": "x" * 55}
SPRING = {"kafka_replyTopic": "x" * 256, "kafka_correlationId": "x" * 16}


def number(sentence: str) -> int:
    """The number that stands for `N` in this sentence of the guide."""
    found = re.search(re.escape(sentence).replace("N", r"([\d,]+)"), GUIDE)
    assert found, sentence
    return int(found[1].replace(",", ""))


def test_the_largest_seal_that_the_guide_allows_fits_into_a_record_of_its_topic() -> None:
    most = number("At most N bytes")
    shown = examples.sealed(LogIn).headers()
    headers = {**{name: value.decode() for name, value in shown}, **LONGEST, **SPRING}
    batch = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10**6,
    )
    pairs: list[tuple[str, bytes | None]] = [
        (name, value.encode()) for name, value in headers.items()
    ]
    batch.append(0, timestamp=1, key=b"k" * 64, value=b"v" * most, headers=pairs)

    assert len(batch.build()) <= int(topics.CREDENTIALS.config["max.message.bytes"])
    assert most < LARGEST_SEAL


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("no name twice", b'{"a": 1, "a": 1}'),
        ("no byte order mark", b'\xef\xbb\xbf{"a": 1}'),
        ("no number beyond 64 bits", b'{"a": 9223372036854775808}'),
        ("no surrogate alone", rb'{"a": "\ud800"}'),
        ("no more than 32 levels", deep(33)),
    ],
)
def test_the_guide_tells_what_json_is_not_read(what: str, text: bytes) -> None:
    assert what in GUIDE
    with pytest.raises(JsonError):
        read_json(text)


def test_the_guide_tells_that_u_0000_stands_in_no_text() -> None:
    data: dict[str, Any] = json.loads(r'{"email": "ana@example.com", "password": "a\u0000b"}')

    assert "no U+0000" in GUIDE
    with pytest.raises(ValueError, match="U\\+0000"):
        LogIn.model_validate(data)


def test_json_of_32_levels_and_64_bits_is_read() -> None:
    assert read_json(deep(32))
    assert read_json(b'{"a": 9223372036854775807, "b": -9223372036854775807}')


def test_the_guide_tells_when_the_feed_of_ended_sessions_is_relied_on_as_the_verifier_does() -> (
    None
):
    minutes = TOKEN_LIFETIME.total_seconds() / 60

    assert number("more than N s behind") == MAX_STALENESS
    assert number("`exp` is at most N minutes after `iat`") == minutes
    assert number("Read that topic back N minutes") == 2 * minutes
    assert number("keep each for N minutes") == 2 * minutes
    assert "every partition" in GUIDE


def test_the_guide_tells_what_a_retired_key_is_good_for_as_the_verifier_does() -> None:
    assert "issued after its key's `retired_at` is refused" in GUIDE
    assert "a key that was retired once stays so" in GUIDE
    assert "`kid` is the record's key" in GUIDE


@pytest.mark.parametrize(
    "topic",
    [each for each in SAID_BY_RELAY if each is not topics.RELAY],
    ids=lambda topic: topic.suffix,
)
def test_the_guide_tells_to_read_committed_records_alone_of_what_the_relay_writes(
    topic: topics.Topic,
) -> None:
    at = GUIDE.index("isolation.level=read_committed")
    sentence = GUIDE[GUIDE.rindex(". ", 0, at) : GUIDE.index(". ", at)]

    assert f"`{topic.name()}`" in sentence


@pytest.mark.parametrize(
    ("example", "says"),
    [
        ("go/login/main.go", "ValidateWithLeeway(expected, N*time.Second)"),
        ("java/src/main/java/example/Login.java", "setMaxClockSkew(N)"),
        ("javascript/login.js", "clockTolerance: N }"),
        ("shell/authbus.sh", ".exp > now - N and"),
    ],
    ids=["go", "java", "javascript", "shell"],
)
def test_each_example_allows_a_token_the_leeway_of_the_contract_and_not_its_librarys(
    repository: Path, example: str, says: str
) -> None:
    text = (repository / "schemas" / "examples" / example).read_text(encoding="utf-8")
    found = re.search(re.escape(says.replace("N", "0")).replace("0", r"(\d+)", 1), text)

    assert found, says
    assert int(found[1]) == number("Allow N s of leeway") == LEEWAY.total_seconds()


def test_the_java_example_waits_for_an_answer_for_as_long_as_its_command_lives(
    repository: Path,
) -> None:
    folder = repository / "schemas" / "examples" / "java" / "src" / "main" / "java" / "example"
    text = (folder / "Bus.java").read_text(encoding="utf-8")

    assert "plusSeconds(SECONDS)" in text
    assert ".get(SECONDS, TimeUnit.SECONDS)" in text
    assert "setDefaultReplyTimeout(Duration.ofSeconds(SECONDS))" in text


def test_the_contract_tells_the_bounds_of_a_profiles_attributes() -> None:
    said = (specification.FOLDER / "commands" / "UpdateProfile.v1.json").read_text("utf-8")

    for bound in (
        f"{LARGEST_ATTRIBUTES} bytes",
        f"{DEEPEST_ATTRIBUTES} levels",
        f"{MOST_KEYS} keys",
    ):
        assert bound in said
    assert f"{LONGEST_KEY} characters" in said
