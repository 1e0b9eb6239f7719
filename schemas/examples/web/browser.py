"""What browsers are told beside the page: one cookie, forms that nobody forges, headers."""

import hmac
import secrets
from typing import Annotated

from fastapi import Form, HTTPException, Request, Response

# Of this host alone, over TLS, for all its paths; no subdomain can set it.
COOKIE = "__Host-session"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# Where forms are to outlive a restart, or there are several processes: a secret that they share.
_KEY = secrets.token_bytes(32)


def new_cookie() -> str:
    """The name of a visit, which nobody guesses."""
    return secrets.token_urlsafe(32)


def cookie_of(request: Request) -> str:
    """The cookie that came, or nothing."""
    return request.cookies.get(COOKIE, "")


def address_of(request: Request) -> str | None:
    """Where the user is: what is tried too often is counted by it.

    Behind a proxy this is the proxy, and so everybody, until uvicorn is told of it:
    `--forwarded-allow-ips` and the proxy's own address.
    """
    return None if request.client is None else request.client.host


def give(response: Response, cookie: str) -> None:
    """Set the cookie. No script reads it, and no form of another site brings it along."""
    response.set_cookie(COOKIE, cookie, path="/", secure=True, httponly=True, samesite="lax")


def take_back(response: Response) -> None:
    """Let the browser forget the cookie."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


def form_token(cookie: str) -> str:
    """What a form of this visit brings along. A new cookie at log-in makes a new one of it."""
    return hmac.new(_KEY, cookie.encode(), "sha256").hexdigest()


async def own_form(request: Request, token: Annotated[str, Form(alias="csrf")] = "") -> None:
    """Refuse a form that is not of one of our pages in this visit."""
    cookie = cookie_of(request)
    genuine = hmac.compare_digest(token.encode(), form_token(cookie).encode())
    # Browsers say where a request comes from; what says nothing is no browser.
    near = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    if not (cookie and genuine and near):
        raise HTTPException(403, "This form is not of your visit. Load the page again.")
