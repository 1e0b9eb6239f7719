"""An address's canonical form: what makes two spellings one account.

An address is ASCII here, a domain in its `xn--` form included. Two addresses that look alike are
then the same address or look different, and the form depends on no version of Unicode. Nothing is
folded that a mail provider may tell apart (dots, plus signs).
"""

import re

_LONGEST = 254
_LONGEST_LOCAL = 64
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
# Two hyphens in third and fourth place are IDNA's; it has given out `xn--` alone.
_LABEL = r"(?:xn--|(?!..--))[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z])(?:{_LABEL})")
_LONGEST_LABEL = 63


def canonical(address: str) -> str | None:
    """The address in lower case, or None when it is not an address. Idempotent."""
    if not address.isascii() or len(address) > _LONGEST:
        return None
    lowered = address.lower()
    local, at, domain = lowered.rpartition("@")
    if not at or len(local) > _LONGEST_LOCAL or not _LOCAL.fullmatch(local):
        return None
    if not _DOMAIN.fullmatch(domain) or any(
        len(label) > _LONGEST_LABEL for label in domain.split(".")
    ):
        return None
    return lowered


def mailbox(canonical: str) -> str:
    """What is taken for one mailbox where mails are counted: no dots, nothing behind a plus sign.

    Many providers deliver all of those to one person. It makes no two addresses one account.
    """
    local, _, domain = canonical.rpartition("@")
    return f"{local.partition('+')[0].replace('.', '') or local}@{domain}"
