"""Of which place an address is: who shares one is counted, and refused, together."""

import pytest

from authbus.ip_networks import network_of

MADE_OF_IT = {
    "by a socket for both kinds": "::ffff:192.0.2.1",
    "by such a socket, as hexadecimal": "::FFFF:C000:201",
    "by a translator": "64:ff9b::192.0.2.1",
    "by a 6to4 tunnel": "2002:c000:201:7::9",
    "by a Teredo tunnel": "2001:0:c633:6407:8000:63bf:3fff:fdfe",
}


@pytest.mark.parametrize("address", MADE_OF_IT.values(), ids=MADE_OF_IT)
def test_what_was_made_of_an_ipv4_address_is_of_its_place(address: str) -> None:
    assert network_of(address) == network_of("192.0.2.1") == "192.0.2.1"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2"),
        ("2001:0:c633:6407:8000:63bf:3fff:fdfe", "2001:0:c633:6407:8000:63bf:3fff:fdfd"),
        ("2001:db8:0:1::7", "2001:db8:0:2::7"),
    ],
)
def test_two_users_are_of_two_places(one: str, other: str) -> None:
    assert network_of(one) != network_of(other)


def test_whoever_has_one_address_of_a_network_of_64_bits_has_all_of_it() -> None:
    assert (
        network_of("2001:db8:1:2::7") == network_of("2001:db8:1:2:ffff::8") == "2001:db8:1:2::/64"
    )


@pytest.mark.parametrize("text", ["a phone", "", "192.0.2.1, 198.51.100.7"])
def test_what_is_no_address_stands_for_itself(text: str) -> None:
    assert network_of(text) == text
