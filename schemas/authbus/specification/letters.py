"""Why a record is not answered, as the catalogue of errors shows it."""

from authbus.specification.tables import code, section
from authbus.state import DeadLetterReason

_ABOUT = """
A record that cannot be read has no answer: nobody knows whose it is, or where an answer may go. It
has no effect, and stands on the topic of dead letters with one of these reasons, by the command's
id or, where that cannot be read, by `<topic>/<partition>/<offset>`.
"""
_WHY: dict[DeadLetterReason, tuple[str, str]] = {
    DeadLetterReason.BATCH_UNREADABLE: (
        "A whole batch of records that Kafka's format does not know, or whose checksum is wrong.",
        "Mend the Kafka client, or what stands between it and the broker.",
    ),
    DeadLetterReason.BAD_RECORD: (
        "One record that Kafka's format does not know.",
        "Mend the Kafka client.",
    ),
    DeadLetterReason.EMPTY: ("It has no value.", "Send the seal as the record's value."),
    DeadLetterReason.TOO_LARGE: (
        "The seal has more than 65,536 bytes; with `outbox` as topic: what the service was to say.",
        "Send less.",
    ),
    DeadLetterReason.BAD_HEADER: (
        (
            "`ce_id` is missing or no UUID, or a header is there twice, is null, is no UTF-8 or "
            "has more than 1,024 characters."
        ),
        "Write each header of `envelope/CommandHeaders.v1.json` once.",
    ),
    DeadLetterReason.SECRET_EXPOSED: (
        "The value is JSON in the clear.",
        "Seal it. Whoever can read the topic has read it: change the password that was in it.",
    ),
    DeadLetterReason.NOT_SEALED: (
        (
            "No compact JWE, or not with `ECDH-ES`, `A256GCM`, a `kid` and those headers alone "
            "that are allowed."
        ),
        "Seal as `contract.md` says.",
    ),
    DeadLetterReason.UNKNOWN_KEY: (
        "The `kid` names no key of the service.",
        "Read the topic of keys, to its end, and seal the same `id` and `data` anew.",
    ),
    DeadLetterReason.BAD_SEAL: (
        "It does not open with that key: it was sealed to another one, or altered.",
        "Seal it anew, to the JWK that stands beside the `kid`.",
    ),
    DeadLetterReason.BAD_JSON: (
        "What is in the seal is no JSON, or names a field twice.",
        "Write JSON as everybody reads it.",
    ),
    DeadLetterReason.BAD_ENVELOPE: (
        "What is in the seal is not as `envelope/Sealed.v1.json` has it.",
        "Write it so: no other field, times with their offset.",
    ),
    DeadLetterReason.HEADER_MISMATCH: (
        "A header says something else than the seal.",
        "Repeat what is in the seal, or leave the header out.",
    ),
    DeadLetterReason.UNKNOWN_CLIENT: (
        "`source` names no declared client.",
        "Have the operator declare it.",
    ),
    DeadLetterReason.REPLY_NOT_ALLOWED: (
        "It asks for another reply topic than its client's.",
        "Name that of the client, or none.",
    ),
    DeadLetterReason.FAILED: (
        "A fault of the service.",
        "Tell the operator, who has it handled anew.",
    ),
}


def as_markdown() -> str:
    """The section, with a row for each reason."""
    lines = [(code(each), *_WHY[each]) for each in DeadLetterReason]
    return section("Records that are not answered", ("reason", "cause", "cure"), lines, _ABOUT)
