"""Failed guesses of which auditors have only a count: no record says that they were handled."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import ValidationError

from authbus.envelope import read_headers
from authbus.replies import Code
from authbus.state import AuditRecord
from authbus_service.consumers import auditing
from authbus_service.consumers.job import Job
from authbus_service.consumers.labels import instant
from authbus_service.recovery.reading import Record

_MINUTE = timedelta(minutes=1)
# A command is handled so long after it came, at most: it waited for others, or for its hash.
_MINUTES = 3
_About = tuple[str, str, UUID | None, datetime]


@dataclass(slots=True)
class Guesses:
    """How many of them have a record of their own, by command, client, account and minute."""

    shown: dict[_About, Counter[Code]] = field(default_factory=dict[_About, Counter[Code]])

    def note(self, record: Record) -> None:
        """Look at one record for auditors."""
        try:
            told = AuditRecord.model_validate_json(record.value or b"")
        except ValidationError:
            return
        at = instant(read_headers(record.headers).get("ce_time"))
        if at is not None and told.command_id is not None and told.outcome in auditing.GUESSES:
            about = told.command, told.client_id, told.subject, _minute(at)
            self.shown.setdefault(about, Counter())[Code(told.outcome)] += 1

    def refusal(self, job: Job, subject: UUID | None) -> Code | None:
        """What this command may have been refused with, and counted with others of this account.

        None as `subject` stands for all addresses that are nobody's.
        """
        kind = job.request.command.wire_type(), job.request.client.id
        for n in range(_MINUTES):
            minute = _minute(job.arrival.appended_at) + n * _MINUTE
            for code, shown in self.shown.get((*kind, subject, minute), {}).items():
                if shown >= auditing.SHOWN:
                    return code
        return None


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
