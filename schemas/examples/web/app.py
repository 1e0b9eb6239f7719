"""A web back end: register, log in, stay signed in, log out.

uvicorn web.app:from_environment --factory --app-dir schemas/examples
"""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from authbus import AuthClient, AuthError, AuthRejected, Claims
from web import browser
from web.pages import page, refused
from web.signed_in import SignedIn

routes = APIRouter()
own_form = Depends(browser.own_form)
Text = Annotated[str, Form()]


def signed_in(request: Request) -> SignedIn:
    return request.app.state.signed_in


def client(request: Request) -> AuthClient:
    return request.app.state.auth


Users = Annotated[SignedIn, Depends(signed_in)]
Auth = Annotated[AuthClient, Depends(client)]


async def current_user(request: Request, users: Users) -> Claims:
    """Who asks; whoever is not signed in is sent to do so."""
    claims = await users.claims(browser.cookie_of(request))
    if claims is None:
        raise HTTPException(303, headers={"Location": "/log-in"})
    return claims


@routes.get("/")
async def account(request: Request, user: Annotated[Claims, Depends(current_user)]) -> Response:
    return page(request, "account", user=user)


@routes.get("/register")
async def register_form(request: Request) -> Response:
    return page(request, "register")


@routes.post("/register", dependencies=[own_form])
async def register(request: Request, auth: Auth, email: Text = "", password: Text = "") -> Response:
    try:
        await auth.register(email, password, ip_address=browser.address_of(request))
    except AuthRejected as error:
        if not error.code.hidden:  # somebody has an account: no stranger learns of it
            raise
    return RedirectResponse("/log-in?registered=1", 303)


@routes.get("/log-in")
async def log_in_form(request: Request, registered: bool = False) -> Response:  # noqa: FBT001, FBT002
    return page(request, "log_in", registered=registered)


@routes.post("/log-in", dependencies=[own_form])
async def log_in(
    request: Request, auth: Auth, users: Users, email: Text = "", password: Text = ""
) -> Response:
    await users.end(browser.cookie_of(request))
    session = await auth.log_in(email, password, ip_address=browser.address_of(request))
    cookie = browser.new_cookie()  # one that was known before the log-in is worth nothing after it
    users.begin(cookie, session)
    response = RedirectResponse("/", 303)
    browser.give(response, cookie)
    return response


@routes.post("/log-out", dependencies=[own_form])
async def log_out(request: Request, users: Users) -> Response:
    await users.end(browser.cookie_of(request))
    response = RedirectResponse("/log-in", 303)
    browser.take_back(response)
    return response


async def with_headers(
    request: Request, go_on: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await go_on(request)
    response.headers.update(browser.HEADERS)
    return response


def create_app(auth: AuthClient, users: SignedIn | None = None) -> FastAPI:
    """The app over one client, which it opens and closes."""

    @asynccontextmanager
    async def connected(_: FastAPI) -> AsyncGenerator[None]:
        async with auth:
            yield

    app = FastAPI(lifespan=connected, openapi_url=None)
    app.state.auth, app.state.signed_in = auth, users or SignedIn(auth)
    app.include_router(routes)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.middleware("http")(with_headers)
    for kind in (AuthError, HTTPException):
        app.add_exception_handler(kind, refused)
    return app


def from_environment() -> FastAPI:
    """The app for the service of `make serve`, or the one that the environment names."""
    auth = AuthClient(
        os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"),
        client_id="web",
        namespace=os.environ.get("AUTHBUS_NAMESPACE", "auth"),
        trust=os.environ.get("AUTHBUS_TRUST"),
        timeout=5.0,  # as long as somebody waits before a browser
    )
    return create_app(auth)
