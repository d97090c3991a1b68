"""TCP ports on loopback: free ones, and which ones a process listens on (Linux ``/proc``)."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"

# For programs that honour proxy variables and have no reason to leave this machine: port 9
# (discard, RFC 863) of loopback refuses at once where nobody runs that service.
DEAD_PROXY_PORT = 9
OFFLINE_ENV = {
    **dict.fromkeys(
        ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
        f"http://{LOOPBACK}:{DEAD_PROXY_PORT}",
    ),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), f"{LOOPBACK},localhost"),
}

_LISTEN = "0A"  # TCP_LISTEN, include/net/tcp_states.h; columns as in proc_net_tcp.txt


@dataclass(frozen=True, slots=True)
class Listener:
    """An address and port that a process accepts connections on."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        found = ipaddress.ip_address(self.host)
        # gRPC takes IPv4 on sockets of IPv6.
        mapped = getattr(found, "ipv4_mapped", None)
        return (mapped or found).is_loopback


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def url_at(port: int) -> str:
    """The base URL of a plain HTTP server on loopback, without a trailing slash."""
    return f"http://{LOOPBACK}:{port}"


def listeners(pid: int) -> frozenset[Listener]:
    """What a process of this user listens on; nothing once it has ended."""
    inodes = _socket_inodes(pid)
    found: set[Listener] = set()
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError, ProcessLookupError):
            rows = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
            for columns in map(str.split, rows):
                if columns[3] == _LISTEN and columns[9] in inodes:
                    address, port = columns[1].split(":")
                    found.add(Listener(_host(address), int(port, 16)))
    return frozenset(found)


def _socket_inodes(pid: int) -> set[str]:
    inodes: set[str] = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    return inodes


def _host(address: str) -> str:
    # 32-bit words in this machine's byte order; Linux on x86-64 and arm64 is little-endian.
    words = [address[i : i + 8] for i in range(0, len(address), 8)]
    packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
    return str(ipaddress.ip_address(packed))
