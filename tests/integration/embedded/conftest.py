"""Everything is in the cache before the clock runs."""

import pytest

from authbus_service.embedded import warm


@pytest.fixture(scope="session", autouse=True)
def warm_cache() -> None:
    warm(print)
