"""A service behind the web back end: it takes access tokens and asks nobody about them.

uvicorn web.orders:from_environment --factory --app-dir schemas/examples
"""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from authbus import AuthError, Claims, PermissionMissing, TokenInvalid, Verifier

routes = APIRouter()
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


async def current_user(request: Request, given: Bearer) -> Claims:
    """Whose token came with the request. Raises TokenInvalid."""
    if given is None:
        raise TokenInvalid("missing")
    verifier: Verifier = request.app.state.verifier
    return verifier.verify(given.credentials)


CurrentUser = Annotated[Claims, Depends(current_user)]


def who_may(permission: str) -> Callable[[Claims], Claims]:
    """The same, for those alone whose roles permit this."""

    def permitted(user: CurrentUser) -> Claims:
        if not user.may(permission):
            raise PermissionMissing(permission)
        return user

    return permitted


@routes.get("/orders")
async def list_orders(user: CurrentUser) -> dict[str, str]:
    return {"orders of": str(user.user_id)}


@routes.post("/orders")
async def order(user: Annotated[Claims, Depends(who_may("orders:write"))]) -> dict[str, str]:
    return {"ordered by": str(user.user_id)}


async def refused(_: Request, error: Exception) -> JSONResponse:
    """Status by authbus' table; what a client may do about it by RFC 6750."""
    assert isinstance(error, AuthError)  # noqa: S101 - the only kind that is handed over
    headers: dict[str, str] = {}
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    elif error.http_status == HTTPStatus.FORBIDDEN:
        headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse({"detail": str(error)}, error.http_status, headers)


def create_app(verifier: Verifier) -> FastAPI:
    """The app over one verifier, which it opens and closes."""

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncGenerator[None]:
        async with verifier:
            yield

    app = FastAPI(lifespan=following)
    app.state.verifier = verifier
    app.include_router(routes)
    app.add_exception_handler(AuthError, refused)
    return app


def from_environment() -> FastAPI:
    """The app for the service of `make serve`, or the one that the environment names."""
    verifier = Verifier(
        os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"),
        audience="web",  # whose tokens it takes; declare one of its own in the file of clients
        namespace=os.environ.get("AUTHBUS_NAMESPACE", "auth"),
        trust=os.environ.get("AUTHBUS_TRUST"),
    )
    return create_app(verifier)
