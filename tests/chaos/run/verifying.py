"""Somebody downstream who checks the tokens that one client was given, again and again."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from time import monotonic

from authbus import Verifier
from authbus.errors import AuthUnavailable, TokenInvalid, TokenRevoked
from tests.chaos.checker.history import Look
from tests.chaos.run.client import Client
from tests.chaos.run.stage import NAMESPACE

_PAUSE = 0.2
_AT_ONCE, _OF_THE_NEWEST = 10, 60


@dataclass
class Verifying:
    """`client` has the tokens; `looks` is what became of each look at one."""

    client: Client
    servers: str
    random: Random
    looks: list[Look] = field(default_factory=list[Look])

    async def go_on(self) -> None:
        """Look at tokens; begin again where Kafka was away at the beginning. Never returns."""
        while True:
            with suppress(AuthUnavailable):
                await self._look()
            await asyncio.sleep(_PAUSE)

    async def _look(self) -> None:
        """Look at some of the newest tokens, also of sessions that are over; never returns."""
        async with Verifier(
            self.servers, audience=self.client.client, namespace=NAMESPACE
        ) as verifier:
            while True:
                newest = [*islice(reversed(self.client.tokens.items()), _OF_THE_NEWEST)]
                for session, token in self.random.sample(newest, min(_AT_ONCE, len(newest))):
                    self.looks.append(_looked(verifier, str(session), token))
                await asyncio.sleep(_PAUSE)


def _looked(verifier: Verifier, session: str, token: str) -> Look:
    at = monotonic()
    knows = at - verifier.staleness.total_seconds()
    try:
        verifier.verify(token)
    except TokenRevoked:
        return Look(session=session, at=at, taken=False, revoked=True, knows=knows)
    except TokenInvalid:
        return Look(session=session, at=at, taken=False, knows=knows)
    return Look(session=session, at=at, taken=True, knows=knows)
