"""A stand-in for a cluster, and kubectl beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.interop.stand_in import kubectl
from tests.interop.stand_in.kinds import Json
from tests.interop.stand_in.server import Ran, StandIn
from tests.rig import foreign

NAMESPACE = "kafka"


@dataclass
class Cluster:
    stand_in: StandIn
    environment: Mapping[str, str]

    async def says(self, command: str) -> str:
        """What the command prints, which ends well."""
        words = kubectl.words(command)
        folder = foreign.REPOSITORY
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
