"""Traces, where they are on."""

from typing import TYPE_CHECKING, Literal

from authbus_service.startup.errors import StartupError

if TYPE_CHECKING:
    from authbus_service.core.tracing import Traces


def open_traces(how: Literal["off", "otlp"]) -> "Traces | None":
    """Where spans go; raises StartupError when OpenTelemetry is not installed."""
    if how == "off":
        return None
    try:
        from authbus_service.core.tracing import exporting  # noqa: PLC0415 - an extra brings it
    except ModuleNotFoundError:
        raise StartupError(
            "AUTHBUS_TRACES=otlp needs OpenTelemetry. Install authbus-service with its extra `otel`"
        ) from None
    return exporting()
