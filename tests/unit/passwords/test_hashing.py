"""Two engines make one hash, every answer costs one hash, and a password is never cut."""

import threading
import time
import unicodedata
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from structlog.testing import capture_logs

from authbus_service.core.security import argon2id
from authbus_service.core.security.argon2id import Cost, Engine, OneLane, Reference
from authbus_service.core.security.passwords import MAX_BYTES, Hasher, Verified, normalised
from authbus_service.core.security.sodium.library import load

CHEAP = Cost(8, 1)
RIGHT, WRONG = "correct horse battery", "correct horse batterz"


@pytest.fixture(scope="module")
def hasher() -> Hasher:
    return Hasher(CHEAP)


def engines(cost: Cost) -> tuple[Reference, OneLane]:
    reference, sodium = Reference(cost), load(cost.memory_kib)
    return reference, OneLane(sodium.name, sodium.tag, cost, reference)


def test_the_known_hash_is_what_a_third_implementation_makes() -> None:
    third = Argon2id(
        salt=argon2id.KNOWN_SALT,
        length=argon2id.TAG_BYTES,
        iterations=2,
        lanes=1,
        memory_cost=64,
    )

    third.verify_phc_encoded(argon2id.KNOWN_PASSWORD, argon2id.KNOWN)


@pytest.mark.parametrize("cost", [CHEAP, Cost(64, 3), Cost(19456, 2)])
def test_a_hash_of_either_engine_is_taken_by_the_other_and_by_argon2_cffi(cost: Cost) -> None:
    reference, sodium = engines(cost)

    theirs, ours = reference.hash(b"right", bytes(16)), sodium.hash(b"right", bytes(16))

    assert theirs == ours
    assert sodium.matches(theirs, b"right")
    assert reference.matches(ours, b"right")
    assert PasswordHasher().verify(ours, b"right")
    assert not sodium.matches(theirs, b"wrong")
    assert not reference.matches(ours, b"wrong")


@pytest.mark.parametrize(
    "made",
    [
        PasswordHasher(1, 16, 2),
        PasswordHasher(1, 8, 1, salt_len=8),
        PasswordHasher(1, 8, 1, hash_len=12),
        PasswordHasher(3, 32, 1, hash_len=64),
    ],
)
def test_hashes_of_other_parameters_are_checked_at_their_own_cost_and_made_anew(
    hasher: Hasher, made: PasswordHasher
) -> None:
    imported = made.hash(RIGHT)

    assert hasher.verify(imported, RIGHT) == Verified(ok=True, rehash_needed=True)
    assert hasher.verify(imported, WRONG) == Verified(ok=False)


@pytest.fixture
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(*_: object) -> float:
        return 0.02

    monkeypatch.setattr(argon2id, "_seconds", seconds)


@pytest.mark.usefixtures("alike")
def test_an_engine_that_agrees_is_used() -> None:
    assert Hasher(CHEAP).engine == "libsodium"


@pytest.mark.usefixtures("alike")
def test_an_engine_that_disagrees_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def other_hash(self: OneLane, password: bytes, salt: bytes) -> str:
        return Reference(CHEAP).hash(password, salt[::-1])

    monkeypatch.setattr(OneLane, "hash", other_hash)

    assert Hasher(CHEAP).engine == "argon2-cffi"


@pytest.mark.usefixtures("alike")
def test_an_engine_that_takes_any_password_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def anything(self: OneLane, phc: str, password: bytes) -> bool:
        return True

    monkeypatch.setattr(OneLane, "matches", anything)

    assert Hasher(CHEAP).engine == "argon2-cffi"


@pytest.mark.parametrize(("reference_rate", "chosen"), [(60.0, "libsodium"), (99.0, "argon2-cffi")])
def test_the_faster_engine_is_used(
    monkeypatch: pytest.MonkeyPatch, reference_rate: float, chosen: str
) -> None:
    rates = {"argon2-cffi": reference_rate, "libsodium": 60.0}

    def seconds(engine: Engine, cost: Cost) -> float:
        return 1 / rates[engine.name]

    monkeypatch.setattr(argon2id, "_seconds", seconds)

    engine, measured = argon2id.choose(CHEAP)

    assert (engine.name, measured) == (chosen, pytest.approx(rates[chosen]))


