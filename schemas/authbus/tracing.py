"""W3C Trace Context, where the program that uses us traces with OpenTelemetry; else nothing."""

import sys


def current_traceparent() -> str | None:
    """The current span as a `traceparent` header names it; None without one, or without a tracer.

    Who traces has imported OpenTelemetry already, so it is neither needed nor imported here.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
