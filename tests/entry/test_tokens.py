"""Access tokens inside a seal that are none of ours, or no more: no command takes one."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from authbus import Code, LoggedIn, Rejected, base64url
from authbus.commands import AnyCommand
from authbus.contract import ROWS
from authbus.message import Reply
from authbus.signing import canonical, sign
from authbus.specification import examples
from authbus.topics import ADMIN
from authbus_service.core.ids import new_id
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.operator import operator_token
from tests.rig.crowd import Crowd
from tests.rig.dumps import dumped
from tests.rig.world import World

# Those for administrators: see test_admin_commands.
COMMANDS = [
    row.command
    for row in ROWS
    if "access_token" in row.command.model_fields and row.topic is not ADMIN
]
NONE = Rejected.because(Code.INVALID_TOKEN)
EFFECTS = ("users", "emails", "sessions", "codes", "mails", "factors", "erased_users")


def joined(header: Mapping[str, Any], claims: Mapping[str, Any], signature: bytes) -> str:
    signed = ".".join(base64url.encode(canonical(each)) for each in (header, claims))
    return f"{signed}.{base64url.encode(signature)}"


def hmac_by(secret: bytes, kid: str, claims: Mapping[str, Any]) -> str:
    """What a verifier takes that believes the header's algorithm and has our public key."""
    header = {"alg": "HS256", "typ": "at+jwt", "kid": kid}
    signed = joined(header, claims, b"").removesuffix(".")
    tag = hmac.digest(secret, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64url.encode(tag)}"


def signed_by_nobody(
    header: Mapping[str, Any], claims: Mapping[str, Any], signature: bytes
) -> list[str]:
    return [
        joined({**header, "alg": alg}, claims, signed)
        for alg in ("none", "None", "NONE", "", None, "EdDSA")
        for signed in (b"", signature)
    ]


def forged(world: World, session: LoggedIn, other: LoggedIn) -> dict[str, str]:
    """Tokens that say what a right one says of this session, and are not to be believed."""
    right = session.access_token.get_secret_value()
    masters, claims = world.masters, world.keyring.verified(right)
    assert claims is not None
    public = next(each for each in world.keyring.public_records() if each.use == "sig")
    header = {"typ": "at+jwt", "kid": public.kid}
    ours = masters.signing_key(public.kid, masters.current)
    _, body, signature = right.split(".")
    now = datetime.now(UTC)
    elsewhere = KeyRing(Masters([os.urandom(32)]))
    elsewhere.load(first_keys(now, elsewhere.masters))
    nobody = signed_by_nobody(header, claims, base64url.decode(signature))
    past = {**claims, "exp": int((now - timedelta(seconds=1)).timestamp())}
    return {
        **{f"alg none {number}": each for number, each in enumerate(nobody[:-1])},
        "alg none, its signature left out": f"{nobody[0].split('.')[0]}.{body}.",
        "an HMAC by the public key": hmac_by(base64url.decode(public.jwk["x"]), public.kid, claims),
        "expired": world.keyring.sign(past),
        "of another installation": elsewhere.sign(claims),
        "of another key by our name": sign(header, claims, Ed25519PrivateKey.generate()),
        "of the root key by our name": sign(header, claims, masters.root_key()),
        "of another namespace": world.keyring.sign({**claims, "iss": "authbus/other"}),
        "of another type": sign({**header, "typ": "JWT"}, claims, ours),
        "the record of a key": public.signature,
        "an operator's proof": operator_token(
            masters, issuer=str(claims["iss"]), command_id=new_id(), at=now
        ),
        "a refresh token": session.refresh_token.get_secret_value(),
        "of another user in this session": world.keyring.sign(
            {**claims, "sub": str(other.user_id)}
        ),
        "of nobody in this session": world.keyring.sign({**claims, "sub": str(new_id())}),
        "of a session that is not there": world.keyring.sign({**claims, "sid": str(new_id())}),
        "with a claim changed": f"{right.split('.')[0]}.{_other_body(claims)}.{signature}",
        "empty": "",
    }


def _other_body(claims: Mapping[str, Any]) -> str:
    return base64url.encode(canonical({**claims, "roles": ["admin"]}))


def asked(command: type[AnyCommand], token: str) -> AnyCommand:
    example = examples.VALUES[command]
    made = example.model_copy(update={"access_token": SecretStr(token)})
    assert isinstance(made, command)
    return made


async def effects(world: World) -> list[Any]:
    rows = await dumped(world.database)
    return [*(rows[name] for name in EFFECTS), await world.events()]


async def answers(world: World, tokens: list[str]) -> list[Reply]:
    web = world.web
    drafts = [
        web.draft(asked(each, token), key=new_id().bytes) for each in COMMANDS for token in tokens
    ]
    return await Crowd(world).asked(drafts, within=60)


async def test_no_command_takes_an_expired_a_foreign_or_an_unsigned_token(world: World) -> None:
    async with world.consuming():
        session, other = await Crowd(world).with_sessions(2)
        tokens = forged(world, session, other)
        before = await effects(world)

        found = await answers(world, list(tokens.values()))

        assert await effects(world) == before
        right = await answers(world, [session.access_token.get_secret_value()])

    told = [(command.__name__, name) for command in COMMANDS for name in tokens]
    let_in = [each for each, answer in zip(told, found, strict=True) if answer != NONE]
    assert let_in == []
    assert NONE not in right[:1]
    assert len(COMMANDS) > 10
