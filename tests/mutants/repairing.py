"""Bugs of what mends: replay, redrive, rebuild, watch, and the end of what Kafka has forgotten."""

from tests.mutants.bug import RELAY, REPLAY, UNIT, service

REPAIRING = [
    service(
        "every copy counts as applied",
        "replay/outcomes.py",
        "        if noted is not None and again:\n            summary.already_handled += 1\n",
        "        if summary:\n            summary.applied += 1\n",
        f"{REPLAY}/test_commands.py",
    ),
    service(
        "a group is moved under its members",
        "replay/groups.py",
        "        await self._refuse_members(group)\n",
        "",
        f"{REPLAY}/test_events.py",
    ),
    service(
        "whatever is redriven is judged as of now",
        "replay/redriving.py",
        "        then = None if type(opened.command) in ANSWERED_SEALED else came.appended_at",
        "        then = None",
        f"{REPLAY}/test_dead_letters.py",
    ),
    service(
        "states are told again without a lock",
        "replay/states.py",
        "            found = await users.lock(db, ids, wait=True)",
        "            found = await users.read(db, ids)",
        f"{REPLAY}/test_states.py::"
        "test_profiles_that_change_meanwhile_are_told_in_order_and_last_as_they_are",
    ),
    service(
        "a stretch has no end",
        "reading/ranges.py",
        "    ends = await offsets(consumer, places, end, last, last)",
        "    ends = last",
        f"{REPLAY}/test_ranges.py",
    ),
    service(
        "a filter hides what comes of a command",
        "watching/following.py",
        "        if not (self.where(record) or (came is not None and came.is_asked_for)):",
        "        if not self.where(record):",
        f"{UNIT}/watching",
    ),
    service(
        "a pause is made good by a burst",
        "replay/copying.py",
        "        begin = max(self._next, now)",
        "        begin = self._next or now",
        f"{UNIT}/replay",
    ),
    service(
        "a relay deletes what is not over everywhere",
        "relay/producer.py",
        "        await self.do(lambda producer: until_over(producer, said, seconds), ",
        "        0 and await self.do(lambda producer: until_over(producer, said, seconds), ",
        f"{RELAY}/test_past.py::test_what_hangs_keeps_its_row_and_nothing_is_said_behind_it",
    ),
    service(
        "what hangs keeps the position that its manifest names",
        "relay/past.py",
        "            again = await say_again(db, unshown, provided=provided)\n",
        "            again = len(unshown)\n",
        f"{RELAY}/test_repairs.py::test_a_repair_of_one_partition_is_cut_off_at_each_step",
    ),
]
