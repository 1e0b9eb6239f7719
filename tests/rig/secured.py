"""A Kafka with its doors shut: TLS, SASL by every mechanism, and an authorizer that knows ACLs."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from authbus.kafka.security import Mechanism, SaslPassword, SaslTokens, Security
from authbus.tls import Tls
from authbus_service.cluster.acl_admin import AclAdmin, acl_admin
from authbus_service.cluster.acls import Acl
from authbus_service.embedded import EmbeddedStack
from authbus_service.embedded.ports import free
from tests.rig.pki import Authority
from tests.rig.scram import set_passwords

_MODULES = "org.apache.kafka.common.security"
_LISTENERS = {"LOGIN": "SASL_SSL", "MUTUAL": "SSL", "BARE": "SASL_PLAINTEXT"}


@dataclass(frozen=True)
class Secured:
    """`inside` is the broker's own listener, where everybody may do all; the others are guarded."""

    inside: str
    login: str
    mutual: str
    bare: str
    authority: Authority

    def by_password(
        self, user: str, password: str | None = None, mechanism: Mechanism = "SCRAM-SHA-512"
    ) -> Security:
        """This user's way in on `login`."""
        secret = f"secret-of-{user}" if password is None else password
        return Security(Tls(self.authority.file), SaslPassword(user, secret, mechanism=mechanism))

    def by_certificate(self, user: str) -> Security:
        """This user's way in on `mutual`."""
        return Security(Tls(self.authority.file, self.authority.issue(user)))

    def by_token(self, user: str) -> Security:
        """This user's way in on `login`, by tokens that nobody signs."""

        async def token() -> str:
            return unsigned_token(user)

        return Security(Tls(self.authority.file), SaslTokens(token))


def unsigned_token(user: str, *, seconds: int = 600) -> str:
    """What Kafka's development validator takes."""
    now = int(time.time())
    parts = {"alg": "none"}, {"sub": user, "iat": now, "exp": now + seconds}
    texts = (base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in parts)
    return ".".join(each.rstrip("=") for each in texts) + "."


@asynccontextmanager
async def a_secured_kafka(folder: Path, users: Iterable[str]) -> AsyncGenerator[Secured]:
    """A broker that knows these users by the passwords `secret-of-<user>`; nobody has an ACL."""
    known = [*users]
    authority = Authority(folder)
    ports = dict(zip(_LISTENERS, free(len(_LISTENERS)), strict=True))
    config = _config(ports, authority, known)
    async with EmbeddedStack(postgres=False, broker_config=config) as stack:
        inside = stack.addresses.bootstrap_servers
        await set_passwords(inside, {user: f"secret-of-{user}" for user in known})
        places = {name.lower(): f"127.0.0.1:{port}" for name, port in ports.items()}
        yield Secured(inside=inside, authority=authority, **places)


@asynccontextmanager
async def changed(
    kafka: Secured, *extra: Acl, without: Collection[Acl] = ()
) -> AsyncGenerator[AclAdmin]:
    """A block in which these are there too, and those are not."""
    async with acl_admin(kafka.inside, {}) as admin:
        await _changed(admin, there=extra, gone=without)
        try:
            yield admin
        finally:
            await _changed(admin, there=without, gone=extra)


async def _changed(admin: AclAdmin, *, there: Collection[Acl], gone: Collection[Acl]) -> None:
    """The controller answers before each broker knows."""
    await admin.remove(gone)
    await admin.add(there)
    async with asyncio.timeout(10):
        while not _stands(await admin.found(), there, gone):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _stands(found: Collection[Acl], there: Collection[Acl], gone: Collection[Acl]) -> bool:
    """Whether the ones are in what was found, and none of the others."""
    return {*there} <= {*found} and not {*gone} & {*found}


def _config(ports: dict[str, int], authority: Authority, users: Iterable[str]) -> dict[str, str]:
    listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
    plain = " ".join(f'user_{user}="secret-of-{user}"' for user in users)
    modules = {
        "plain": f"{_MODULES}.plain.PlainLoginModule required {plain};",
        "scram-sha-256": f"{_MODULES}.scram.ScramLoginModule required;",
        "scram-sha-512": f"{_MODULES}.scram.ScramLoginModule required;",
        "oauthbearer": f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required "
        'unsecuredLoginStringClaim_sub="broker";',
    }
    logins = {
        f"listener.name.{listener}.{mechanism}.sasl.jaas.config": module
        for listener in ("login", "bare")
        for mechanism, module in modules.items()
    }
    return {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": ",".join(map(":".join, _LISTENERS.items())),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.issue("broker")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "listener.name.mutual.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
        **logins,
    }
