from collections.abc import Iterator

import pytest

from authbus_service.core.database import Database
from tests.model.real import RealService


@pytest.fixture
def real(database: Database, database_url: str) -> Iterator[RealService]:
    service = RealService(database_url)
    yield service
    service.close()
