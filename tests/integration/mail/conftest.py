from collections.abc import Iterator

import pytest

from tests.rig.post import Post, posting


@pytest.fixture
def post() -> Iterator[Post]:
    with posting() as made:
        yield made
