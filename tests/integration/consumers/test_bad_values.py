"""Whatever the bytes of a value are: one outcome, and the records around it are answered."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from pydantic import SecretStr

from authbus import LogIn
from authbus.base64url import decode, encode
from authbus.sealing import ReplyKey, seal
from tests.rig.outcomes import Watch
from tests.rig.producing import Draft, Producer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Make = Callable[[Producer], Draft]
CLEAR = b'{"email":"ana@example.com","password":"canary"}'


def a_log_in(web: Producer) -> Draft:
    return web.draft(LogIn(email="ana@example.com", password=SecretStr("not the right one")))


def with_value(value: Any) -> Make:
    return lambda web: a_log_in(web).but(value=value)


def sealing(payload: bytes) -> Make:
    return lambda web: web.around(payload, a_log_in(web))


def with_part(index: int, change: Callable[[bytes], bytes]) -> Make:
    """A log-in whose seal has one of its five parts changed."""

    def make(web: Producer) -> Draft:
        draft = a_log_in(web)
        parts = draft.value.split(b".")
        parts[index] = change(parts[index])
        return draft.but(value=b".".join(parts))

    return make


def with_seal_header(**changes: Any) -> Make:
    def change(part: bytes) -> bytes:
        header = {**json.loads(decode(part.decode())), **changes}
        return encode(json.dumps(header).encode()).encode()

    return with_part(0, change)


def flipped(bit: int) -> Callable[[bytes], bytes]:
    def flip(part: bytes) -> bytes:
        raw = bytearray(decode(part.decode()))
        raw[bit // 8 % len(raw)] ^= 1 << bit % 8
        return encode(bytes(raw)).encode()

    return flip


def cut(web: Producer) -> Draft:
    draft = a_log_in(web)
    return draft.but(value=draft.value[: len(draft.value) // 2])


def sealed_elsewhere(kid: str | None) -> Make:
    def make(web: Producer) -> Draft:
        key = {name: text for name, text in ReplyKey().public.items() if name != "kid"}
        named = key if kid is None else {**key, "kid": kid}
        return a_log_in(web).but(value=seal(b"{}", named))

    return make


def sealed_by_another_under_our_kid(web: Producer) -> Draft:
    draft = a_log_in(web)
    kid = json.loads(decode(draft.value.split(b".")[0].decode()))["kid"]
    return draft.but(value=seal(b"{}", {**ReplyKey().public, "kid": kid}))


def zipped(web: Producer) -> Draft:
    draft = a_log_in(web)
    header = json.loads(decode(draft.value.split(b".")[0].decode()))
    protected = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": header["kid"], "zip": "DEF"}
    key = ECKey.generate_key("P-256", {"kid": header["kid"]})
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM", "DEF"])
    value = jwe.encrypt_compact(protected, bytes(200_000), key, registry=registry)
    return draft.but(value=value.encode())


VALUES = {
    "empty": (with_value(b""), "empty"),
    "null": (with_value(None), "empty"),
    "random bytes": (with_value(os.urandom(700)), "not_sealed"),
    "zeros": (with_value(bytes(1000)), "not_sealed"),
    "UTF-16": (with_value(CLEAR.decode().encode("utf-16")), "not_sealed"),
    "overlong UTF-8": (with_value(b"\xc0\xaf" * 9), "not_sealed"),
    "dots": (with_value(b"." * 60_000), "not_sealed"),
    "in the clear": (with_value(CLEAR), "secret_exposed"),
    "in the clear, with a BOM": (with_value(b"\xef\xbb\xbf" + CLEAR), "secret_exposed"),
    "in the clear, as deep as fits": (with_value(b"[" * 60_000), "secret_exposed"),
}
SEALS = {
    "cut": (cut, "not_sealed"),
    "a key that is not ours": (sealed_elsewhere("nobody"), "unknown_key"),
    "no kid": (sealed_elsewhere(None), "not_sealed"),
    "a huge kid": (sealed_elsewhere("k" * 200), "not_sealed"),
    "our kid, another key": (sealed_by_another_under_our_kid, "bad_seal"),
    "zip": (zipped, "not_sealed"),
    "zip claimed": (with_seal_header(zip="DEF"), "not_sealed"),
    "crit": (with_seal_header(crit=["x"], x=1), "not_sealed"),
    "alg dir": (with_seal_header(alg="dir"), "not_sealed"),
    "alg none": (with_seal_header(alg="none"), "not_sealed"),
    "alg wrapped": (with_seal_header(alg="ECDH-ES+A256KW"), "not_sealed"),
    "enc swapped": (with_seal_header(enc="A128CBC-HS256"), "not_sealed"),
    "another agreement": (with_seal_header(apu="YQ"), "bad_seal"),
    "no point": (with_seal_header(epk={}), "bad_seal"),
    "a point off the curve": (
        with_seal_header(epk={"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        "bad_seal",
    ),
    "a point of another curve": (
        with_seal_header(epk=ECKey.generate_key("P-384").as_dict(private=False)),
        "bad_seal",
    ),
    "header is no JSON": (with_part(0, lambda _: b"e30x"), "not_sealed"),
    "header nested": (with_part(0, lambda _: encode(b"[" * 9000).encode()), "not_sealed"),
    "an encrypted key": (with_part(1, lambda _: b"AAAA"), "not_sealed"),
    "another nonce": (with_part(2, flipped(5)), "bad_seal"),
    "a flipped bit": (with_part(3, flipped(77)), "bad_seal"),
    "the last bit flipped": (with_part(3, flipped(-1)), "bad_seal"),
    "another tag": (with_part(4, flipped(0)), "bad_seal"),
    "a sixth part": (with_part(4, lambda tag: tag + b".AA"), "not_sealed"),
    "a line feed behind": (with_part(4, lambda tag: tag + b"\n"), "not_sealed"),
}
INSIDES = {
    "nothing": (sealing(b""), "not_sealed"),
    "a space": (sealing(b" "), "bad_json"),
    "not UTF-8": (sealing(b'{"id":"\xff\xfe"}'), "bad_json"),
    "as deep as fits": (sealing(b"[" * 48_000), "bad_json"),
    "objects as deep as fit": (sealing(b'{"a":' * 9_000), "bad_json"),
    "NaN": (sealing(b'{"a":NaN}'), "bad_json"),
    "-Infinity": (sealing(b'{"a":-Infinity}'), "bad_json"),
    "1e999": (sealing(b'{"a":1e999}'), "bad_json"),
    "a huge integer": (sealing(b'{"a":' + b"9" * 5000 + b"}"), "bad_json"),
    "a lone surrogate": (sealing(b'{"a":"\\ud800"}'), "bad_json"),
    "one key twice": (sealing(b'{"id":"1","id":"2"}'), "bad_json"),
    "trailing data": (sealing(b"{} {}"), "bad_json"),
    "a comment": (sealing(b"{/**/}"), "bad_json"),
    "a list": (sealing(b"[]"), "bad_json"),
    "no envelope": (sealing(b"{}"), "bad_envelope"),
    "U+0000 in every name": (sealing(b'{"\\u0000":"\\u0000"}'), "bad_envelope"),
    "many keys": (
        sealing(json.dumps({str(n): n for n in range(3000)}).encode()),
        "bad_envelope",
    ),
}


@pytest.mark.parametrize("name", VALUES)
async def test_a_value_that_is_no_seal_is_buried_alone(watch: Watch, name: str) -> None:
    await _is_buried(watch, *VALUES[name])


@pytest.mark.parametrize("name", SEALS)
async def test_a_seal_that_is_not_ours_or_was_altered_is_buried_alone(
    watch: Watch, name: str
) -> None:
    await _is_buried(watch, *SEALS[name])


@pytest.mark.parametrize("name", INSIDES)
async def test_a_seal_around_something_else_is_buried_alone(watch: Watch, name: str) -> None:
    await _is_buried(watch, *INSIDES[name])


async def _is_buried(watch: Watch, make: Make, reason: str) -> None:
    web = watch.world.web

    alone = await watch.outcome(make(web))
    between = await watch.between(make(web))

    assert (alone, between) == (reason, reason)
