"""All that happens to accounts, right and wrong, with texts that are found wherever they go."""

import asyncio
import base64
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID, uuid4

import pytest

from authbus import AuthClient, AuthRejected, SecondFactorNeeded
from authbus.client import Session
from authbus.totp import code_at, step_of
from authbus.uuid7 import uuid7
from tests.rig.post import Post, parts

T = TypeVar("T")


def a_secret() -> str:
    return f"canary+{uuid4().hex}/{uuid4().hex[:7]}"


def a_name() -> str:
    return f"canary-{uuid4().hex}"


@dataclass
class Life:
    """`secrets` may be in no file, `personal` data only in PostgreSQL's and in users' states."""

    auth: AuthClient
    post: Post
    operator: Callable[[UUID], str]
    trust: str
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    personal: dict[str, str] = field(default_factory=dict[str, str])
    codes: set[str] = field(default_factory=set[str])

    def secret(self, name: str, value: str | None = None) -> str:
        """A secret that is looked for later, under a name that tells it from others."""
        found = value or a_secret()
        self.secrets[f"{name} {len(self.secrets)}"] = found
        return found

    def person(self, name: str) -> str:
        """A personal text, likewise."""
        self.personal[f"{name} {len(self.personal)}"] = found = a_name()
        return found

    def address(self) -> str:
        return f"{self.person('address')}@example.com"

    def held(self, session: Session) -> Session:
        """A session whose secrets are looked for."""
        self.secret("access token", session.access_token)
        self.secret("refresh token", session.refresh_token)
        if session.device_token:
            self.secret("device token", session.device_token)
        return session

    async def refused(self, call: Awaitable[object]) -> None:
        with pytest.raises(AuthRejected):
            await call

    async def code(self, address: str) -> str:
        """The next code that is mailed to an address."""
        async with asyncio.timeout(10):
            while True:
                for message in self.post.taken:
                    found = re.search(r"code=([\w-]+)", parts(message)[0])
                    if address in str(message["To"]) and found and found[1] not in self.codes:
                        self.codes.add(found[1])
                        return self.secret("code", found[1])
                await asyncio.sleep(0.02)

    async def born(self, password: str) -> tuple[str, UUID, Session]:
        """A user with an address, verified, and a session."""
        email = self.address()
        user = await self.auth.register(email, password)
        session = await self.auth.log_in(
            email, password, device=self.person("device"), ip_address=self.person("ip")
        )
        await self.auth.email.verify(await self.code(email))
        return email, user.user_id, self.held(session)

    async def lived(self) -> None:
        """All of it."""
        password = self.secret("password")
        email, user_id, session = await self.born(password)
        root = await self.administrator()
        await self.knocks(email, session)
        await self.sessions(email, password)
        await self.profile(session)
        await self.factors()
        email, password = await self.credentials(email, password, session)
        await self.administered(root, user_id, email)
        await self.services(root)
        await self.ends(root)

    async def administrator(self) -> str:
        """An administrator's token; the first one's role comes by the master key."""
        password = self.secret("password")
        email, user_id, _ = await self.born(password)
        id_ = uuid7()
        proof = self.secret("operator's proof", self.operator(id_))
        await self.auth.admin.grant_role(proof, user_id, "admin", command_id=id_)
        return self.held(await self.auth.log_in(email, password)).access_token

    async def knocks(self, email: str, session: Session) -> None:
        """What is wrong is refused."""
        auth = self.auth
        await self.refused(auth.register(email, self.secret("password")))
        await self.refused(auth.log_in(email, self.secret("wrong password")))
        await self.refused(auth.log_in(self.address(), self.secret("wrong password")))
        await self.refused(auth.sessions.list(self.secret("wrong token")))
        await self.refused(auth.email.resend_verification(session.access_token))
        await self.refused(auth.email.verify(self.secret("wrong code")))
        wrong = self.secret("wrong password"), self.secret("new password")
        await self.refused(auth.passwords.change(session.access_token, *wrong))

    async def sessions(self, email: str, password: str) -> None:
        """Sessions are listed, refreshed and ended."""
        auth = self.auth
        one, two, three, last = [self.held(await auth.log_in(email, password)) for _ in range(4)]
        await auth.sessions.list(one.access_token)
        await auth.sessions.end(one.access_token, two.session_id)
        one = self.held(await auth.refresh(one))
        await auth.log_out(three)
        await auth.log_in(email, password, device_token=last.device_token)
        await auth.log_out(last)

    async def factors(self) -> None:
        """A second factor is set up, used and given up."""
        auth, password = self.auth.factors, self.secret("password")
        email, _, session = await self.born(password)
        token = session.access_token
        app = await auth.start_totp(token, password, label=self.person("label"))
        secret = base64.b32decode(self.secret("second factor", app.secret))
        await self.refused(auth.confirm_totp(token, self.secret("wrong code")))
        codes = await auth.confirm_totp(token, code_at(secret, step_of(datetime.now(UTC))))
        for each in codes:
            self.secret("recovery code", each)
        with pytest.raises(SecondFactorNeeded) as needed:
            await self.auth.log_in(email, password)
        challenge = self.secret("challenge", needed.value.challenge)
        self.held(await auth.complete_log_in(challenge, codes[0], device=self.person("device")))
        stepped = await auth.step_up(session, codes[2])
        self.secret("access token", stepped.access_token)
        await auth.disable_totp(token, codes[1])

    async def profile(self, session: Session) -> None:
        """A profile is filled in, read and exported."""
        auth, token = self.auth, session.access_token
        name, attributes = self.person("name"), {self.person("key"): self.person("value")}
        await auth.profile.update(token, 0, display_name=name, attributes=attributes)
        await auth.profile.get(token)
        await auth.account.export(token)

    async def credentials(self, email: str, password: str, session: Session) -> tuple[str, str]:
        """Password and address change."""
        auth, token, new = self.auth, session.access_token, self.secret("new password")
        await auth.passwords.change(token, password, new)
        address = self.address()
        await auth.email.change(token, new, address)
        await auth.email.confirm_change(await self.code(address))
        await auth.passwords.request_reset(address)
        newest = self.secret("newest password")
        await auth.passwords.reset(await self.code(address), newest)
        return address, newest

    async def administered(self, root: str, user_id: UUID, email: str) -> None:
        """What administrators do about a user."""
        admin = self.auth.admin
        await admin.find(root, email_prefix=email)
        await admin.get(root, user_id)
        await admin.export(root, user_id)
        await admin.grant_role(root, user_id, "admin")
        await admin.revoke_role(root, user_id, "admin")
        await admin.unlock(root, user_id)
        await admin.reset_second_factor(root, user_id)
        await admin.force_password_reset(root, user_id)
        await self.imported(root)
        await admin.end_sessions(root, user_id)
        await admin.deactivate(root, user_id)
        await admin.reactivate(root, user_id)

    async def imported(self, root: str) -> None:
        """A user of another system, whose own secret stays there, and one who is refused."""
        signer, hashed = (base64.b64encode(os.urandom(64)).decode() for _ in range(2))
        costs = f"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={self.secret('signer', signer)}"
        kept, name = f"{costs}$42xEC+ixf3L2lw==${hashed}", self.person("name")
        await self.auth.admin.import_user(
            root, self.address(), password_hash=kept, display_name=name
        )
        unknown = self.secret("unknown hash")
        await self.refused(self.auth.admin.import_user(root, self.address(), password_hash=unknown))

    async def services(self, root: str) -> None:
        """A machine's account is made, used, and given another secret."""
        services = self.auth.services
        made = await services.create(root, self.person("name"))
        secret = self.secret("service's secret", made.secret)
        self.secret("access token", (await services.log_in(made.user_id, secret)).access_token)
        await self.refused(services.log_in(made.user_id, self.secret("wrong secret")))
        again = await services.rotate_secret(root, made.user_id)
        self.secret("service's secret", again.secret)

    async def ends(self, root: str) -> None:
        """Accounts end, by their users and by others."""
        auth, password = self.auth, self.secret("password")
        _, _, session = await self.born(password)
        await auth.sessions.end_all(session.access_token)
        await auth.account.erase(session.access_token, password)
        _, other, _ = await self.born(self.secret("password"))
        await auth.admin.erase(root, other)
