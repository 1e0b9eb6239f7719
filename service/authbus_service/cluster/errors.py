"""What can be wrong with a cluster, each with a text that says what to do."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from aiokafka.errors import KafkaError
from pydantic_core import to_json

# What is raised while Kafka is away; a TimeoutError is an OSError too.
KAFKA_AWAY = (KafkaError, OSError)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as declared, with the command that mends it.

    One that is not `fatal` is said and lived with.
    """

    topic: str
    problem: str
    cure: str
    fatal: bool = True

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.topic}: {self.problem}. Mend it: {self.cure}"

    def to_json(self) -> str:
        """One JSON object."""
        return to_json(asdict(self)).decode()


class ClusterError(RuntimeError):
    """The cluster cannot be reached or refuses; the text is meant for a person."""


class NoAnswerError(ClusterError):
    """Kafka does not answer, or does not take us."""

    def __init__(self, what: str, servers: str, reason: str | Exception) -> None:
        """Tell what could not be done, where and why."""
        told = str(reason).rstrip(".") or type(reason).__name__
        super().__init__(
            f"cannot {what} at {servers}: {told}. Is Kafka there, is KAFKA_BOOTSTRAP_SERVERS its "
            "address, and do AUTHBUS_KAFKA_... say how it is reached?"
        )


class TopicsError(ClusterError):
    """Topics are not as they are declared; one line for each finding."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Tell of every finding, each with its cure."""
        super().__init__("\n".join(["the topics are not as declared", *map(str, findings)]))
        self.findings = findings
