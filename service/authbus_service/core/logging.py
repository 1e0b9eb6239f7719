"""The log: one line a record, JSON or text, with no secret and no byte that a terminal obeys.

Our own modules log by `get_logger`; what libraries say through `logging` and `warnings` takes the
same way, and so does an exception that nobody caught.
"""

import logging
import sys
import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from authbus_service.core.clock import now
from authbus_service.core.log_values import as_json, as_text, clean, trace, without_text

Format = Literal["json", "text"]
Level = Literal["debug", "info", "warning", "error"]

_LIBRARIES = ("aiokafka", "alembic", "asyncio", "asyncpg", "faststream", "sqlalchemy", "uvicorn")


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger for a module. An event is a fixed sentence; what varies goes into keywords."""
    return structlog.get_logger(module=name)


def bind(**values: Any) -> AbstractContextManager[None]:  # noqa: ANN401 - cleaned when written
    """A block in which every line of this task carries these names and values too."""
    return bound_contextvars(**values)


def library_logger(name: str) -> logging.Logger:
    """A standard logger, to be handed to a library that wants one; it speaks through our log."""
    return logging.getLogger(name)


def configure(log_format: Format, log_level: Level, stream: TextIO | None = None) -> None:
    """Send every line to `stream` (standard error) from now on. Repeatable.

    Libraries are never heard below `info`: their debug lines may hold records.
    """
    level = logging.getLevelNamesMapping()[log_level.upper()]
    structlog.configure(
        processors=[
            merge_contextvars,
            structlog.processors.add_log_level,
            _ordered,
            _RENDER[log_format],
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _Bridge)]
    root.addHandler(_Bridge())
    root.setLevel(max(level, logging.INFO))
    for name in list(root.manager.loggerDict):
        if name.partition(".")[0] in _LIBRARIES:
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).propagate = True
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


class _Bridge(logging.Handler):
    """What libraries log, as one of our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, without the texts of the errors that it tells of."""
        error = record.exc_info[1] if record.exc_info else None
        given = record.args if isinstance(record.args, tuple) else ()
        errors = [each for each in (error, *given) if isinstance(each, BaseException)]
        try:
            message = without_text(record.getMessage(), errors)
        except Exception:  # noqa: BLE001 - whatever a library handed over, a log does not raise
            message = "a line whose arguments do not fit"
        write = getattr(get_logger(record.name), _method(record.levelno))
        write(message, **({"exc_info": error} if error else {}))


def _method(level: int) -> Level:
    if level >= logging.ERROR:
        return "error"
    if level >= logging.WARNING:
        return "warning"
    return "info" if level >= logging.INFO else "debug"


def _uncaught(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    get_logger("authbus_service").error("uncaught", exc_info=error)


def _uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None:
        get_logger("authbus_service").error("uncaught in a thread", exc_info=found.exc_value)


def _ordered(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    first = {
        "time": now().isoformat(timespec="milliseconds"),
        "level": event.pop("level", method),
        "event": event.pop("event", ""),
    }
    cleaned = clean({**first, **event, "time": first["time"]})
    if isinstance(error, BaseException):
        cleaned["exception"] = trace(error)
    return cleaned


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return as_json(event)


def _text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return as_text(event)


_RENDER = {"json": _json, "text": _text}
