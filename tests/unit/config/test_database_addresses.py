"""An address of a database is told without what is secret in it, wherever that stands."""

import pytest

from authbus_service.core.database import place_of
from authbus_service.startup.database import open_database
from authbus_service.startup.errors import StartupError

SECRET = "hunter2"
PLACES = {
    "postgresql://authbus:hunter2@db:5432/auth": "postgresql://db:5432/auth",
    "postgresql+asyncpg://authbus:hunter2@db/auth": "postgresql://db/auth",
    "postgresql://db:5432/auth?user=authbus&password=hunter2": "postgresql://db:5432/auth",
    "postgresql://db/auth?sslmode=require&sslpassword=hunter2": "postgresql://db/auth",
    "postgresql:///auth?host=db&port=6432&password=hunter2": (
        "postgresql:///auth?host=db&port=6432"
    ),
    "postgresql://authbus:hunter2@[::1]:5432/auth": "postgresql://[::1]:5432/auth",
    # Whoever forgets to write the @ of a password as %40 has its end taken for a host.
    "postgresql://authbus:secret@hunter2@db/auth": "postgresql://db/auth",
}


@pytest.mark.parametrize(("url", "place"), PLACES.items())
def test_an_address_is_told_as_host_port_and_database_alone(url: str, place: str) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize("url", ["postgresql://db:hunter2/auth", "hunter2"])
def test_what_is_no_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(StartupError, match="DATABASE_URL is no address") as caught:
        open_database(url)

    assert SECRET not in str(caught.value)
