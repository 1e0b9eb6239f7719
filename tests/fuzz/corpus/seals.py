"""Seals whose bytes, algorithm or key is not right: dead letters, and no answer to anybody."""

import json
from collections.abc import Callable, Iterator
from random import Random

from joserfc import jwe
from joserfc.jwk import ECKey

from authbus.base64url import decode, encode
from authbus.sealing import LARGEST_SEAL, ReplyKey, seal
from tests.fuzz.case import Case, Family, Item, Make, Try, each, table
from tests.fuzz.scene import Scene

FORM, SEAL = "not_sealed", "bad_seal"


def with_part(index: int, change: Callable[[bytes], bytes], *among: str) -> Make:
    """One of the five parts of a right seal is changed."""

    def make(scene: Scene) -> Try:
        draft, _ = scene.either()
        parts = draft.value.split(b".")
        parts[index] = change(parts[index])
        return Try.of(draft.but(value=b".".join(parts)), *among)

    return make


def header_of(value: bytes) -> dict[str, object]:
    return json.loads(decode(value.split(b".")[0].decode()))


def with_seal_header(*among: str, **changes: object) -> Make:
    def change(part: bytes) -> bytes:
        header = {**json.loads(decode(part.decode())), **changes}
        return encode(json.dumps(header).encode()).encode()

    return with_part(0, change, *among)


