"""Bugs between a record and its effect."""

from tests.mutants.bug import CONSUMERS, UNIT, service

_WAITS = f"{CONSUMERS}/test_waits.py"

READING = [
    service(
        "a label that differs from the seal is believed",
        "consumers/opening.py",
        "        if not labels.agree_with(sealed):",
        "        if not labels:",
        f"{CONSUMERS}/test_bad_records.py",
    ),
    service(
        "an answer goes wherever it is asked to",
        "consumers/opening.py",
        "        if asked - {allowed}:",
        "        if asked - {allowed} and not asked:",
        f"{CONSUMERS}/test_bad_records.py",
    ),
    service(
        "a command is taken from any topic",
        "consumers/opening.py",
        "        if right != arrival.topic:",
        "        if right is None:",
        f"{CONSUMERS}/test_bad_records.py",
    ),
    service(
        "an id far from its record's time is taken",
        "consumers/opening.py",
        "    if issued is None or abs(arrival.appended_at - issued) > NEAR:",
        "    if issued is None:",
        f"{UNIT}/consumers/test_opening.py",
    ),
    service(
        "a guess whose command was handled elsewhere stays under way",
        "consumers/way.py",
        "        if isinstance(result, Handled):\n            await self.let_go(proof)\n",
        "",
        f"{CONSUMERS}/test_held_attempts.py",
    ),
    service(
        "a guess stays under way that could not be judged",
        "consumers/preparing.py",
        "            await let_go(Proof.unjudged(each))\n",
        "            pass\n",
        f"{CONSUMERS}/test_held_attempts.py",
    ),
    service(
        "a waiting key takes a slot for each of its records",
        "consumers/lanes.py",
        "            if is_new := arrival.lane not in self._lanes:\n",
        "            if is_new := True:\n",
        f"{UNIT}/consumers/test_lanes.py",
    ),
    service(
        "two members of one name push each other out",
        "consumers/static_membership.py",
        "        forget_name(consumer)\n        reset()\n",
        "        reset()\n",
        f"{CONSUMERS}/test_named.py",
    ),
    service(
        "offsets are committed as far as was read",
        "consumers/progress.py",
        "        return next(iter(self.unfinished), self.next)",
        "        return self.next",
        f"{UNIT}/consumers/test_progress.py",
    ),
    service(
        "Kafka's offset runs ahead of the fence",
        "consumers/subscriber.py",
        "self._committing.commit(self.progress.safe(), self._commit)",
        "self._committing.commit(self.progress.ahead(), self._commit)",
        f"{UNIT}/consumers/test_subscriber.py",
    ),
    service(
        "records are handled before the guard has agreed",
        "consumers/admitting.py",
        "        await self._open.wait()\n",
        "",
        f"{UNIT}/consumers/test_subscriber.py",
    ),
]
COMMITTING = [
    service(
        "the inbox claim is skipped",
        "inbox/repository.py",
        "    if missing := {each.id for each in handled} - claimed:",
        "    if missing := {each.id for each in handled} - claimed - {each.id for each in rows}:",
        f"{CONSUMERS}/test_concurrency.py",
        f"{CONSUMERS}/test_groups.py",
        f"{CONSUMERS}/test_idempotency.py",
    ),
    service(
        "the content of a retry is left out",
        "consumers/way.py",
        "        if not same:",
        "        if not request:",
        f"{CONSUMERS}/test_way.py",
        f"{CONSUMERS}/test_idempotency.py",
    ),
    service(
        "an expired command is executed",
        "consumers/group.py",
        "    return at >= job.request.expires_at or not _is_kept(job, at)",
        "    return not _is_kept(job, at)",
        f"{CONSUMERS}/test_groups.py",
        f"{CONSUMERS}/test_idempotency.py",
    ),
    service(
        "effects are not said",
        "consumers/group.py",
        "            records += telling.records(job.request.derived, told, at, job.traceparent)",
        "            records += telling.records(job.request.derived, [], at, job.traceparent)",
        f"{CONSUMERS}/test_fold.py",
        f"{CONSUMERS}/test_way.py",
    ),
    service(
        "a database that is behind Kafka's offsets is believed",
        "consumers/went_back.py",
        "        if offset > (below := known.get(place, 0)):",
        "        if offset > (below := max(offset, known.get(place, 0))):",
        f"{CONSUMERS}/test_fence.py::"
        "test_a_database_that_went_back_in_time_handles_nothing_and_names_the_cure",
    ),
    service(
        "the fence stays where it is",
        "consumers/group.py",
        "            fence.move(writes, below)\n",
        "",
        f"{CONSUMERS}/test_fence.py",
    ),
    service(
        "a user is not locked",
        "auth/users/repository.py",
        "    .with_for_update(skip_locked=True)",
        "    .with_for_update(skip_locked=True, read=True, key_share=True)",
        f"{CONSUMERS}/test_groups.py",
        f"{CONSUMERS}/test_concurrency.py",
        f"{CONSUMERS}/test_refresh_races.py",
    ),
    service(
        "users are locked one after the other, who acts first",
        "auth/repository.py",
        "    rows.users.by_id = {user.id: user for user in await users.lock(db, wanted",
        "    acting = {proof.acting.user_id for proof in proofs if proof.acting is not None}\n"
        "    found = await users.lock(db, wanted & acting, wait=wait)\n"
        "    rows.users.by_id = {\n"
        "        user.id: user for user in found + await users.lock(db, wanted - acting",
        f"{_WAITS}::test_two_that_wait_for_the_same_users_never_dead_lock",
    ),
    service(
        "addresses are claimed in the order in which they came",
        "auth/users/repository.py",
        "            for canonical, user_id in sorted(claims.items())\n",
        "            for canonical, user_id in claims.items()\n",
        f"{_WAITS}::test_two_that_want_the_same_addresses_never_dead_lock",
    ),
    service(
        "sessions are read before their users are locked",
        "auth/repository.py",
        "    rows.users.by_id = {user.id: user for user in await users.lock(",
        "    asked = set[UUID]().union(*(proof.sessions for proof in proofs))\n"
        "    rows.sessions.known = {each.id: each for each in await sessions.by_id(db, asked)}\n"
        "    rows.users.by_id = {user.id: user for user in await users.lock(",
        f"{_WAITS}::test_a_session_that_ends_while_its_user_is_waited_for_is_over",
    ),
    service(
        "a command is answered when it is decided",
        "consumers/group.py",
        "            outcomes[job] = outcome\n",
        "            outcomes[job] = outcome\n"
        "            if not job.result.done():\n"
        "                job.result.set_result(Decided(outcome.answer, at))\n",
        f"{CONSUMERS}/test_groups.py::test_one_that_the_database_refuses_fails_alone",
    ),
    service(
        "a group that fails takes all with it",
        "consumers/writer.py",
        "        if len(part) > 1:",
        "        if not part:",
        f"{UNIT}/consumers/test_writer.py",
    ),
    service(
        "what would pass by itself is buried",
        "consumers/finishing.py",
        "                if not is_transient(error):",
        "                if error:",
        f"{UNIT}/consumers/test_finishing.py",
    ),
    service(
        "an older database is let in",
        "consumers/went_back.py",
        "        if sequence > (so_far := known.get(user_id, 0)):",
        "        if sequence < (so_far := known.get(user_id, 0)):",
        f"{CONSUMERS}/test_went_back.py",
    ),
]
