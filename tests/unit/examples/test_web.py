"""How schemas/examples/web passes refusals on: by authbus' one table, and never a hidden one."""

from typing import Any, cast
from uuid import UUID

import pytest

from authbus import AuthClient, AuthError, AuthRejected, AuthTimeout, AuthUnavailable, Code
from tests.rig.browsing import browsing
from web.app import create_app

ID = UUID("01990000-0000-7000-8000-000000000000")
FIELDS = {"email": "ana@example.com", "password": "correct horse battery"}


class Answering:
    """Stands for the client: every call ends in the same way."""

    def __init__(self, error: AuthError | None = None) -> None:
        self.error = error

    async def register(self, *_: Any, **__: Any) -> None:
        if self.error is not None:
            raise self.error

    log_in = register

    async def asked(self, path: str) -> tuple[int, dict[str, str], str]:
        """What a browser is answered that sends this form."""
        async with browsing(create_app(cast("AuthClient", self))) as browser:
            answer = await browser.send(path, **FIELDS)
        return answer.status_code, dict(answer.headers), answer.text


def refusal(code: Code) -> AuthRejected:
    return AuthRejected(code, "a detail", retryable=code.retryable, command_id=ID)


@pytest.mark.parametrize("path", ["/register", "/log-in"])
async def test_a_refusal_has_status_and_retry_after_of_the_table(path: str) -> None:
    auth = Answering()
    app = create_app(cast("AuthClient", auth))
    errors = [refusal(code) for code in Code if not code.hidden]
    async with browsing(app) as browser:
        for error in (*errors, AuthTimeout(ID), AuthUnavailable("no Kafka")):
            auth.error = error
            answer = await browser.send(path, **FIELDS)
            after = None if error.retry_after is None else str(error.retry_after)
            assert (answer.status_code, answer.headers.get("retry-after")) == (
                error.http_status,
                after,
            )
            assert 'role="alert"' in answer.text
            assert str(error) not in answer.text


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        (refusal(Code.BUSY), 503, "1"),
        (AuthTimeout(ID), 503, "1"),
        (refusal(Code.INVALID_CREDENTIALS), 401, None),
        (refusal(Code.TOKEN_ROTATED), 409, None),
        (refusal(Code.PASSWORD_COMMON), 422, None),
    ],
    ids=str,
)
async def test_what_is_not_decided_is_503_and_what_is_refused_is_not(
    error: AuthError, status: int, after: str | None
) -> None:
    got, headers, _ = await Answering(error).asked("/log-in")

    assert (got, headers.get("retry-after")) == (status, after)


@pytest.mark.parametrize("code", [code for code in Code if code.hidden])
async def test_a_hidden_refusal_looks_like_a_registration_that_went_well(code: Code) -> None:
    refused = await Answering(refusal(code)).asked("/register")
    well = await Answering().asked("/register")

    assert refused == well
    assert well[0] == 303


async def test_every_page_and_refusal_forbids_scripts_frames_and_copies() -> None:
    answers = [await Answering(AuthTimeout(ID)).asked("/log-in")]
    async with browsing(create_app(cast("AuthClient", Answering()))) as browser:
        for path in ("/", "/register", "/log-in", "/static/style.css", "/nothing", "/docs"):
            answer = await browser.http.get(path)
            answers.append((answer.status_code, dict(answer.headers), answer.text))

    assert [status for status, _, _ in answers] == [503, 303, 200, 200, 200, 404, 404]
    for _, headers, _ in answers:
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
