"""Which IP addresses a user may make us connect to: an own deny table, because `ipaddress.is_global` is not a policy.

The standard library calls NAT64 of a private address, multicast and (before 3.13) 6to4 and some metadata services
"global", and its answers change between Python versions. Here an IPv4 address is public unless a row of the table
covers it; an IPv6 address is public only inside global unicast (2000::/3) and outside every row, which leaves out
each form that carries an IPv4 address within, whatever that address is. Source: IANA's special-purpose address
registries, RFC 6890 and its updates; the rows that are not IANA's say so.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

__all__ = ["DENIED_IPV4", "DENIED_IPV6", "IPAddress", "is_public", "parse_address"]

IPAddress = IPv4Address | IPv6Address

DENIED_IPV4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "this network; connects to the machine itself"),
        ("10.0.0.0/8", "private use"),
        ("100.64.0.0/10", "carrier-grade NAT; metadata of Alibaba Cloud at 100.100.100.200"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "Azure's host service (not in IANA's registry)"),
        ("169.254.0.0/16", "link-local; metadata of most clouds at 169.254.169.254"),
        ("172.16.0.0/12", "private use"),
        ("192.0.0.0/24", "protocol assignments; metadata of Oracle Cloud at 192.0.0.192"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "AS112 sinks"),
        ("192.52.193.0/24", "automatic multicast tunnels"),
        ("192.88.99.0/24", "6to4 relays"),
        ("192.168.0.0/16", "private use"),
        ("192.175.48.0/24", "AS112 sinks"),
        ("198.18.0.0/15", "benchmarks"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved and broadcast"),
    )
)

DENIED_IPV6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("2001::/23", "protocol assignments: Teredo, benchmarks, tunnels, ORCHID"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4, carries an IPv4 address"),
        ("2620:4f:8000::/48", "AS112 sinks"),
        ("3ffe::/16", "the former 6bone, returned and unassigned"),
        ("3fff::/20", "documentation"),
    )
)

GLOBAL_UNICAST = IPv6Network("2000::/3")


def is_public(address: IPAddress) -> bool:
    """Whether `address` belongs to the public internet, so that anybody may be connected to it."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network, _ in DENIED_IPV4)
    if address.scope_id is not None or address not in GLOBAL_UNICAST:
        return False
    return not any(address in network for network, _ in DENIED_IPV6)


def parse_address(text: str) -> IPAddress | None:
    """The address that `text` spells in full, or None: short, octal and hexadecimal spellings of IPv4 are none."""
    try:
        return ip_address(text)
    except ValueError:
        return None
