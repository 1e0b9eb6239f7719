"""Bugs between an effect and who hears of it: relays, readers, callers with tokens."""

from tests.mutants.bug import CONSUMERS, MODEL, RELAY, UNIT, contract, service

_LATE = "tests/chaos/relay/test_late_requests.py"

SAYING = [
    service(
        "a relay obeys the manifest of another epoch",
        "relay/past.py",
        "        if memory is not None and memory.epoch == self.epoch:\n",
        "        if memory is not None:\n",
        f"{RELAY}/test_relay.py",
    ),
    service(
        "a relay forgets what was said before its fall",
        "relay/past.py",
        "            await self._delete(memory, found.on(hanging), provided,",
        "            0 and await self._delete(memory, found.on(hanging), provided,",
        f"{RELAY}/test_relay.py",
    ),
    service(
        "rows are said out of order",
        "relay/batch.py",
        "key=lambda row: row.said.position)",
        "key=lambda row: -row.said.position)",
        f"{RELAY}/test_relay.py",
    ),
    service(
        "a request that was not answered is sent again",
        "relay/producer.py",
        "        client.send = send_once",
        "        client.sends = send_once",
        _LATE,
    ),
    service(
        "a relay without the lease goes on",
        "relay/loop.py",
        "        if gone != len(said):",
        "        if gone > len(said):",
        f"{RELAY}/test_lease.py",
        f"{RELAY}/test_relay.py",
    ),
    service(
        "rows are forgotten before Kafka has committed them",
        "relay/loop.py",
        "            with self.around(rows):\n",
        "            said, rows = rows, []\n"
        "            await self._forget([row.said for row in said])\n"
        "            with self.around(said):\n",
        f"{_LATE}::test_a_late_end_does_not_tear_the_next_batch[cut]",
    ),
    service(
        "a relay reads on from the highest position that it has seen",
        "relay/loop.py",
        "                rows = await outbox.oldest(db, self._limit)\n",
        "                rows = await outbox.oldest(db, self._limit)\n"
        '        seen = getattr(self, "_seen", 0)\n'
        "        rows = [row for row in rows if row.said.position > seen]\n"
        "        self._seen = rows[-1].said.position if rows else seen\n",
        f"{RELAY}/test_relay.py::test_a_transaction_that_commits_late_is_not_passed_over",
    ),
    service(
        "a relay commits without a look at what became of its records",
        "relay/producer.py",
        "    delivered = await asyncio.gather(*sent)\n"
        "    count = sum(batch.record_count() for _, batch in batches)\n"
        "    if count != len(records) or len(delivered) != len(batches) or None in delivered:\n"
        '        raise OutcomeUnknownError("Kafka has not acknowledged every record")\n',
        "",
        f"{RELAY}/test_relay.py::test_a_record_that_never_fits_becomes_a_dead_letter[broker]",
    ),
    contract(
        "readers see what was aborted",
        "kafka/connection.py",
        'isolation: Isolation = "read_committed"',
        'isolation: Isolation = "read_uncommitted"',
        "tests/integration/client/test_event_stream.py",
    ),
]
DECIDING = [
    service(
        "a used refresh token is no alarm",
        "auth/commands/refresh_session.py",
        "    return Outcome(Rejected.because(Code.INVALID_TOKEN), (ended,))",
        "    return Outcome(Rejected.because(Code.INVALID_TOKEN), (ended,)[1:])",
        f"{UNIT}/auth/test_refresh.py",
    ),
    service(
        "a session that is over goes on",
        "auth/acting.py",
        " if user.is_active and session.is_live(at) else None",
        " if user.is_active else None",
        f"{UNIT}/auth",
    ),
    service(
        "sessions go on after their password is changed",
        "auth/commands/change_password.py",
        "        (changed, *ended),",
        "        (changed,),",
        f"{MODEL}/test_sequences.py",
        f"{UNIT}/auth/test_change_password.py",
    ),
    service(
        "a used code of a second factor is taken again",
        "auth/factors/service.py",
        "    factor.last_step = max(factor.last_step, passed.step)\n",
        "",
        f"{CONSUMERS}/test_factor_log_in.py::test_a_code_and_a_challenge_are_good_once",
    ),
    service(
        "a code for a new password is good twice",
        "auth/applying.py",
        "    users.password_changed(event, private, rows.users)\n"
        "    _spent_with_password(event, rows, at)\n",
        "    users.password_changed(event, private, rows.users)\n",
        f"{MODEL}/test_sequences.py",
    ),
    service(
        "a change of address outlives the password that it was asked for with",
        "auth/applying.py",
        "_VOID_WITH_PASSWORD = (Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL)",
        "_VOID_WITH_PASSWORD = (Purpose.RESET_PASSWORD,)",
        f"{UNIT}/auth",
    ),
    service(
        "a stranger's second factor outlives the first proof of the address",
        "auth/commands/complete_password_reset.py",
        "    return user.second_factor and not user.email_verified\n",
        "    return False\n",
        f"{UNIT}/auth",
    ),
    service(
        "devices outlive the password that they became known by",
        "auth/users/service.py",
        '    user.devices = b""\n',
        "",
        f"{UNIT}/auth",
    ),
    service(
        "a machine's sessions outlive a secret that is void at once",
        "auth/commands/rotate_service_secret.py",
        "    if not command.overlap_hours:\n",
        "    if command.overlap_hours:\n",
        f"{CONSUMERS}/test_service_secrets.py",
    ),
    service(
        "an erased user's rows stay",
        "auth/repository.py",
        "    if rows.users.gone:\n",
        "    if rows.users.gone and rows.hides:\n",
        f"{MODEL}/test_machine.py",
    ),
    service(
        "guesses are never locked",
        "auth/guessing/limits.py",
        "        return failures >= self.until_lock",
        "        return failures > 10 * self.until_lock",
        f"{UNIT}/auth/test_guessing.py",
    ),
    service(
        "guesses in parallel are free",
        "auth/guessing/limits.py",
        "        return Verdict.HELD if held < room else Verdict.WAIT",
        "        return Verdict.HELD if held < 1000 * room else Verdict.WAIT",
        f"{UNIT}/auth/test_guessing.py",
        f"{CONSUMERS}/test_guesses.py",
    ),
    service(
        "nobody's password costs no hash",
        "core/security/passwords.py",
        "        hashed = phc or self._nobody\n",
        "        if not phc:\n            return Verified(ok=False)\n        hashed = phc\n",
        f"{UNIT}/passwords/test_hashing.py",
    ),
    service(
        "a dead letter holds the record",
        "consumers/speaker.py",
        "            digest=arrival.digest.hex(),",
        "            digest=arrival.value.decode(errors='replace'),",
        f"{CONSUMERS}/test_bad_records.py",
    ),
]
CHECKING = [
    contract(
        "a token for another is taken",
        "tokens.py",
        '            raise TokenInvalid("audience")',
        "            pass",
        f"{UNIT}/authbus/test_tokens.py",
    ),
    contract(
        "any algorithm is taken",
        "signing.py",
        '    if found.get("alg") != "EdDSA" or "crit" in found:',
        '    if "crit" in found:',
        f"{UNIT}/authbus/test_tokens.py",
        f"{UNIT}/authbus/test_signing.py",
    ),
    contract(
        "a feed that stands still is believed",
        "tokens.py",
        "self._ended.age(now) > self._rules.max_staleness",
        "self._ended.age(now) < -self._rules.max_staleness",
        f"{UNIT}/authbus/test_tokens.py",
    ),
    contract(
        "an ended session's token is taken",
        "tokens.py",
        "        if claims.session_id in self._ended:\n            raise TokenRevoked\n",
        "",
        f"{UNIT}/authbus/test_tokens.py",
    ),
    contract(
        "a coordinator that loads is believed",
        "kafka/group_offsets.py",
        "    _check(answer.error_code, group)\n    for topic",
        "    for topic",
        "tests/integration/client/test_group_offsets.py",
    ),
    contract(
        "an old leader is asked for ever",
        "kafka/leaders.py",
        "            if error.invalid_metadata:",
        "            if not error.invalid_metadata:",
        "tests/integration/client/test_leaders.py",
    ),
    service(
        "a lost answer takes all others with it",
        "consumers/speaker.py",
        '            acks="all",\n',
        '            acks="all",\n            enable_idempotence=True,\n',
        f"{CONSUMERS}/test_lost_answers.py",
    ),
    contract(
        "who is no member commits",
        "kafka/group_offsets.py",
        "isinstance(request, OffsetCommitRequest) and coordinator.generation < 0",
        "False",
        "tests/integration/client/test_group_offsets.py",
    ),
]
