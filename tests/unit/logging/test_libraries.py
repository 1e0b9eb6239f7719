"""What libraries log goes through the same log."""

import io
import logging

from authbus_service.core.logging import configure, library_logger
from tests.rig.logs import Lines


def test_libraries_speak_through_the_same_log_without_the_texts_of_their_errors(
    lines: Lines,
) -> None:
    error = ValueError("hunter2")
    logger = library_logger("aiokafka.consumer")

    logger.warning("rebalance of %d partitions", 3)
    logger.error("failed: %s", error)
    logger.error(f"failed: {error!r}", exc_info=error)  # noqa: G004 - as libraries do
    logger.log(35, "of a level of its own")
    logger.debug("a record: hunter2")

    told = lines.read_all()
    assert "hunter2" not in lines.getvalue()
    assert [each["event"] for each in told] == [
        "rebalance of 3 partitions",
        "failed: ValueError",
        "failed: ValueError",
        "of a level of its own",
    ]
    assert told[0]["module"] == "aiokafka.consumer"


def test_a_handler_that_a_library_brought_along_is_removed(lines: Lines) -> None:
    own = io.StringIO()
    logger = library_logger("faststream.access")
    logger.addHandler(logging.StreamHandler(own))
    logger.propagate = False

    configure("json", "info", lines)
    logger.info("received")

    assert own.getvalue() == ""
    assert lines.read_all()[0]["event"] == "received"


def test_a_line_whose_arguments_do_not_fit_is_still_a_line(lines: Lines) -> None:
    # pytest's own handler raises on such a line; the service's must not.
    own = [each for each in logging.getLogger().handlers if type(each).__name__ == "_Bridge"]
    record = logging.makeLogRecord(
        {
            "name": "aiokafka",
            "msg": "%d is no number",
            "args": ("hunter2",),
            "levelno": logging.ERROR,
        }
    )

    own[0].handle(record)

    assert lines.read_all()[0]["event"] == "a line whose arguments do not fit"
    assert "hunter2" not in lines.getvalue()
