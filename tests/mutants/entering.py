"""Bugs that let somebody in, or let them know who has an account: what tests/entry looks for."""

from tests.mutants.bug import CONSUMERS, ENTRY, MODEL, UNIT, contract, service

_ALTERED = (
    f"{ENTRY}/test_altered.py::"
    "test_what_is_altered_of_fifty_commands_has_no_effect_and_the_originals_have_theirs"
)
_LATER, _REPLY_TO, _TIMING = (f"{ENTRY}/test_{name}.py" for name in ("later", "reply_to", "timing"))

OPENING = [
    contract(
        "a seal's own header is left out of what its tag is made of",
        "sealing.py",
        "_P256 = SECP256R1()\n",
        "_P256 = SECP256R1()\n_Bound = AESGCM\n\n\n"
        "class AESGCM:\n"
        "    def __init__(self, key):\n        self._of = _Bound(key)\n\n"
        "    def encrypt(self, nonce, data, _):\n"
        "        return self._of.encrypt(nonce, data, None)\n\n"
        "    def decrypt(self, nonce, data, _):\n"
        "        return self._of.decrypt(nonce, data, None)\n\n\n",
        f"{_ALTERED}[with_an_altered_seal-47]",
    ),
    service(
        "a header is left out of those that are held against the seal",
        "consumers/labels.py",
        '        times = {"ce_time": sealed.time, "ce_expirytime": sealed.expirytime}',
        '        times = {"ce_time": sealed.time}',
        f"{_ALTERED}[with_an_altered_header-47]",
    ),
    service(
        "a seal is opened whatever headers it has",
        "consumers/opening.py",
        "        if not labels.agree_with(sealed):",
        "        if not sealed:",
        f"{_ALTERED}[transplanted-1]",
    ),
    service(
        "who sends a copy first takes the answer away",
        "consumers/way.py",
        "        if same_bytes and now >= handled.expires_at:",
        "        if same_bytes:",
        f"{ENTRY}/test_altered.py::"
        "test_a_copy_sent_first_that_differs_in_nothing_sealed_is_the_command_itself",
    ),
    service(
        "an answer is written wherever it is asked to be",
        "consumers/opening.py",
        "        if asked - {allowed}:\n"
        "            raise UnreadableError(DeadLetterReason.REPLY_NOT_ALLOWED)\n"
        "        return Route(\n"
        "            topic=allowed if asked else None,\n",
        "        return Route(\n            topic=next(iter(asked - {allowed}), allowed),\n",
        f"{_REPLY_TO}::test_no_answer_is_written_to_a_topic_that_is_not_its_clients",
    ),
    service(
        "what is shed is not answered",
        "consumers/way.py",
        "            await self._busy(labels)\n",
        "",
        f"{_REPLY_TO}::"
        "test_what_is_shed_unopened_is_answered_on_its_clients_topic_wherever_it_asks",
    ),
    service(
        "what is shed is answered wherever its headers ask",
        "consumers/way.py",
        "                topic=client.reply_topic.name(self.opener.namespace),",
        '                topic=labels.text.get("kafka_replyTopic", "auth.replies.web"),',
        f"{_REPLY_TO}::"
        "test_what_is_shed_unopened_is_answered_on_its_clients_topic_wherever_it_asks",
    ),
    service(
        "an id is taken for hours",
        "consumers/opening.py",
        "    if issued is None or abs(arrival.appended_at - issued) > NEAR:",
        "    if issued is None or abs(arrival.appended_at - issued) > 20 * NEAR:",
        f"{_LATER}::"
        "test_fifty_commands_produced_again_after_a_second_minutes_and_days_have_no_effect",
    ),
    service(
        "an old id is taken in a new record",
        "consumers/opening.py",
        "    if issued is None or abs(arrival.appended_at - issued) > NEAR:",
        "    if issued is None or issued - arrival.appended_at > NEAR:",
        f"{_LATER}::test_the_inbox_itself_forgets_no_command_before_its_id_is_too_old_to_be_taken",
    ),
    service(
        "a retry sealed anew is taken under an old id",
        "consumers/way.py",
        "        if opened.refusal is not None and (opened.command is None or not same_bytes):",
        "        if opened.refusal is not None and opened.command is None:",
        f"{MODEL}/test_again.py",
    ),
    service(
        "any number of guesses at a handled command is answered",
        "consumers/way.py",
        "            self.mismatches.note(handled.id)\n",
        "",
        f"{MODEL}/test_again.py",
    ),
    contract(
        "a copy on another topic takes the answer away",
        "client/pending.py",
        "            if not _is_about_a_copy(reply, self.outgoing.topic):",
        "            if not self._answer.done():",
        f"{CONSUMERS}/test_copies.py",
        f"{UNIT}/authbus/test_calls.py",
    ),
]
BELIEVING = [
    service(
        "an access token that ran out is taken",
        "auth/acting.py",
        "    if acting is None or at >= acting.expires_at:",
        "    if acting is None:",
        f"{ENTRY}/test_tokens.py",
    ),
    service(
        "an access token for another namespace is taken",
        "auth/acting.py",
        '    if claims is None or claims.get("iss") != issuer:',
        "    if claims is None:",
        f"{ENTRY}/test_tokens.py",
    ),
    service(
        "whatever our keys signed is an access token",
        "core/security/keyring.py",
        '        return signed.body if signed.header.get("typ") == _TYPE else None',
        "        return signed.body",
        f"{ENTRY}/test_tokens.py",
    ),
    contract(
        "a token without a signature is taken when it says so",
        "signing.py",
        "        header, body, signature = parts\n",
        "        header, body, signature = parts\n"
        "        named = read_json(base64url.decode(header), max_depth=_DEPTH)\n"
        '        if named.get("alg") == "none":\n'
        '            unsigned = type("Unsigned", (Signed,), {"verify": lambda *_: None})\n'
        "            said = read_json(base64url.decode(body), max_depth=_DEPTH)\n"
        '            return unsigned(named, said, b"", b"")\n',
        f"{ENTRY}/test_tokens.py",
    ),
    contract(
        "a letter that becomes another in lower case is let through",
        "addresses.py",
        "    if not address.isascii() or len(address) > _LONGEST:",
        "    if len(address) > _LONGEST:",
        f"{ENTRY}/test_look_alikes.py",
    ),
]
GUESSING = [
    service(
        "one guess too many is checked",
        "auth/guessing/limits.py",
        "        room = max(1, self.at_once - len(failed))",
        "        room = max(1, self.at_once - len(failed)) + 1",
        f"{CONSUMERS}/test_guesses.py::"
        "test_of_200_wrong_guesses_at_once_exactly_the_limit_is_hashed",
    ),
    service(
        "a password that is too long is refused unhashed",
        "core/security/passwords.py",
        "        hashed = phc or self._nobody\n",
        "        if encoded is None:\n"
        "            return Verified(ok=False)\n"
        "        hashed = phc or self._nobody\n",
        f"{_TIMING}::test_every_refused_log_in_takes_the_same_time_whatever_is_wrong",
    ),
    service(
        "a taken address is refused before the hash",
        "auth/commands/register.py",
        "    return Proof(\n        claim=",
        "    if await tools.credential(address):\n"
        "        return Proof(refusal=Rejected.because(Code.EMAIL_TAKEN))\n"
        "    return Proof(\n        claim=",
        f"{_TIMING}::"
        "test_a_reset_is_asked_for_and_a_taken_address_refused_in_the_same_time_as_a_free_one",
    ),
    service(
        "a taken address costs fewer statements",
        "auth/commands/register.py",
        "        registers=True,\n",
        "",
        f"{CONSUMERS}/test_shedding.py::"
        "test_a_registration_costs_the_same_whether_its_address_is_free_or_taken",
    ),
    service(
        "a mailbox has many names",
        "auth/guessing/admission.py",
        "mailbox(canonical).encode()",
        "canonical.encode()",
        f"{CONSUMERS}/test_mail_bounds.py::"
        "test_one_mailbox_is_mailed_five_registrations_a_day_and_no_account_is_refused",
    ),
    service(
        "what a command counts is written nowhere",
        "auth/guessing/repository.py",
        "    if attempts.written or even_none:\n",
        "    if not attempts.counts and (attempts.written or even_none):\n",
        f"{CONSUMERS}/test_mail_bounds.py::"
        "test_who_registers_from_one_place_beyond_the_limit_is_refused_and_mails_nobody",
    ),
    service(
        "what a hash wrote stays in memory",
        "core/security/sodium/kept.py",
        "    ctypes.memset(address, 0, size)\n",
        "",
        f"{UNIT}/passwords/test_sodium.py",
    ),
]
