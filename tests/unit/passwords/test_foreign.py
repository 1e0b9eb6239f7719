"""Hashes from elsewhere: known ones are verified, costly ones are refused before any work."""

import threading
import time

import pytest

from authbus.foreign_hashes.hashes import accepted, matches
from authbus.foreign_hashes.scheme import RefusedHashError
from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.passwords import Hasher, Verified

SIGNER = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
FIREBASE = (
    f"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={SIGNER}$42xEC+ixf3L2lw==$"
    "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
)
BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
# Published by the systems and the standards that made them (RFC 6070, RFC 7914, Django, Firebase).
KNOWN = {
    "bcrypt 2a": (BCRYPT, "U*U"),
    "bcrypt 2y": (BCRYPT.replace("$2a$", "$2y$"), "U*U"),
    "bcrypt 2b": (BCRYPT.replace("$2a$", "$2b$"), "U*U"),
    "pbkdf2 with SHA-256": (
        "pbkdf2_sha256$1$salt$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
        "passwd",
    ),
    "pbkdf2 with SHA-1": ("pbkdf2_sha1$4096$salt$SwB5AbdlSJq+rUnZJvch0GWkKcE=", "password"),
    "scrypt by Django": (
        (
            "scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXF"
            "RkdVCBhhY8mx7rQwite/Pw=="
        ),
        "lètmein",
    ),
    "scrypt as PHC": (
        (
            "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQy"
            "lVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"
        ),
        "pleaseletmein",
    ),
    "Firebase": (FIREBASE, "user1password"),
    "Firebase, its second project": (
        (
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjn"
            "N0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7"
            "IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw=="
        ),
        "mytestpassword",
    ),
    "argon2id": (
        (
            "$argon2id$v=19$m=64,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$aukIufOFLQqi7xl/iMfwYKOe5dHmJXo6dOca"
            "riPTSmY"
        ),
        "correct horse battery stäple",
    ),
}
COSTLY = {
    "bcrypt, cost 15": (BCRYPT.replace("$05$", "$15$"), "bcrypt cost: 4 to 14"),
    "bcrypt, cost 31": (BCRYPT.replace("$05$", "$31$"), "bcrypt cost: 4 to 14"),
    "bcrypt, cost 3": (BCRYPT.replace("$05$", "$03$"), "bcrypt cost: 4 to 14"),
    "pbkdf2, 2,000,001 rounds": (
        KNOWN["pbkdf2 with SHA-256"][0].replace("$1$", "$2000001$"),
        "pbkdf2 rounds: 1 to 2000000",
    ),
    "pbkdf2, no rounds": (
        KNOWN["pbkdf2 with SHA-256"][0].replace("$1$", "$0$"),
        "pbkdf2 rounds: 1 to 2000000",
    ),
    "scrypt, 512 MiB": (
        KNOWN["scrypt as PHC"][0].replace("ln=14,r=8", "ln=16,r=64"),
        "scrypt memory: at most 256 MiB",
    ),
    "scrypt, N out of reach": (
        KNOWN["scrypt as PHC"][0].replace("ln=14", "ln=60"),
        "scrypt exponent of N: 1 to 20",
    ),
    "scrypt, N no power of two": (
        KNOWN["scrypt by Django"][0].replace("16384", "16383"),
        "scrypt N: a power of two",
    ),
    "scrypt, many lanes": (
        KNOWN["scrypt as PHC"][0].replace("p=1", "p=64"),
        "scrypt N times r times p: at most 2097152",
    ),
    "Firebase, memcost 19": (FIREBASE.replace("n=14", "n=19"), "scrypt memory: at most 256 MiB"),
    "Firebase, a short hash": (FIREBASE[:-64] + "==", "hash: as long as the signer key"),
    "argon2, 1 GiB": (
        KNOWN["argon2id"][0].replace("m=64", "m=1048576"),
        "argon2 KiB: 8 to 262144",
    ),
    "argon2, 256 MiB 5 times": (
        KNOWN["argon2id"][0].replace("m=64,t=2", "m=262144,t=5"),
        "argon2 KiB times passes: at most 1048576",
    ),
    "argon2, 17 lanes": (
        KNOWN["argon2id"][0].replace("m=64,t=2,p=1", "m=640,t=2,p=17"),
        "argon2 lanes: 1 to 16",
    ),
}
UNKNOWN = {
    "nothing": "",
    "a plain password": "correct horse battery",
    "MD5": "5f4dcc3b5aa765d61d8327deb882cf99",
    "SHA-512 crypt": "$6$rounds=5000$salt$" + "a" * 86,
    "argon2d": KNOWN["argon2id"][0].replace("argon2id", "argon2d"),
    "argon2 of version 16": KNOWN["argon2id"][0].replace("v=19", "v=16"),
    "bcrypt, cut": BCRYPT[:-1],
    "bcrypt and a line feed": BCRYPT + "\n",
    "bcrypt 2x": BCRYPT.replace("$2a$", "$2x$"),
    "pbkdf2 with MD5": KNOWN["pbkdf2 with SHA-256"][0].replace("sha256", "md5"),
    "a number of other digits": KNOWN["pbkdf2 with SHA-256"][0].replace("$1$", "$١$"),
    "a huge number": KNOWN["pbkdf2 with SHA-256"][0].replace("$1$", "$" + "9" * 5000 + "$"),
    "a long salt": KNOWN["pbkdf2 with SHA-256"][0].replace("$salt$", "$" + "s" * 129 + "$"),
    "64 KiB": "$" * 65_536,
    "what we make of Firebase's": accepted(FIREBASE),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_hash_is_taken_and_verified(name: str) -> None:
    text, password = KNOWN[name]

    stored = accepted(text)

    assert matches(stored, password)
    assert not matches(stored, password + "!")
    assert not matches(stored, "")
    assert not matches(stored, password + "\ud800")


@pytest.mark.parametrize("name", COSTLY)
def test_a_hash_beyond_the_ceiling_is_refused_by_its_rule_before_any_work(name: str) -> None:
    text, rule = COSTLY[name]

    began = time.perf_counter()
    with pytest.raises(RefusedHashError) as refused:
        accepted(text)

    assert str(refused.value) == rule
    assert time.perf_counter() - began < 0.05


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_has_no_known_form_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(RefusedHashError, match=r"^no known form of a hash$"):
        accepted(UNKNOWN[name])


def test_a_projects_signer_key_is_not_kept() -> None:
    stored = accepted(FIREBASE)

    assert SIGNER.rstrip("=") not in stored
    assert "sk=" not in stored


@pytest.mark.parametrize("end", ["x" * 73, "x" * 1000])
def test_bcrypt_reads_no_further_than_where_the_hash_was_made(end: str) -> None:
    stored = accepted("$2b$04$CCCCCCCCCCCCCCCCCCCCC.H1DrDTxcbGHCLMbnBaz9fJ8tCXmQDxm")

    matches(stored, end)


@pytest.mark.parametrize("name", KNOWN)
def test_a_foreign_hash_is_made_anew_after_a_right_password_alone(name: str) -> None:
    text, password = KNOWN[name]
    hasher = Hasher(Cost(memory_kib=8, time=1))
    stored = accepted(text)

    right = hasher.verify(stored, password)
    wrong = hasher.verify(stored, password + "!")
    too_long = hasher.verify(stored, "x" * 2000)

    assert right == Verified(ok=True, rehash_needed=True)
    assert wrong == too_long == Verified(ok=False)


@pytest.mark.parametrize(
    "text",
    [
        BCRYPT.replace("$05$", "$10$"),
        KNOWN["pbkdf2 with SHA-256"][0].replace("$1$", "$300000$"),
        KNOWN["scrypt as PHC"][0].replace("ln=14", "ln=16"),
    ],
)
def test_a_verification_lets_other_threads_run(text: str) -> None:
    ticks: list[float] = []
    over = threading.Event()

    def tick() -> None:
        while not over.wait(0.001):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    before = time.perf_counter()
    matches(text, "any password")
    after = time.perf_counter()
    over.set()
    thread.join()

    assert len([each for each in ticks if before < each < after]) > 3
