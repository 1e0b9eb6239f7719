"""schemas/examples/web, and the service's page of the contract, before a real browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from authbus import AuthClient, LogIn, Message, SessionStarted
from authbus_service.core.clock import now
from authbus_service.http.server import HttpServer
from tests.e2e.conftest import Serving
from tests.rig import foreign
from tests.rig.browsing import COOKIE
from tests.rig.webdriver import Chromium, chromium
from web.app import create_app
from web.signed_in import Row, SignedIn

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

ADDRESS, PASSWORD = "ana@example.com", "correct horse battery"
PICTURES = foreign.CACHE / "browser"
WENT_BACK = (
    "document.readyState === 'complete' && "
    "performance.getEntriesByType('navigation')[0].type === 'back_forward'"
)
MORE_THAN_TWO_THIRDS = timedelta(seconds=420)


@dataclass
class Site:
    """The back end on a port of its own, with a clock that a test puts forward."""

    auth: AuthClient
    ahead: timedelta = timedelta(0)
    front: str = ""
    users: SignedIn = field(init=False)

    def __post_init__(self) -> None:
        self.users = SignedIn(self.auth, self.time)

    def time(self) -> datetime:
        return now() + self.ahead

    @property
    def row(self) -> Row:
        """That of the one user."""
        [found] = self.users._rows.values()  # pyright: ignore[reportPrivateUsage]
        return found


@pytest.fixture
async def site(serving: Serving) -> AsyncIterator[Site]:
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    async with AuthClient(serving.servers, client_id="web", **where) as auth:
        made = Site(auth)
        app = cast("Any", create_app(auth, made.users))
        server = HttpServer(app, host="localhost", port=0)
        await server.start()
        made.front = f"{server.url}/"
        yield made
        await server.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Chromium]:
    async with chromium() as window:
        yield window


async def send(browser: Chromium, address: str, password: str) -> None:
    await browser.type("input[name=email]", address)
    await browser.type("input[name=password]", password)
    await browser.click("button")


async def take_a_picture(browser: Chromium, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{name}.png").write_bytes(await browser.picture())


async def two_registrations_look_alike(browser: Chromium, site: Site) -> None:
    answers: list[str] = []
    for _ in range(2):
        await browser.click("a[href='/register']")
        await send(browser, ADDRESS, PASSWORD)
        answers.append(await browser.text())
    assert answers[0] == answers[1]
    assert "Thank you" in answers[0]


async def a_log_in_gives_a_new_cookie_and_scripts_nothing(browser: Chromium) -> None:
    before = (await browser.cookies())[COOKIE]
    await send(browser, ADDRESS, "none of the right words")
    assert await browser.text("[role=alert]") == "Wrong address or password."
    await send(browser, ADDRESS, PASSWORD)

    assert (await browser.path(), await browser.text("h1")) == ("/", "Signed in")
    cookies = await browser.cookies()
    cookie = cookies.pop(COOKIE)
    assert cookies == {}
    assert cookie["value"] != before["value"]
    flags = cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"]
    assert flags == (True, True, "Lax", "/")
    assert await browser.script("document.cookie") == ""
    assert await browser.script("localStorage.length + sessionStorage.length") == 0


async def it_stays_signed_in(browser: Chromium, site: Site) -> None:
    session = site.row.session
    site.ahead = MORE_THAN_TWO_THIRDS
    await browser.go(site.front)
    assert await browser.text("#session") == str(session.session_id)
    assert site.row.session.access_token != session.access_token


async def a_form_of_another_site_does_nothing(browser: Chromium, site: Site) -> None:
    forged = f"<form method=post action={site.front}log-out><button>A prize</button></form>"
    await browser.go(f"data:text/html,<main>{forged}</main>")
    await browser.click("button")
    assert "not of your visit" in await browser.text()
    await browser.go(site.front)
    assert await browser.text("h1") == "Signed in"


async def nothing_is_left_after_a_log_out(browser: Chromium, site: Site) -> None:
    await browser.click("button")
    assert await browser.path() == "/log-in"
    await browser.back()
    async with asyncio.timeout(20):
        while not await browser.script(WENT_BACK):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert await browser.script("document.body.innerText.includes('Log in')")
    await browser.go(site.front)
    assert await browser.path() == "/log-in"


async def test_a_real_browser_registers_logs_in_stays_signed_in_and_logs_out(
    browser: Chromium, site: Site
) -> None:
    await browser.go(site.front)
    assert await browser.path() == "/log-in"
    await two_registrations_look_alike(browser, site)
    await a_log_in_gives_a_new_cookie_and_scripts_nothing(browser)
    await take_a_picture(browser, "signed-in")
    await it_stays_signed_in(browser, site)
    await a_form_of_another_site_does_nothing(browser, site)
    await nothing_is_left_after_a_log_out(browser, site)


async def the_sheet_is_applied(browser: Chromium) -> None:
    computed = "getComputedStyle(document.querySelector('article')).borderTopLeftRadius"
    assert await browser.script(computed) == "8px"


async def its_example_opens(browser: Chromium, message: type[Message]) -> None:
    shown = f"document.querySelector('#{message.__name__} pre').checkVisibility()"
    assert await browser.script(shown) is False
    await browser.press(f"#{message.__name__} summary")
    assert await browser.script(shown) is True
    example = json.loads(await browser.text(f"#{message.__name__} pre"))
    assert example["headers"]["ce_type"] == message.wire_type()


async def test_a_real_browser_shows_the_contract_and_needs_nothing_from_elsewhere(
    browser: Chromium, serving: Serving
) -> None:
    await browser.go(f"{serving.http}/docs")
    assert await browser.text("h1") == "authbus: the contract"
    await the_sheet_is_applied(browser)
    for message in (LogIn, SessionStarted):
        await its_example_opens(browser, message)
    await take_a_picture(browser, "contract")

    loaded = await browser.script("performance.getEntriesByType('resource').map(one => one.name)")

    assert loaded == [f"{serving.http}/docs/style.css"]
