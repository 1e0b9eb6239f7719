"""A start that is refused."""


class StartupError(RuntimeError):
    """The service cannot start; the text says why and what mends it."""
