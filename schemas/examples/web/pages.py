"""Pages, and what went wrong as a page."""

from pathlib import Path

from fastapi import Request, Response
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

from authbus import AuthError, AuthRejected, Code, SecondFactorNeeded
from web import browser

_TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")
_FORMS = {"/log-in": "log_in", "/register": "register"}
_WORDS = {
    Code.INVALID_CREDENTIALS: "Wrong address or password.",
    Code.EMAIL_INVALID: "This address cannot get mail.",
    Code.PASSWORD_TOO_SHORT: "Choose a longer password.",
    Code.PASSWORD_TOO_LONG: "Choose a shorter password.",
    Code.PASSWORD_COMMON: "Many people have this password. Choose another one.",
    Code.PASSWORD_PERSONAL: "Choose a password that is not made of your address.",
}


def page(request: Request, name: str, status: int = 200, **told: object) -> Response:
    """A page with what its forms bring along; whoever loads one without a cookie is given one.

    Never in answer to a form: one that another site sends comes without the cookie, and a new one
    would log the user out.
    """
    cookie = browser.cookie_of(request) or browser.new_cookie()
    context = {"csrf": browser.form_token(cookie), **told}
    response = _TEMPLATES.TemplateResponse(request, f"{name}.html", context, status)
    if request.method == "GET" and not browser.cookie_of(request):
        browser.give(response, cookie)
    return response


async def refused(request: Request, error: Exception) -> Response:
    """The form again, with words; status and Retry-After are those of authbus' one table."""
    if isinstance(error, HTTPException):
        response = page(request, "sorry", error.status_code, wrong=error.detail)
        response.headers.update(error.headers or {})
        return response
    assert isinstance(error, AuthError)  # noqa: S101 - the only other kind that is handed over
    name = _FORMS.get(request.url.path, "sorry")
    response = page(request, name, error.http_status, wrong=_words(error))
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _words(error: AuthError) -> str:
    if isinstance(error, SecondFactorNeeded):
        return "This account has a second factor, for which this example has no page."
    if isinstance(error, AuthRejected) and error.code in _WORDS:
        return _WORDS[error.code]
    return "Nobody answers. Try again." if error.retry_after else "That did not work."
