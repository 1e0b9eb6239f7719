"""Where somebody is, who guesses: what the address stands for that a producer names."""

from ipaddress import ip_address, ip_network

_IPV4, _SITE = 4, 64


def place_of(address: str) -> str:
    """The place that an address stands for; one that is none stands for itself.

    An IPv6 address counts as its /64 network: whoever has one address of it has them all.
    """
    try:
        found = ip_address(address.strip())
    except ValueError:
        return address
    return str(found) if found.version == _IPV4 else str(ip_network((found, _SITE), strict=False))
