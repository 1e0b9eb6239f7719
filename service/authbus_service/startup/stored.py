"""What the doctor looks at in the database: whether it is the right one, whole and as it was."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from authbus_service.cluster import Admin
from authbus_service.consumers.intakes import groups_of
from authbus_service.core import installation
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.core.security import repository as keys
from authbus_service.core.security.keyring import KeyRing
from authbus_service.startup.database import require_newest
from authbus_service.startup.diagnosis import Diagnosis
from authbus_service.startup.fence import require_fence
from authbus_service.startup.looking import Look, Round
from authbus_service.startup.under_masters import require_masters


@dataclass(frozen=True, slots=True)
class Stored:
    """Looks at one database."""

    settings: Settings
    database: Database
    kafka: str

    def look(self, together: Round) -> AsyncGenerator[Diagnosis]:
        """Every finding but of what needs something that is away."""
        return together.looked(
            Look("database", self._shape),
            Look("installation", self._installation, ("database", "topics")),
            Look("keys", self._keys, ("master key", "database")),
            Look("fence", self._fence, ("installation",)),
        )

    async def _shape(self) -> Diagnosis:
        await require_newest(self.database)
        return Diagnosis("database", "ok", "has the newest shape")

    async def _installation(self) -> Diagnosis:
        async with Admin.connect(self.kafka, self.settings.security()) as admin:
            cluster_id, _ = await admin.describe()
        async with self.database.reading() as db:
            row = await installation.found(db)
        if row is None:
            return Diagnosis("installation", "ok", "no service has run on it yet")
        mine = (self.settings.namespace, cluster_id)
        if (row.namespace, row.cluster_id) != mine:
            place = f"namespace {row.namespace!r} on cluster {row.cluster_id}"
            told = (
                f"the database belongs to {place}. Name that cluster and namespace "
                "(KAFKA_BOOTSTRAP_SERVERS, AUTHBUS_NAMESPACE), or another DATABASE_URL"
            )
            return Diagnosis("installation", "fault", told, hides=True)
        if row.recovering:
            told = "a recovery was not finished. Run: authbus recover"
            return Diagnosis("installation", "fault", told, hides=True)
        return Diagnosis("installation", "ok", f"namespace {row.namespace!r}")

    async def _keys(self) -> Diagnosis:
        masters = self.settings.masters()
        async with self.database.reading() as db:
            found = await keys.keys(db)
        KeyRing(masters).load(found)
        await require_masters(self.database, masters)
        return Diagnosis("keys", "ok", f"all {len(found)} follow from the master key")

    async def _fence(self) -> Diagnosis:
        namespace = self.settings.namespace
        await require_fence(
            self.database,
            self.kafka,
            self.settings.security(),
            namespace=namespace,
            groups=groups_of(namespace),
        )
        return Diagnosis("fence", "ok", "the database knows all that Kafka knows of it")
