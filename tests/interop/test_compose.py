"""Compose itself reads docker-compose.yml."""

import pytest

from tests.rig.foreign import REPOSITORY, failed, run

pytestmark = pytest.mark.interop


async def test_compose_takes_the_file_and_builds_one_image() -> None:
    environment = {"AUTHBUS_MASTER_KEY": "a key"}
    shown = await run(
        "docker-compose", "config", "--images", folder=REPOSITORY, environment=environment
    )

    assert {"authbus", "postgres:18"} <= set(shown)


async def test_compose_says_where_the_master_key_comes_from() -> None:
    said = await failed("docker-compose", "config", folder=REPOSITORY, environment={})

    assert "the head of docker-compose.yml shows how" in said
