"""What can be wrong with a cluster, each with a text that says what to do."""

from collections.abc import Sequence


class ClusterError(RuntimeError):
    """The cluster cannot be reached or refuses; the text is meant for a person."""


class TopicsError(ClusterError):
    """Topics are not as they are declared; one line for each finding."""

    def __init__(self, findings: Sequence[object]) -> None:
        """Tell of every finding, each with its cure."""
        super().__init__("\n".join(["the topics are not as declared", *map(str, findings)]))
