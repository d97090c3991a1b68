"""Connections that can be cut: gRPC's own server can't end one without an answer."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK

_CHUNK = 1 << 16


class Relay:
    """Passes each connection to a port on to another one.

    :param port: that clients connect to.
    :param behind: the port of the server.
    """

    def __init__(self, *, port: int, behind: int) -> None:
        self._listening = socket.create_server((LOOPBACK, port))
        self._behind = behind
        self._open: dict[int, tuple[socket.socket, socket.socket]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, peer: str) -> None:
        """End one connection, at once.

        :param peer: who is connected to the server, as gRPC has it: ``ipv4:127.0.0.1:port``.
        """
        with self._lock:
            pair = self._open.pop(int(peer.rpartition(":")[2]), ())
        _end(*pair)

    def close(self) -> None:
        """Take no more connections, and end those that are there."""
        self._listening.close()
        with self._lock:
            pairs = list(self._open.values())
            self._open.clear()
        for pair in pairs:
            _end(*pair)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed
                return
            server = socket.create_connection((LOOPBACK, self._behind))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number: int = server.getsockname()[1]
            with self._lock:
                self._open[number] = (client, server)
            for source, target in ((client, server), (server, client)):
                threading.Thread(
                    target=self._pump, args=(source, target, number), daemon=True
                ).start()

    def _pump(self, source: socket.socket, target: socket.socket, number: int) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                target.sendall(data)
        with self._lock:
            self._open.pop(number, None)
        _end(source, target)


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
