"""The network of an address that a producer names: guesses from one network count together."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_SITE = 64
_TRANSLATED = IPv6Network("64:ff9b::/96")
_IPV4_BITS = 2**32 - 1


def network_of(address: str) -> str:
    """The network that an address stands for; what is no address stands for itself.

    An IPv6 address counts as its /64 network: whoever has one address of it has them all. One that
    was made of an IPv4 address counts as that: a socket for both kinds reports every IPv4 address
    so, and all of those lie in one /64.
    """
    try:
        found = ip_address(address.strip())
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        within = _within(found)
        return str(within or IPv6Network((found, _SITE), strict=False))
    return str(found)


def _within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that this one was made of, by a socket, a translator or a tunnel."""
    if address in _TRANSLATED:
        return IPv4Address(int(address) & _IPV4_BITS)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour
