"""Everything derived is a pure function of its master and its parts, and of nothing else."""

import base64
import pickle
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from authbus_service.core.security.masters import (
    MasterKeyError,
    Masters,
    parse_masters,
)

ONE, TWO = bytes(range(32)), bytes(range(100, 132))
COMMAND = UUID("01890000-0000-7000-8000-000000000001")
CONTENT = b"c" * 32


def test_masters_are_read_as_base64_base64url_and_hex_with_commas_or_lines() -> None:
    third = bytes(range(48))
    text = (
        f"{base64.b64encode(ONE).decode()} , {base64.urlsafe_b64encode(TWO).decode().rstrip('=')}\n"
        f"\n{third.hex()}  # of last year\n"
    )

    assert parse_masters(text) == [ONE, TWO, third]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        (" ,\n", "empty"),
        ("pass word!", "neither base64 nor hex"),
        (ONE[1:].hex(), "shorter than 32"),
        (base64.b64encode(ONE[1:]).decode(), "shorter than 32"),
        ("ab" * 32, "not random"),
        (base64.b64encode(b"0123456789" * 4).decode(), "not random"),
        (f"{ONE.hex()},{base64.b64encode(ONE).decode()}", "twice"),
    ],
)
def test_a_weak_master_is_refused_and_not_repeated(text: str, told: str) -> None:
    with pytest.raises(MasterKeyError, match=told) as raised:
        parse_masters(text)

    assert not text.strip(" ,\n") or text not in str(raised.value)


def test_masters_come_from_a_text_or_a_file_and_a_missing_one_names_the_cure(
    tmp_path: Path,
) -> None:
    file = tmp_path / "master.key"
    file.write_text(ONE.hex() + "\n")

    read = Masters.read(None, file)

    assert read.names == Masters([ONE]).names
    assert read.names == Masters.read(SecretStr(ONE.hex()), None).names
    with pytest.raises(MasterKeyError, match="authbus keys new"):
        Masters.read(None, None)
    with pytest.raises(MasterKeyError, match="No such file"):
        Masters.read(None, tmp_path / "nowhere")


def test_derivations_stay_as_they_are_for_ever() -> None:
    masters = Masters([ONE])

    assert masters.current == "35a6c771"
    assert (
        masters.derive("content", b"a", b"bc").hex()
        == "418d8d630d9e41ee674f9e4a67dd69a095765c0d4b638ef97322f1ea83e3ef96"
    )
    assert str(masters.id("user", COMMAND, CONTENT)) == "01890000-0000-8b35-8ec4-6f07af1a84e1"
    assert masters.code("reset", COMMAND, CONTENT) == "ihqSuzxzc6CpSg3_b-QJGbY8ZDrdumKy13Fdqe2NB2k"


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_parts_that_differ_never_read_alike(one: list[bytes], other: list[bytes]) -> None:
    masters = Masters([ONE])

    alike = masters.derive("test", *one) == masters.derive("test", *other)

    assert alike == (one == other)


def test_a_previous_master_gives_what_it_gave_as_the_current_one() -> None:
    here, there = Masters([ONE]), Masters([TWO, ONE])
    old = there.names[1]

    assert here.content_digest(b"{}") == there.content_digest(b"{}", old)
    assert here.content_digest(b"{}") != there.content_digest(b"{}")


def test_key_pairs_depend_on_master_use_and_kid() -> None:
    masters = Masters([ONE, TWO])
    previous = masters.names[1]

    public = {
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for key in (
            masters.root_key(),
            masters.root_key(previous),
            masters.signing_key("a"),
            masters.signing_key("b"),
            masters.signing_key("a", previous),
            masters.sealing_key("a"),
            masters.sealing_key("b"),
            masters.sealing_key("a", previous),
        )
    }

    assert len(public) == 8
    again = Masters([ONE]).sealing_key("a").private_numbers()
    assert again == masters.sealing_key("a").private_numbers()


def test_a_master_that_is_not_in_the_list_is_named_in_the_error() -> None:
    masters = Masters([ONE])
    gone = Masters([TWO]).current

    with pytest.raises(MasterKeyError, match=gone):
        masters.derive("test", master=gone)


def test_masters_show_their_names_alone_and_are_never_pickled() -> None:
    masters = Masters([ONE])

    shown = repr(masters) + str(masters)

    assert masters.current in shown
    assert ONE.hex() not in shown
    assert repr(ONE) not in shown
    with pytest.raises(TypeError):
        pickle.dumps(masters)
