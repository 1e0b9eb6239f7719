"""What can go wrong with the embedded stack, each with a text that says what to do."""


class EmbeddedError(RuntimeError):
    """The embedded stack cannot start or go on; the text is meant for a person."""


class MissingPackageError(EmbeddedError):
    """A package of the extra `embedded` is not installed."""

    def __init__(self, package: str) -> None:
        """Name the package and the extra that brings it."""
        super().__init__(
            f"the embedded stack needs the package {package!r}, which is not installed here.\n"
            "Install authbus-service with its extra `embedded`"
        )


class DownloadError(EmbeddedError):
    """A jar of the lock could not be fetched, or is not the one that was locked."""


class DataInUseError(EmbeddedError):
    """Another run holds the data folder."""


class ServerFailedError(EmbeddedError):
    """A server ended by itself or did not become ready."""


class PortTakenError(ServerFailedError):
    """A server ended because something else listens on its port."""
