"""A browser without a screen: it keeps cookies, and fills in the forms that it has loaded."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

COOKIE = "__Host-session"


class Browser:
    """One visitor of an app."""

    def __init__(self, http: AsyncClient) -> None:
        self.http = http

    @property
    def cookie(self) -> str | None:
        """What the visit is known by."""
        return self.http.cookies.get(COOKIE)

    async def form_token(self, path: str) -> str:
        """What the form on a page brings along."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.http.get(path)).text)
        assert found is not None
        return found[1]

    async def send(self, path: str, on: str | None = None, **fields: str) -> Response:
        """Load the page with the form (`on`, else of the same path), fill it in, send it."""
        token = await self.form_token(on or path)
        return await self.http.post(path, data={"csrf": token, **fields})


@asynccontextmanager
async def talking_to(app: FastAPI) -> AsyncGenerator[AsyncClient]:
    """A client of an app that runs in this process."""
    transport = ASGITransport(app)
    async with AsyncClient(transport=transport, base_url="https://web.example") as http:
        yield http


@asynccontextmanager
async def browsing(app: FastAPI) -> AsyncGenerator[Browser]:
    """A visitor of an app that runs in this process."""
    async with talking_to(app) as http:
        yield Browser(http)
