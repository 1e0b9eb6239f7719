"""Looks at everything that a service needs, changes nothing, and names what mends each fault."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from authbus.topics import COMMAND_TOPICS
from authbus_service import cluster
from authbus_service.cluster import Admin, check, declared
from authbus_service.cluster.topics import MISSING
from authbus_service.core import clock
from authbus_service.core.config import Settings
from authbus_service.startup.clients import declared_clients
from authbus_service.startup.database import open_database
from authbus_service.startup.diagnosis import Diagnosis, State
from authbus_service.startup.errors import StartupError
from authbus_service.startup.looking import Look, Round
from authbus_service.startup.rights import look_at_rights
from authbus_service.startup.risks import Risks
from authbus_service.startup.servers import addresses
from authbus_service.startup.stored import Stored


@dataclass(frozen=True, slots=True)
class Doctor:
    """Looks at one database, one cluster and the masters of `settings`.

    `backup_from`: when the backup was begun that would be restored; None: no question of it.
    """

    settings: Settings
    kafka: str
    database_url: str = field(repr=False)
    backup_from: datetime | None

    @classmethod
    def of(cls, settings: Settings, backup_from: datetime | None) -> Self:
        """A doctor for what the settings name. Raises StartupError where they name no servers."""
        return cls(settings, *addresses(settings), backup_from)

    async def look(self) -> AsyncGenerator[Diagnosis]:
        """Every finding, one after the other, but of what needs something that is away.

        What needs no database comes first: the one to be restored is away.
        """
        together = Round()
        async for found in together.looked(
            Look("master key", self._masters),
            Look("topics", self._topics),
            Look("backup", self._backup, ("topics",)),
            Look("rights", self._rights, ("topics",)),
            Look("mails", self._mails),
        ):
            yield found
        try:
            database = open_database(self.database_url)
        except StartupError as error:
            yield Diagnosis("database", "fault", str(error))
            return
        try:
            async for found in Stored(self.settings, database, self.kafka).look(together):
                yield found
            async for risk in Risks(self.settings, database, self.kafka).look(together):
                yield risk
        finally:
            await database.close()

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
            told = (
                "Kafka does not ask who we are: everybody may do everything. Let its brokers ask, "
                "and set AUTHBUS_KAFKA_SECURITY_PROTOCOL"
            )
            return Diagnosis("rights", "warning", told)
        clients = declared_clients(self.settings.clients, own_kafka=False)
        findings = await look_at_rights(self.settings, self.kafka, clients)
        return _summed_up("rights", findings, "each of our names may do what it needs and no more")

    async def _backup(self) -> Diagnosis:
        """A backup is good while the topics keep each command that came after it."""
        names = [topic.name(self.settings.namespace) for topic in COMMAND_TOPICS]
        async with Admin.connect(self.kafka, self.settings.security()) as admin:
            found = await admin.settings(names)
        kept = [ms for each in found.values() if (ms := int(each["retention.ms"].value)) >= 0]
        if not kept:
            told = "any brings everything back: commands are kept for ever"
            return Diagnosis("backup", "ok", told)
        oldest = _before_now(min(kept))
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
            told = (
                "they wait, and are given up when their code has run out, unless `authbus serve` "
                "runs servers of its own and writes them into a folder: set AUTHBUS_SMTP_URL"
            )
            return Diagnosis("mails", "warning", told)
        return Diagnosis("mails", "ok", "an SMTP server is set")


def _before_now(milliseconds: int) -> datetime:
    return clock.at_ms((clock.now() - clock.LONG_AGO) // timedelta(milliseconds=1) - milliseconds)


def _summed_up(what: str, findings: Sequence[cluster.Finding], well: str) -> Diagnosis:
    state: State = "ok"
    if findings:
        state = "fault" if any(each.fatal for each in findings) else "warning"
    return Diagnosis(what, state, "; ".join(map(str, findings)) or well)
