"""How many guesses are let in: some at once, then ever later, then none for a while."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from authbus_service.auth.guessing.limits import Limits

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_MAILS_A_DAY, _KEPT_MAILS = 5, 2

Key = tuple[str, str]


@dataclass
class _Wrong:
    """One that was wrong; `about` is the account that its address belonged to."""

    key: Key
    place: Key | None
    at: datetime
    about: object = None
    counts: bool = True


@dataclass
class Guesses:
    """`limits` are the settings alone: what follows from them is reckoned here."""

    limits: Limits
    wrong: list[_Wrong] = field(default_factory=list[_Wrong])

    def admits(self, key: Key, place: Key | None, at: datetime) -> bool:
        """Whether a guess is looked at, or refused unseen."""
        here = [each.at for each in self.wrong if place is not None and each.place == place]
        if sum(each > at - _HOUR for each in here) >= self.limits.per_source:
            return False
        failed = self._counting(key, at)
        return not failed or at >= max(failed) + self._wait(len(failed))

    def fail(self, key: Key, place: Key | None, at: datetime, about: object = None) -> bool:
        """One more was wrong; returns whether that is one too many."""
        self.wrong.append(_Wrong(key, place, at, about))
        return len(self._counting(key, at)) >= self.limits.until_lock

    def may_register(self, place: Key | None, at: datetime) -> bool:
        """Whether one more account is made from here; it is counted then."""
        return place is None or self._may(place, at, _HOUR, self.limits.per_source)

    def may_mail(self, address: str, at: datetime) -> bool:
        """Whether one more mail goes to an address that is nobody's; it is counted then."""
        return self._may(("mailbox", address.lower()), at, _DAY, _MAILS_A_DAY)

    def may_reset(self, address: str, at: datetime, *, is_good: bool) -> bool:
        """Whether one more mail for a password goes to whose address it is; it is counted then.

        Beyond five a day one goes while no code `is_good`.
        """
        key = ("reset mail", address.lower())
        may = not is_good or self._lately(key, at, _DAY) < _MAILS_A_DAY
        if may:
            self.fail(key, None, at)
        return may

    def may_use_kept(self, address: str, at: datetime) -> bool:
        """Whether one of those is left that are kept for a plain address; it is counted then."""
        return self._may(("reset mail", address.lower()), at, _DAY, _KEPT_MAILS)

    def may_change(self, who: str, address: str, at: datetime) -> bool:
        """Whether one more address is asked for, free or taken; it is counted then."""
        key, there = ("change", who), ("mailbox", address.lower())
        if self._lately(key, at, _MINUTE) or self._lately(there, at, _DAY) >= _MAILS_A_DAY:
            return False
        return self._may(key, at, _DAY, _MAILS_A_DAY)

    def _may(self, key: Key, at: datetime, within: timedelta, most: int) -> bool:
        may = self._lately(key, at, within) < most
        if may:
            self.fail(key, None, at)
        return may

    def _lately(self, key: Key, at: datetime, within: timedelta) -> int:
        return sum(each.key == key and each.at > at - within for each in self.wrong)

    def clear(self, key: Key) -> None:
        """A right one: those before count against their place alone."""
        for each in self.wrong:
            each.counts &= each.key != key

    def forgive(self, about: object) -> None:
        """The same for all that was guessed at the address of an account."""
        for each in self.wrong:
            each.counts &= each.about is not about

    def forget(self, about: object) -> None:
        """An account is gone, and what was guessed at it, from wherever."""
        self.wrong = [each for each in self.wrong if each.about is not about]

    def _counting(self, key: Key, at: datetime) -> list[datetime]:
        return [
            each.at
            for each in self.wrong
            if each.key == key and each.counts and each.at > at - _DAY
        ]

    def _wait(self, failed: int) -> timedelta:
        if failed >= self.limits.until_lock:
            return self.limits.lock
        if failed < self.limits.at_once:
            return timedelta()
        return min(self.limits.first_wait * 2 ** (failed - self.limits.at_once), self.limits.lock)
