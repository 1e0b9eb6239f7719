"""A real browser without a screen: Chromium, driven as W3C WebDriver has it."""

import asyncio
import base64
import re
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from httpx2 import AsyncClient

from tests.rig import foreign

NEEDED = ("chromium", "chromedriver")

_ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=800,600")
_LISTENS = "ChromeDriver was started successfully on port "
_SECONDS = 60


class Chromium:
    """One window. Elements are named by CSS selectors; a click waits for the page behind it."""

    def __init__(self, driver: AsyncClient, session: str) -> None:
        self._driver, self._session = driver, session

    async def go(self, url: str) -> None:
        await self._post("/url", url=url)

    async def back(self) -> None:
        await self._post("/back")

    async def path(self) -> str:
        """Where it is, without the host."""
        return urlsplit(await self._get("/url")).path

    async def type(self, selector: str, text: str) -> None:
        await self._post(f"{await self._element(selector)}/value", text=text)

    async def click(self, selector: str) -> None:
        """The driver itself may answer before it leaves for the page of another site."""
        element = await self._element(selector)
        await self._post(f"{element}/click")
        async with asyncio.timeout(_SECONDS):
            while await self._is_there(element):  # noqa: ASYNC110 - a browser wakes nobody
                await asyncio.sleep(0.02)

    async def press(self, selector: str) -> None:
        """A click that stays on the page."""
        await self._post(f"{await self._element(selector)}/click")

    async def text(self, selector: str = "main") -> str:
        return await self._get(f"{await self._element(selector)}/text")

    async def script(self, script: str) -> Any:
        """What a script of the page itself would see."""
        return await self._post("/execute/sync", script=f"return {script}", args=[])

    async def cookies(self) -> dict[str, dict[str, Any]]:
        """All that it would send here, also those that no script may see."""
        return {cookie["name"]: cookie for cookie in await self._get("/cookie")}

    async def picture(self) -> bytes:
        """What a person sees, as PNG."""
        return base64.b64decode(await self._get("/screenshot"))

    async def _element(self, selector: str) -> str:
        found = await self._post("/element", using="css selector", value=selector)
        return f"/element/{next(iter(found.values()))}"

    async def _is_there(self, element: str) -> bool:
        answer = (await self._driver.get(f"{self._session}{element}/name")).json()["value"]
        return isinstance(answer, str)

    async def _get(self, path: str) -> Any:
        return _value((await self._driver.get(self._session + path)).json())

    async def _post(self, path: str, **body: Any) -> Any:
        return _value((await self._driver.post(self._session + path, json=body)).json())


@asynccontextmanager
async def chromium() -> AsyncGenerator[Chromium]:
    """A browser that knows no page and has no cookie."""
    options = {"goog:chromeOptions": {"args": _ARGUMENTS}}
    with tempfile.TemporaryDirectory() as folder:
        async with foreign.started(NEEDED[1], "--port=0", folder=Path(folder)) as child:
            line = (await foreign.lines_until(child, _LISTENS))[-1]
            port = re.findall(r"\d+", line)[-1]
            async with AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=_SECONDS) as http:
                asked = {"capabilities": {"alwaysMatch": options}}
                made = _value((await http.post("/session", json=asked)).json())
                session = f"/session/{made['sessionId']}"
                try:
                    yield Chromium(http, session)
                finally:
                    _value((await http.delete(session)).json())


def _value(answer: dict[str, Any]) -> Any:
    value = answer["value"]
    assert not (isinstance(value, dict) and "error" in value), value["message"]
    return value
