"""schemas/examples/web on the real service: what a browser, a stranger and a module see of it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from authbus import AuthClient, AuthTimeout, Session, Verifier
from authbus_service.core.clock import now
from tests.e2e.conftest import Serving
from tests.rig.browsing import Browser, browsing, talking_to
from web import app, orders
from web.signed_in import SignedIn

ANA = {"email": "ana@example.com", "password": "correct horse battery"}
TWO_THIRDS = timedelta(seconds=400)
A_LITTLE = timedelta(seconds=20)


class Forgetful(AuthClient):
    """Loses the answers to so many refreshes, which have had their effect."""

    to_lose = 0

    async def refresh(self, session: Session, **options: Any) -> Session:
        fresh = await super().refresh(session, **options)
        if self.to_lose:
            self.to_lose -= 1
            raise AuthTimeout(options["command_id"])
        return fresh


class Clock:
    """One that a test puts forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> Any:
        return now() + self.ahead


class Site:
    """The back end, the module behind it, and what the back end keeps to itself."""

    def __init__(self, auth: Forgetful, verifier: Verifier) -> None:
        self.auth, self.clock = auth, Clock()
        self.users = SignedIn(auth, self.clock)
        self.web: FastAPI = app.create_app(auth, self.users)
        self.orders: FastAPI = orders.create_app(verifier)

    @property
    def sessions(self) -> list[Session]:
        rows = self.users._rows  # pyright: ignore[reportPrivateUsage]
        return [row.session for row in rows.values()]

    @property
    def bearer(self) -> dict[str, str]:
        """What the back end shows to the module for its one user."""
        [session] = self.sessions
        return {"Authorization": f"Bearer {session.access_token}"}


@pytest.fixture
async def site(serving: Serving) -> AsyncIterator[Site]:
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    async with (
        Forgetful(serving.servers, client_id="web", **where) as auth,
        Verifier(serving.servers, audience="web", **where) as verifier,
    ):
        yield Site(auth, verifier)


def looks(response: Response) -> tuple[int, dict[str, str], str]:
    return response.status_code, dict(response.headers), response.text


async def until(http: AsyncClient, path: str, status: int, **options: Any) -> Response:
    """The answer as soon as it has this status, which word of an ended session brings about."""
    async with asyncio.timeout(20):
        while (found := await http.get(path, **options)).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def a_taken_address_looks_like_a_new_one(browser: Browser) -> None:
    new, taken = [await browser.send("/register", **ANA) for _ in range(2)]

    assert looks(new) == looks(taken)
    assert new.headers["location"] == "/log-in?registered=1"


async def forged_forms_are_refused(browser: Browser, other: Browser, stranger: Browser) -> None:
    mine, theirs = [await visitor.form_token("/log-in") for visitor in (browser, other)]
    forged: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}),
        ({"csrf": theirs}, {}),
        ({"csrf": mine}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": mine}, {"Sec-Fetch-Site": "same-site"}),
    ]
    for fields, headers in forged:
        answer = await browser.http.post("/log-in", data={**ANA, **fields}, headers=headers)
        assert answer.status_code == 403
    # As browsers send it for another site. A new cookie would log out whoever has one.
    without_cookie = await stranger.http.post("/log-out", data={"csrf": theirs})
    assert (without_cookie.status_code, stranger.cookie) == (403, None)


async def a_log_in_gives_a_new_cookie_that_tells_nothing(browser: Browser, site: Site) -> None:
    before, its_form = browser.cookie, await browser.form_token("/log-in")
    wrong = await browser.send("/log-in", email=ANA["email"], password="none of the right words")
    assert (wrong.status_code, wrong.headers.get("set-cookie")) == (401, None)

    right = await browser.send("/log-in", **ANA)

    assert (right.status_code, right.headers["location"]) == (303, "/")
    pair, *flags = right.headers["set-cookie"].split("; ")
    assert sorted(flags) == ["HttpOnly", "Path=/", "SameSite=lax", "Secure"]
    assert pair == f"__Host-session={browser.cookie}"
    assert browser.cookie != before
    old_form = await browser.http.post("/log-out", data={"csrf": its_form})
    assert old_form.status_code == 403
    [session] = site.sessions
    page = await browser.http.get("/")
    assert str(session.user_id) in page.text
    assert page.headers["cache-control"] == "no-store"
    shown = f"{looks(right)} {looks(page)}"
    assert session.device_token is not None
    for secret in (session.access_token, session.refresh_token, session.device_token):
        assert secret not in shown


