"""Whatever is taken of hashes from elsewhere can be checked later, as often as somebody logs in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authbus.foreign_hashes.hashes import accepted, matches
from authbus.foreign_hashes.scheme import RefusedHashError
from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.passwords import Hasher, Verified
from tests.unit.passwords.test_foreign import BCRYPT, FIREBASE, KNOWN

HASHER = Hasher(Cost(memory_kib=8, time=1))
ITOA64 = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
TEXTS = st.text(st.sampled_from(BASE64), min_size=20, max_size=44)
FEW = st.integers(1, 2)
NUMBERS = st.sampled_from(["1", "2", "01", "002"])
OUT_OF_REACH = {
    "PHC": KNOWN["scrypt as PHC"][0].replace("ln=14,r=8", "ln=16,r=1"),
    "Django": KNOWN["scrypt by Django"][0].replace("16384$seasalt$8", "65536$seasalt$1"),
    "Firebase": FIREBASE.replace("n=14,r=8", "n=17,r=1"),
}
CHEAP = st.one_of(
    st.builds("$2b$04${}".format, st.text(st.sampled_from(ITOA64), min_size=53, max_size=53)),
    st.builds("pbkdf2_sha1${}$salt${}=".format, NUMBERS, TEXTS),
    st.builds("scrypt${}$salt${}${}${}".format, st.just(1 << 16), FEW, FEW, TEXTS),
    st.builds("$scrypt$ln={},r={},p={}${}${}".format, st.integers(14, 17), FEW, FEW, TEXTS, TEXTS),
    st.builds("$argon2id$v=19$m=08,t={},p=1${}${}".format, NUMBERS, TEXTS, TEXTS),
    st.builds("$argon2i$v=19$m=16,t={},p={}${}${}".format, NUMBERS, FEW, TEXTS, TEXTS),
    st.builds(
        "$fbscrypt$v=1,n={0},r={1},p=1,ss=Bw==,sk={2}${2}${2}".format,
        st.integers(14, 17),
        FEW,
        TEXTS,
    ),
)


@given(CHEAP)
def test_what_is_taken_can_be_checked(text: str) -> None:
    try:
        stored = accepted(text)
    except RefusedHashError:
        return

    assert not matches(stored, "any password")
    assert HASHER.verify(stored, "any password") == Verified(ok=False)


@pytest.mark.parametrize("last", ITOA64[:16])
def test_bits_that_bcrypt_does_not_read_are_cleared(last: str) -> None:
    """The salt's last letter and the hash's last one hold more bits than there are."""
    text = BCRYPT.replace("C.E5YPO", f"C{last}E5YPO")[:-1] + ITOA64[24 + ITOA64.index(last) % 4]

    assert accepted(text) == BCRYPT
    assert HASHER.verify(text, "U*U").ok
    assert not HASHER.verify(text, "U*V").ok


@pytest.mark.parametrize("name", OUT_OF_REACH)
def test_an_n_that_scrypt_does_not_have_at_its_r_is_refused_with_a_cure(name: str) -> None:
    rule = r"^scrypt N where r is 1: below 65536; leave the hash out$"
    with pytest.raises(RefusedHashError, match=rule):
        accepted(OUT_OF_REACH[name])


def test_a_stored_hash_that_cannot_be_checked_refuses_every_password() -> None:
    stored = OUT_OF_REACH["PHC"]

    assert HASHER.verify(stored, "pleaseletmein") == Verified(ok=False)
    with pytest.raises(RefusedHashError):
        matches(stored, "pleaseletmein")
