"""Bugs between an effect and who hears of it: relays, readers, callers with tokens."""

from tests.mutants.bug import CONSUMERS, MODEL, RELAY, UNIT, contract, service

SAYING = [
    service(
        "a relay obeys the manifest of another epoch",
        "relay/past.py",
        "            if memory is None or memory.epoch != self.epoch:",
        "            if memory is None:",
        f"{RELAY}/test_relay.py",
    ),
    service(
        "a relay forgets what was said before its fall",
        "relay/past.py",
        "            await self._delete(memory, provided)\n",
        "",
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
        "tests/chaos/relay/test_late_requests.py",
    ),
    service(
        "a relay without the lease goes on",
        "relay/loop.py",
        "        if gone != len(said):",
        "        if gone > len(said):",
        f"{RELAY}/test_lease.py",
        f"{RELAY}/test_relay.py",
    ),
    contract(
        "readers see what was aborted",
        "connection.py",
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
        "    return Actor(user, session) if user.is_active and session.is_live(at) else None",
        "    return Actor(user, session) if user.is_active else None",
        f"{UNIT}/auth",
    ),
    service(
        "sessions go on after their password is changed",
        "auth/commands/change_password.py",
        "        (changed, *ended),",
        "        (changed,),",
        f"{MODEL}/test_sequences.py",
    ),
    service(
        "a used code of a second factor is taken again",
        "auth/factors/service.py",
        "    factor.last_step = max(factor.last_step, passed.step)\n",
        "",
        f"{MODEL}/test_sequences.py",
    ),
    service(
        "a code for a new password is good twice",
        "auth/applying.py",
        "    users.password_changed(event, private, rows.users)\n"
        "    codes.spent(Purpose.RESET_PASSWORD, event.user_id, rows.codes, at)\n",
        "    users.password_changed(event, private, rows.users)\n",
        f"{MODEL}/test_sequences.py",
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
        "self._ended.age(now) > rules.max_staleness:",
        "self._ended.age(now) < -rules.max_staleness:",
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
        "group_offsets.py",
        "    _check(answer.error_code, group)\n    for topic",
        "    for topic",
        "tests/integration/client/test_group_offsets.py",
    ),
    contract(
        "who is no member commits",
        "group_offsets.py",
        "isinstance(request, OffsetCommitRequest) and coordinator.generation < 0",
        "False",
        "tests/integration/client/test_group_offsets.py",
    ),
]
