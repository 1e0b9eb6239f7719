"""Looks at everything that a service needs, changes nothing, and names what mends each fault."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authbus.topics import COMMAND_TOPICS
from authbus_service import cluster
from authbus_service.cluster import Admin, ClusterError, check, declared
from authbus_service.cluster.topics import MISSING
from authbus_service.consumers.intakes import groups_of
from authbus_service.consumers.transient import OUTAGE
from authbus_service.consumers.went_back import DatabaseWentBackError
from authbus_service.core import clock, installation
from authbus_service.core.config import Settings
from authbus_service.core.database import Database, name_of
from authbus_service.core.security import repository as keys
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.security.masters import MasterKeyError
from authbus_service.startup.clients import declared_clients
from authbus_service.startup.database import open_database, require_newest
from authbus_service.startup.diagnosis import Diagnosis, State
from authbus_service.startup.errors import StartupError
from authbus_service.startup.fence import require_fence
from authbus_service.startup.rights import look_at_rights
from authbus_service.startup.risks import Risks
from authbus_service.startup.servers import addresses
from authbus_service.startup.under_masters import require_masters

_WHERE = "Is it there, and are KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL right?"
_EXPECTED = (ClusterError, DatabaseWentBackError, MasterKeyError, StartupError)


@dataclass(frozen=True, slots=True)
class Doctor:
    """Looks at one database, one cluster and the masters of `settings`.

    `backup_from`: when the backup was begun that would be restored; None: no question of it.
    """

    settings: Settings
    database: Database
    kafka: str
    backup_from: datetime | None

    async def look(self) -> AsyncGenerator[Diagnosis]:
        """Every finding, one after the other; what stands in the way of others ends it."""
        for what, look, is_needed in (
            ("master key", self._masters, False),
            ("topics", self._topics, True),
            ("backup", self._backup, False),
            ("rights", self._rights, False),
            ("database", self._shape, True),
            ("installation", self._installation, True),
            ("keys", self._keys, False),
            ("fence", self._fence, False),
            ("mails", self._mails, False),
        ):
            found = await _looked(what, look, hides=is_needed)
            yield found
            if found.hides:
                return
        async for risk in Risks(self.settings, self.database, self.kafka).look():
            yield risk

    async def _masters(self) -> Diagnosis:
        masters = self.settings.masters()
        return Diagnosis("master key", "ok", f"{len(masters.names)} can be read")

    async def _topics(self) -> Diagnosis:
        clients = declared_clients(self.settings.clients, own_kafka=False)
        async with Admin.connect(self.kafka, self.settings.security()) as admin:
            _, brokers = await admin.describe()
            wanted = declared(self.settings.namespace, clients, brokers)
            findings = await check(admin, wanted)
        summed_up = _summed_up("topics", findings, f"{len(wanted)} are as declared")
        return replace(summed_up, hides=any(each.problem == MISSING for each in findings))

    async def _rights(self) -> Diagnosis:
        if not self.settings.logs_in:
            told = "Kafka does not ask who we are: everybody may do everything"
            return Diagnosis("rights", "warning", told)
        clients = declared_clients(self.settings.clients, own_kafka=False)
        findings = await look_at_rights(self.settings, self.kafka, clients)
        return _summed_up("rights", findings, "each of our names may do what it needs and no more")

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

    async def _backup(self) -> Diagnosis:
        """A backup is good while the topics keep each command that came after it."""
        names = [topic.name(self.settings.namespace) for topic in COMMAND_TOPICS]
        async with Admin.connect(self.kafka, self.settings.security()) as admin:
            found = await admin.settings(names)
        kept = min(int(each["retention.ms"].value) for each in found.values())
        oldest = clock.now() - timedelta(milliseconds=kept)
        limit = oldest.isoformat(" ", "minutes")
        if self.backup_from is not None and self.backup_from < oldest:
            told = (
                f"it was begun before {limit}: commands that came after it are gone. Take a "
                "younger one; with this one authbus recover --report FILE lists what is missing"
            )
            return Diagnosis("backup", "fault", told)
        return Diagnosis("backup", "ok", f"one that was begun after {limit} brings everything back")

    async def _mails(self) -> Diagnosis:
        if self.settings.smtp_url is None:
            told = "they wait, and are given up when their code has run out: set AUTHBUS_SMTP_URL"
            return Diagnosis("mails", "warning", told)
        return Diagnosis("mails", "ok", "an SMTP server is set")


def _summed_up(what: str, findings: Sequence[cluster.Finding], well: str) -> Diagnosis:
    state: State = "ok"
    if findings:
        state = "fault" if any(each.fatal for each in findings) else "warning"
    return Diagnosis(what, state, "; ".join(map(str, findings)) or well)


async def _looked(what: str, look: Callable[[], Awaitable[Diagnosis]], *, hides: bool) -> Diagnosis:
    try:
        return await look()
    except _EXPECTED as error:
        return Diagnosis(what, "fault", str(error), hides)
    except OUTAGE as error:
        told = f"does not answer: {name_of(error)}. {_WHERE}"
        return Diagnosis(what, "fault", told, hides)


@asynccontextmanager
async def a_doctor(settings: Settings, backup_from: datetime | None) -> AsyncGenerator[Doctor]:
    """A doctor for what the settings name. Raises StartupError where they name no servers."""
    kafka, url = addresses(settings)
    database = open_database(url)
    try:
        yield Doctor(settings, database, kafka, backup_from)
    finally:
        await database.close()
