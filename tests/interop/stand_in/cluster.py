"""A stand-in for a cluster, and kubectl beside it."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.stand_in import kubectl
from tests.interop.stand_in.kinds import Json
from tests.interop.stand_in.objects import Objects
from tests.interop.stand_in.server import Ran, StandIn, serving
from tests.rig import foreign

NAMESPACE = "kafka"


@dataclass
class Cluster:
    stand_in: StandIn
    environment: Mapping[str, str]

    async def says(self, command: str, folder: Path = foreign.REPOSITORY) -> str:
        """What the command prints, which ends well."""
        words = kubectl.words(command)
        return "\n".join(await foreign.run(*words, folder=folder, environment=self.environment))

    async def refuses(self, command: str) -> str:
        words = kubectl.words(command)
        folder = foreign.REPOSITORY
        return await foreign.failed(*words, folder=folder, environment=self.environment)

    async def at_a_terminal(self, command: str) -> Ran:
        """What a container was given by it."""
        status, shown = await kubectl.at_a_terminal(command, self.environment)
        assert status == 0, shown
        return self.stand_in.ran[-1]

    def objects(self, kind: str) -> dict[str, Json]:
        (of,) = (each for each in self.stand_in.objects.kinds if each.name == kind)
        found = self.stand_in.objects.all(of, NAMESPACE)
        return {each["metadata"]["name"]: each for each in found}

    def replicas(self, deployment: str) -> int:
        return self.objects("Deployment")[deployment]["spec"]["replicas"]


@contextmanager
def running(objects: Objects, folder: Path) -> Generator[Cluster]:
    """One that has these; what kubectl keeps goes into the folder."""
    with serving(StandIn(objects, kubectl.dictionary())) as stand_in:
        yield Cluster(stand_in, kubectl.environment(stand_in.port, folder))