def flipped(bit: int) -> Callable[[bytes], bytes]:
    def flip(part: bytes) -> bytes:
        made = bytearray(decode(part.decode()))
        made[bit // 8 % len(made)] ^= 1 << bit % 8
        return encode(bytes(made)).encode()

    return flip


def sealed_to(kid: str | None, *among: str) -> Make:
    """A payload sealed to a key of nobody, under this name, be it longer than a name may be."""

    def make(scene: Scene) -> Try:
        draft, _ = scene.either()
        key = {name: text for name, text in ReplyKey().public.items() if name != "kid"}
        value = seal(b"{}", key)
        if kid is not None:
            header = json.dumps({**header_of(value), "kid": kid}).encode()
            value = b".".join([encode(header).encode(), *value.split(b".")[1:]])
        return Try.of(draft.but(value=value), *among)

    return make


def under_our_kid(scene: Scene) -> Try:
    draft, _ = scene.either()
    kid = str(header_of(draft.value)["kid"])
    return Try.of(draft.but(value=seal(b"{}", {**ReplyKey().public, "kid": kid})), SEAL)


def zipped(scene: Scene) -> Try:
    draft, _ = scene.either()
    kid = str(header_of(draft.value)["kid"])
    protected = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": kid, "zip": "DEF"}
    key = ECKey.generate_key("P-256", {"kid": kid})
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM", "DEF"])
    value = jwe.encrypt_compact(protected, bytes(200_000), key, registry=registry)
    return Try.of(draft.but(value=value.encode()), FORM)


def largest(scene: Scene) -> Try:
    """As large as a seal may be, which leaves the record no room on its topic."""
    draft, _ = scene.either()
    room = 47_000
    while len(value := scene.inside(bytes(room)).value) <= LARGEST_SEAL - 4:
        room += max(1, (LARGEST_SEAL - 4 - len(value)) * 3 // 4)
    return Try.of(draft.but(value=value[:LARGEST_SEAL]), "refused by the broker")


def mixed(index: int) -> Make:
    """A part of another's seal in one's own."""

    def make(scene: Scene) -> Try:
        ours, theirs = scene.either()[0], scene.either()[0]
        parts, others = ours.value.split(b"."), theirs.value.split(b".")
        parts[index] = others[index]
        return Try.of(ours.but(value=b".".join(parts)), SEAL)

    return make


def transplanted(scene: Scene) -> Try:
    """A seal that somebody has seen, under labels of their own."""
    ours, theirs = scene.either()[0], scene.either()[0]
    return Try.of(ours.but(value=theirs.value), "header_mismatch")


def copied(scene: Scene) -> Try:
    """Another's record as it is, twice: it is their command, answered to them twice."""
    draft, said = scene.either()
    item = Item.of(draft)
    return Try([item, item], each(said, said))


HUGE = "k" * 200
WRONG = table(
    [
        ("a key that is not ours", sealed_to("nobody", "unknown_key")),
        ("no kid", sealed_to(None, FORM)),
        ("an empty kid", sealed_to("", FORM)),
        ("a huge kid", sealed_to(HUGE, FORM)),
        ("our kid, another key", under_our_kid),
        ("zip", zipped),
        ("as large as can be", largest),
        *((f"part {n} of another seal", mixed(n)) for n in (0, 2, 3, 4)),
        ("another's seal", transplanted),
        ("another's record", copied),
        ("an encrypted key", with_part(1, lambda _: b"AAAA", FORM)),
        ("no nonce", with_part(2, lambda _: b"", FORM)),
        ("no content", with_part(3, lambda _: b"", FORM)),
        ("no tag", with_part(4, lambda _: b"", FORM)),
        ("another nonce", with_part(2, flipped(5), SEAL)),
        ("a flipped bit", with_part(3, flipped(77), SEAL)),
        ("the last bit flipped", with_part(3, flipped(-1), SEAL)),
        ("another tag", with_part(4, flipped(0), SEAL)),
        ("one nonce twice", with_part(2, lambda _: encode(bytes(12)).encode(), SEAL)),
    ]
)
ALGORITHMS = table(
    [
        ("zip claimed", with_seal_header(FORM, zip="DEF")),
        ("crit", with_seal_header(FORM, crit=["x"], x=1)),
        ("alg dir", with_seal_header(FORM, alg="dir")),
        ("alg none", with_seal_header(FORM, alg="none")),
        ("alg wrapped", with_seal_header(FORM, alg="ECDH-ES+A256KW")),
        ("alg RSA", with_seal_header(FORM, alg="RSA-OAEP")),
        ("alg of another case", with_seal_header(FORM, alg="ecdh-es")),
        ("alg a list", with_seal_header(FORM, alg=["ECDH-ES"])),
        ("enc swapped", with_seal_header(FORM, enc="A128CBC-HS256")),
        ("enc weaker", with_seal_header(FORM, enc="A128GCM")),
        ("enc null", with_seal_header(FORM, enc=None)),
        ("jku", with_seal_header(FORM, jku="https://localhost/keys")),
        ("jwk", with_seal_header(FORM, jwk=dict(ReplyKey().public))),
        ("another agreement", with_seal_header(SEAL, apu="YQ")),
        ("an agreement of numbers", with_seal_header(SEAL, apv=7)),
        ("a kid of numbers", with_seal_header(FORM, kid=7)),
        ("no point", with_seal_header(SEAL, epk={})),
        ("a point that is text", with_seal_header(FORM, epk="x")),
        (
            "a point off the curve",
            with_seal_header(SEAL, epk={"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        ),
        (
            "a point of another curve",
            with_seal_header(SEAL, epk=ECKey.generate_key("P-384").as_dict(private=False)),
        ),
        ("a point of coordinates too long", with_seal_header(SEAL, epk={"x": "A" * 500, "y": ""})),
        ("header is no JSON", with_part(0, lambda _: b"e30x", FORM)),
        ("header nested", with_part(0, lambda _: encode(b"[" * 9000).encode(), FORM)),
        ("header one key twice", with_part(0, lambda _: encode(b'{"a":1,"a":1}').encode(), FORM)),
    ]
)


def more(random: Random) -> Iterator[Case]:
    kinds = [_flip, _cut, _mixed, _elsewhere]
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        yield Case(f"{kind.__name__[1:]} {number}", kind(random))


def _flip(random: Random) -> Make:
    return with_part(random.choice([2, 3, 4]), flipped(random.randrange(10_000)), SEAL)


def _cut(random: Random) -> Make:
    """The content is cut by whole bytes, so that the form stays."""
    share = random.random()

    def change(part: bytes) -> bytes:
        content = decode(part.decode())
        return encode(content[: 1 + int(share * (len(content) - 2))]).encode()

    return with_part(3, change, SEAL)


def _mixed(random: Random) -> Make:
    return random.choice([mixed(0), mixed(2), mixed(3), mixed(4), transplanted])


def _elsewhere(random: Random) -> Make:
    return random.choice([under_our_kid, sealed_to(random.randbytes(8).hex(), "unknown_key")])


def each_byte(random: Random) -> Iterator[Case]:
    """One bit of each byte of a seal, byte after byte."""
    at = 0
    while True:
        yield Case(f"byte {at} flipped", _byte(at, 1 << random.randrange(8)))
        at += 1


def _byte(at: int, bit: int) -> Make:
    def make(scene: Scene) -> Try:
        draft = scene.log_out()
        value = bytearray(draft.value)
        value[at % len(value)] ^= bit
        return Try.of(draft.but(value=bytes(value)), FORM, SEAL, "unknown_key", "secret_exposed")

    return make


SEALED = Family("seals of other keys and parts", 300, WRONG, more)
ALTERED = Family("seals altered byte by byte", 1100, ALGORITHMS, each_byte)
