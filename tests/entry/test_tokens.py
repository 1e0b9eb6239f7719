"""Access tokens inside a seal that are none of ours, or no more: no command takes one."""

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from authbus import Code, GrantRole, LoggedIn, Rejected, base64url
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
from tests.rig.operators import by_operator
from tests.rig.world import World

COMMANDS = [row.command for row in ROWS if "access_token" in row.command.model_fields]
OF_ADMINS = [row.command for row in ROWS if row.topic is ADMIN]
NONE = Rejected.because(Code.INVALID_TOKEN)
NOBODYS = {Code.INVALID_TOKEN, Code.FORBIDDEN}
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


async def answers(
    world: World, commands: Sequence[type[AnyCommand]], tokens: Iterable[str]
) -> list[Reply]:
    made = [asked(each, token) for each, token in product(commands, tokens)]
    drafts = [world.web.draft(each, key=new_id().bytes) for each in made]
    return await Crowd(world).asked(drafts, within=60)


async def an_administrators(world: World) -> tuple[LoggedIn, LoggedIn]:
    """The session of an administrator, and that of another user."""
    session, other = await Crowd(world).with_sessions(2)
    granted = await world.web.ask(
        by_operator(
            world, lambda by: GrantRole(access_token=by, user_id=session.user_id, role="admin")
        )
    )
    assert not isinstance(granted, Rejected)
    return session, other


async def test_no_command_takes_an_expired_a_foreign_or_an_unsigned_token(world: World) -> None:
    async with world.consuming():
        session, other = await an_administrators(world)
        tokens, right = forged(world, session, other), session.access_token.get_secret_value()
        before = await effects(world)

        found = await answers(world, COMMANDS, tokens.values())

        assert await effects(world) == before
        let_in = await answers(world, OF_ADMINS, [right])
        let_in += await answers(world, COMMANDS[:1], [right])

    told = product([each.__name__ for each in COMMANDS], tokens)
    taken = [each for each, answer in zip(told, found, strict=True) if answer != NONE]
    assert taken == []
    assert {each.code for each in let_in if isinstance(each, Rejected)}.isdisjoint(NOBODYS)
    assert len(COMMANDS) - 10 > len(OF_ADMINS) > 10
