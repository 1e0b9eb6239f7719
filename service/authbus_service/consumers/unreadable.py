"""A record that goes to the dead letters: nobody can be trusted to have asked, so none answers."""

from authbus.state import DeadLetterReason


class UnreadableError(Exception):
    """A record that cannot be taken as a command; it claims nothing."""

    def __init__(self, reason: DeadLetterReason) -> None:
        """`reason` is all that is said."""
        super().__init__(str(reason))
        self.reason = reason
