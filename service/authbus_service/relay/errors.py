"""Why a relay stops leading. None of these loses or repeats a record: the next start decides."""


class RelayError(Exception):
    """The relay cannot go on from here and starts over."""


class LeaseLostError(RelayError):
    """Somebody else may be leading by now."""


class EpochOverError(RelayError):
    """The database is not any more as it was when this process began, which so has to end."""

    def __init__(self) -> None:
        """The cure is to begin anew."""
        super().__init__(
            "the database was recovered since this process began, or authbus recover is at work "
            "on it: nothing more is said. Start it again when that has finished"
        )


class OutcomeUnknownError(RelayError):
    """A transaction may or may not be committed; its producer is gone."""


class RecordTooLargeError(OutcomeUnknownError):
    """Kafka does not take a record of the batch because of its size."""


class ManifestError(RelayError):
    """The relay's memory cannot be read, so nobody knows what has been said already."""


class HangingError(RelayError):
    """Kafka has forgotten to end a transaction of ours somewhere; the next start does."""


class UnsettledError(RelayError):
    """What was begun to be said does not come to its end, and nobody recovers beside it."""


REASONS = ("lease_lost", "outcome_unknown", "record_too_large", "hanging", "other")


def why(error: BaseException) -> str:
    """One of REASONS."""
    match error:
        case RecordTooLargeError():
            return "record_too_large"
        case OutcomeUnknownError():
            return "outcome_unknown"
        case LeaseLostError():
            return "lease_lost"
        case HangingError():
            return "hanging"
        case _:
            return "other"