async def tokens_are_fresh_from_two_thirds_of_their_life_on(browser: Browser, site: Site) -> None:
    tokens = [site.sessions[0].access_token]
    for ahead in (TWO_THIRDS - A_LITTLE, TWO_THIRDS + A_LITTLE):
        site.clock.ahead = ahead
        pages = await asyncio.gather(*(browser.http.get("/") for _ in range(8)))
        assert {page.status_code for page in pages} == {200}
        tokens.append(site.sessions[0].access_token)
    assert tokens[0] == tokens[1] != tokens[2]


async def a_lost_answer_to_a_refresh_ends_nothing(browser: Browser, site: Site) -> None:
    site.clock.ahead, site.auth.to_lose = TWO_THIRDS + A_LITTLE, 1
    before = site.sessions
    assert (await browser.http.get("/")).status_code == 200
    assert site.sessions == before

    assert (await browser.http.get("/")).status_code == 200
    assert site.sessions != before


async def a_module_takes_tokens_offline(module: AsyncClient, site: Site) -> None:
    [session] = site.sessions
    allowed = await module.get("/orders", headers=site.bearer)
    refused = await module.post("/orders", headers=site.bearer)
    unknown = await module.get("/orders")

    assert allowed.json() == {"orders of": str(session.user_id)}
    assert (refused.status_code, unknown.status_code) == (403, 401)
    assert "insufficient_scope" in refused.headers["www-authenticate"]
    assert unknown.headers["www-authenticate"].startswith("Bearer")


async def test_a_web_back_end_keeps_its_users_signed_in_and_its_secrets_to_itself(
    site: Site,
) -> None:
    async with (
        browsing(site.web) as browser,
        browsing(site.web) as other,
        browsing(site.web) as stranger,
        talking_to(site.orders) as module,
    ):
        await a_taken_address_looks_like_a_new_one(browser)
        await forged_forms_are_refused(browser, other, stranger)
        await a_log_in_gives_a_new_cookie_that_tells_nothing(browser, site)
        await a_module_takes_tokens_offline(module, site)
        await tokens_are_fresh_from_two_thirds_of_their_life_on(browser, site)
        await a_lost_answer_to_a_refresh_ends_nothing(browser, site)

        bearer, kept = site.bearer, browser.cookie or ""
        out = await browser.send("/log-out", on="/")
        assert (out.status_code, browser.cookie) == (303, None)
        browser.http.cookies.set("__Host-session", kept)
        assert (await browser.http.get("/")).headers["location"] == "/log-in"
        await until(module, "/orders", 401, headers=bearer)

        await other.send("/log-in", **ANA)
        await site.auth.sessions.end_all(site.sessions[0].access_token, this_one_too=True)
        ended = await until(other.http, "/", 303)
        assert ended.headers["location"] == "/log-in"
        assert site.sessions == []


@pytest.mark.gate
async def test_who_logs_in_while_the_service_stands_still_is_told_when_to_come_again(
    serving: Serving,
) -> None:
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    async with AuthClient(serving.servers, client_id="web", timeout=3, **where) as hasty:
        await hasty.register(ANA["email"], ANA["password"], timeout=20)
        async with browsing(app.create_app(hasty)) as browser:
            os.kill(serving.pid, signal.SIGSTOP)
            try:
                meanwhile = await browser.send("/log-in", **ANA)
            finally:
                os.kill(serving.pid, signal.SIGCONT)
            await hasty.log_in(ANA["email"], ANA["password"], timeout=20)
            afterwards = await browser.send("/log-in", **ANA)

    assert (meanwhile.status_code, meanwhile.headers.get("retry-after")) == (503, "1")
    assert "Nobody answers. Try again." in meanwhile.text
    assert (afterwards.status_code, afterwards.headers["location"]) == (303, "/")
