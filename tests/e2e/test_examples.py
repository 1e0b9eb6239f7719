"""The programs in schemas/examples run as they stand there."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from authbus import AuthClient
from tests.e2e.conftest import Serving


async def run(repository: Path, name: str, serving: Serving) -> str:
    """What an example prints until it ends."""
    places = {
        "KAFKA_BOOTSTRAP_SERVERS": serving.servers,
        "AUTHBUS_NAMESPACE": serving.namespace,
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(repository / "schemas" / "examples" / name),
        env={**os.environ, **places},
        stdout=PIPE,
        stderr=PIPE,
    )
    talking = asyncio.create_task(child.communicate())
    done, _ = await asyncio.wait([talking], timeout=90)
    if not done:
        child.kill()
    out, err = await talking
    assert child.returncode == 0, out.decode() + err.decode()
    return out.decode()


@pytest.mark.timeout(400)
async def test_each_example_does_what_it_says(repository: Path, serving: Serving) -> None:
    by_hand = await run(repository, "register_by_hand.py", serving)
    web = await run(repository, "web_login.py", serving)
    billing = await run(repository, "billing.py", serving)
    async with AuthClient(
        serving.servers, client_id="web", namespace=serving.namespace, trust=serving.trust
    ) as auth:
        await auth.register("ana@example.com", "correct horse battery")
    book = await run(repository, "address_book.py", serving)

    assert "authbus.Registered.v1" in by_hand
    assert "logged out, the token is void" in web
    assert "ended by logout" in billing
    assert book.startswith("3 users:")
    assert "somebody <ana@example.com>" in book
