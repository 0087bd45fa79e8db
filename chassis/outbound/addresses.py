"""Where a call to the outside may go: pure rules on URLs and addresses, and the connection that keeps them."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

_SCHEMES: Final = frozenset({"https", "wss", "imaps"})
_CLEAR_SCHEMES: Final = frozenset({"http", "ws", "imap"})
_LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_TUNNELS: Final = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))
"""6to4 and Teredo: public by their look, and led by the IPv4 address inside."""
_NAT64: Final = IPv6Network("64:ff9b::/96")


class Forbidden(OSError):  # noqa: N818 - named after the decision that it carries
    """The call would leave the rules: not encrypted, an address that is not public, or a body meant for another host.

    It names the host only. An OSError, so that whoever survives an unreachable host survives a forbidden one.
    """


def check_url(url: str, *, local: bool) -> None:
    """Raise `Forbidden` unless the URL is encrypted; in the local profile (`local`) loopback may do without."""
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        raise Forbidden("the URL cannot be read: write it as https://host/path") from error
    if not host:
        raise Forbidden("the URL names no host: write it as https://host/path")
    if scheme in _SCHEMES or (local and scheme in _CLEAR_SCHEMES and host in _LOOPBACK_NAMES):
        return
    raise Forbidden(f"{host}: must be https (http on loopback with ASCOLTO_PROFILE=local)")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the whole internet means the same host by this address."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or (_embedded(address) if address in _NAT64 else None)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_UNICAST or any(address in network for network in _TUNNELS):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def resolve(host: str, port: int, *, local: bool) -> list[str]:
    """Answer the addresses of a host, asked for once; raises `Forbidden` unless every one of them may be called."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for address in map(ip_address, addresses):
        if not (is_public(address) or (local and address.is_loopback)):
            raise Forbidden(f"{host}: leads to an address that is not public")
    return addresses


async def dial(host: str, port: int, *, local: bool) -> socket.socket:
    """Open a TCP connection to an address that was checked, and to no other; raises OSError.

    TLS is the caller's: it names `host`, which the certificate must be of. Bound it by a timeout.
    """
    failure: OSError | None = None
    for address in await resolve(host, port, local=local):
        connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
        except BaseException as error:
            connection.close()
            if not isinstance(error, OSError):
                raise
            failure = error
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise failure or OSError(f"{host}: has no address")


def _embedded(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)
