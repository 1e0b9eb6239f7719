"""What follows from a command: the same for ever, in every process, and nothing alike."""

import base64
from uuid import UUID

from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.request import Derived
from authbus_service.core.ids import id_time, new_id
from authbus_service.core.security.masters import Masters, token_hash

ONE, TWO = bytes(range(32)), bytes(range(100, 132))
COMMAND = UUID("01890000-0000-7000-8000-000000000001")
CONTENT = b"c" * 32

IDS = [
    "01890000-0000-8b35-8ec4-6f07af1a84e1",
    "01890000-0000-8186-ada4-ff52bae69a49",
    "01890000-0000-820f-bb30-63ce92da03f4",
    "01890000-0000-83b8-a1b2-cc3933ac332d",
    "01890000-0000-8c28-8e59-f63a4553188e",
    "01890000-0000-8599-b932-9168438a1e80",
    "01890000-0000-8997-92c6-7cbd9c1660a9",
    "01890000-0000-8579-b2d7-9deeacd3ddca",
]
SECRETS = [
    "xi47htFFBVGfOK5eqQ8gDUhyg8SX40JwtrUvUEBr6N8.P8r3G2uLq2LWf72iFR8oFmZks6fnttYSB_4bx48qk-s",
    "tXDAunEELovoviYGjk5EAH3PfYcXeVN43qLNEp59O-0",
    "El9e5kcqIrpjqubMgma-I7ri_n5GdAcolzsD5ZWf_uc",
    "kVFtutJ7u6BSGPb_JzSmVMaQgji3COPlfp0DDzrirPM",
    "QrQXkQKtDFhPPpxYE2mklcsB7_v850-tdoigLKPOgcw",
    "aM7diBXpqexsSFEDCu8kVi83GssQ3r7CCwbSjI5C8nU",
    "_UDEVl2E12C-4KxiXBlU3uSJIUe3Fw1nl1Woejg1nfE",
    "4bd92d41810290b2ac98acdbde4ff695",
    "0fdd975e65e6aa34e77cc0c9e7ac931a2f2903c0",
    "eccg-5vxc-im23-gfh4",
    "vyjq-bics-ouzt-h32y",
    "czaa-ps7b-vdwo-shfa",
    "jvpz-7poh-2pa5-4mjw",
    "hs5z-cgot-l56g-lnqn",
    "36fr-7kbw-3zet-4aqi",
    "lsn3-zpgp-wrr3-op5c",
    "ycku-lvib-6vu2-czwy",
    "ti3k-j7c4-sssg-ison",
    "roxa-xaoo-a3pr-u4nh",
]


def derived(
    masters: Masters | None = None, command: UUID = COMMAND, content: bytes = CONTENT
) -> Derived:
    """By the last of the masters."""
    masters = masters or Masters([ONE])
    return Derived(masters, masters.names[-1], command, content)


def secrets_of(made: Derived) -> list[str]:
    """Every secret."""
    tokens = (made.refresh_token, made.device_token, *map(made.code, Purpose))
    return [*tokens, made.salt.hex(), made.totp_secret.hex(), *made.recovery_codes]


def ids_of(made: Derived) -> list[UUID]:
    """Every id; of events and mails the first two."""
    numbered = (of(index) for of in (made.event_id, made.mail_id) for index in range(2))
    return [made.user_id, made.session_id, made.token_id, made.audit_id, *numbered]


def test_ids_and_secrets_stay_as_they_are_for_ever() -> None:
    made = derived()

    assert [str(each) for each in ids_of(made)] == IDS
    assert secrets_of(made) == SECRETS
    assert made.next_refresh_token("family.secret") == f"family.{SECRETS[0].split('.')[1]}"


def test_the_same_command_gives_the_same_ids_and_secrets_in_another_process() -> None:
    here, there = derived(), derived(Masters([TWO, ONE]))

    assert ids_of(here) == ids_of(there)
    assert secrets_of(here) == secrets_of(there)


def test_ids_and_secrets_of_another_purpose_command_content_index_or_master_differ() -> None:
    made = [derived(), derived(command=new_id()), derived(content=b"d" * 32)]
    made.append(derived(Masters([TWO])))

    ids = [each for one in made for each in ids_of(one)]
    secrets = [each for one in made for each in secrets_of(one)]

    assert len(set(ids)) == len(ids)
    assert len(set(secrets)) == len(secrets)
    assert {id_.version for id_ in ids} == {8}
    assert id_time(ids[0]) == id_time(COMMAND)


def test_each_half_of_a_refresh_token_has_256_bits_and_its_row_only_a_hash() -> None:
    token = derived().refresh_token

    assert [len(base64.urlsafe_b64decode(half + "=")) for half in token.split(".")] == [32, 32]
    assert len(token_hash(token)) == 32
    assert token_hash(token) != token_hash(token[:-1])
