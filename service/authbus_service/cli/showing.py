"""`authbus demo`."""

from authbus_service.cli.output import report
from authbus_service.cli.running import run, until_asked
from authbus_service.core.config import load
from authbus_service.demo import show
from authbus_service.embedded import warm
from authbus_service.startup.servers import needs_own_kafka


def demo(*, show_bytes: bool) -> None:
    """Run the show to its end, or to Ctrl-C."""
    settings = load()
    if needs_own_kafka(settings):
        warm(report)
    run(until_asked(show(settings, show_bytes=show_bytes)))
