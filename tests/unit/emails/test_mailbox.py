"""What is one mailbox where mails are counted; an account's address is told apart all the same."""

import pytest

from authbus.addresses import canonical, mailbox


@pytest.mark.parametrize(
    "address",
    ["ana.b@example.com", "ana.b+1@example.com", "a.n.a.b@example.com", "anab+a+b@example.com"],
)
def test_what_many_providers_deliver_to_one_person_is_one_mailbox(address: str) -> None:
    assert mailbox(address) == "anab@example.com"
    assert canonical(address) == address


@pytest.mark.parametrize(
    "address", ["bea@example.com", "ana@example.org", "ana-b@example.com", "+ana@example.com"]
)
def test_another_address_is_another_mailbox(address: str) -> None:
    assert mailbox(address) == address