def test_a_slow_spell_of_the_machine_slows_each_engine_and_decides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates, slow = {"argon2-cffi": 99.0, "libsodium": 60.0}, [10.0, 10.0, 10.0]

    def seconds(engine: Engine, cost: Cost) -> float:
        return (slow.pop() if slow else 1.0) / rates[engine.name]

    monkeypatch.setattr(argon2id, "_seconds", seconds)

    assert argon2id.choose(CHEAP)[0].name == "argon2-cffi"


def test_more_than_one_lane_is_left_to_argon2_cffi() -> None:
    hasher = Hasher(Cost(16, 1, 2))

    assert hasher.engine == "argon2-cffi"
    assert hasher.verify(hasher.hash(RIGHT), RIGHT) == Verified(ok=True)


def test_a_hash_is_made_with_a_new_salt_or_with_the_one_given(hasher: Hasher) -> None:
    salt = bytes(range(16))

    assert hasher.hash(RIGHT) != hasher.hash(RIGHT)
    assert hasher.hash(RIGHT, salt) == hasher.hash(RIGHT, salt)
    assert hasher.verify(hasher.hash(RIGHT), RIGHT) == Verified(ok=True, rehash_needed=False)


def counting(matches: Callable[..., bool], costs: list[str]) -> Callable[..., bool]:
    def counted(engine: Engine, phc: str, password: bytes) -> bool:
        costs.append(phc.rsplit("$", 2)[0])
        return matches(engine, phc, password)

    return counted


def test_every_path_costs_one_hash_of_the_account_or_of_nobody(
    hasher: Hasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = hasher.hash(RIGHT)
    costs: list[str] = []
    for engine in (Reference, OneLane):
        monkeypatch.setattr(engine, "matches", counting(engine.matches, costs))
    passwords = (RIGHT, WRONG, "", "x" * 1024, "x" * 1025, "x" * 100_000, "\ud800" * 12)

    answers = [hasher.verify(phc, password) for phc in (own, None) for password in passwords]

    assert costs == [own.rsplit("$", 2)[0]] * len(answers)
    assert [answer.ok for answer in answers] == [True] + [False] * (len(answers) - 1)


@pytest.mark.parametrize("stored", ["plain", "$argon2id$v=19$m=8,t=1,p=1$!$!", "$2b$12$abc"])
def test_a_stored_text_that_is_no_hash_refuses_at_the_same_cost_and_is_told(
    hasher: Hasher, stored: str
) -> None:
    with capture_logs() as lines:
        answer = hasher.verify(stored, RIGHT)

    assert answer == Verified(ok=False)
    assert [line["event"] for line in lines] == ["a stored password hash cannot be read"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Å" * 12, "A\u030a" * 12),
        ("a\u00a0b\u3000c", "a b c"),
        ("\u212b" * 12, "\u00c5" * 12),
        (unicodedata.normalize("NFD", "한국어비밀번호"), "한국어비밀번호"),
    ],
)
def test_one_password_typed_in_two_ways_is_one_password(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Password", "password"),
        ("ﬃ", "ffi"),
        (" x", "x"),
        ("x" * 72 + "a", "x" * 72 + "b"),
        ("x" * 1023 + "a", "x" * 1023 + "b"),
        ("x\0a", "x\0b"),
    ],
)
def test_passwords_that_differ_are_two_passwords(hasher: Hasher, one: str, other: str) -> None:
    assert hasher.verify(hasher.hash(one), other) == Verified(ok=False)


def test_1024_bytes_after_normalisation_are_the_most() -> None:
    assert normalised("x" * MAX_BYTES) == b"x" * MAX_BYTES
    assert normalised("x" * (MAX_BYTES + 1)) is None
    assert normalised("é" * 513) is None
    assert normalised("e\u0301" * 512) == ("é" * 512).encode()
    assert normalised("\u03b9\u0308\u0301" * 512) == ("\u0390" * 512).encode()
    assert normalised("\u0958" * 300) is None


def test_what_is_no_text_is_no_password(hasher: Hasher) -> None:
    assert normalised("\ud800") is None
    with pytest.raises(ValueError, match="not a password") as raised:
        hasher.hash("secret" * 1000)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("which", [0, 1], ids=["argon2-cffi", "libsodium"])
def test_hashing_lets_other_threads_run(which: int) -> None:
    engine = engines(Cost(65536, 3))[which]
    thread = threading.Thread(target=engine.hash, args=(b"password", bytes(16)))
    ticks = 0

    thread.start()
    while thread.is_alive():
        time.sleep(0.001)
        ticks += 1

    assert ticks > 5
