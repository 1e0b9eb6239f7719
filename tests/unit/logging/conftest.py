import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from authbus_service.core.logging import configure
from tests.rig.logs import Lines


@pytest.fixture
def lines() -> Iterator[Lines]:
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = list(root.handlers), root.level
    stream = Lines()
    root.handlers = []
    configure("json", "debug", stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(capture=False)
