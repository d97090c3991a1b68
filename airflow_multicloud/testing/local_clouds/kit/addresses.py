"""Addresses of loopback for what a local cloud runs: each thing has one of its own.

Linux only, where all of 127.0.0.0/8 is there without being set up.
"""

from __future__ import annotations

import threading

_ADDRESSES = 254
_MOST_PORT = 0xFFFF


class Addresses:
    """The addresses that one server gives; safe for many threads.

    :param port: of the server. The addresses are made of it,
        ``127.{port // 256}.{port % 256}.{n}``, so those of two servers never meet.
    :raises ValueError: for a port that is none.
    """

    def __init__(self, port: int) -> None:
        if not 0 < port <= _MOST_PORT:
            raise ValueError(f"port: {port} given; expected 1 to {_MOST_PORT}")
        self._network = f"127.{port // 256}.{port % 256}"
        self._lock = threading.Lock()
        self._taken: dict[str, int] = {}
        self._newest = 0

    def of(self, name: str) -> str:
        """The address of this name, the same until it is given back.

        :raises RuntimeError: when all are taken.
        """
        with self._lock:
            if name not in self._taken:
                self._taken[name] = self._free()
            return f"{self._network}.{self._taken[name]}"

    def give_back(self, name: str) -> None:
        """Another may have it; nothing to do for a name that has none."""
        with self._lock:
            self._taken.pop(name, None)

    def _free(self) -> int:
        """The next one in turn, so that none is soon given to another name."""
        taken = set(self._taken.values())
        for step in range(_ADDRESSES):
            number = (self._newest + step) % _ADDRESSES + 1
            if number not in taken:
                self._newest = number
                return number
        raise RuntimeError(
            f"all {_ADDRESSES} addresses of {self._network}.0/24 are taken; remove what has some"
        )
