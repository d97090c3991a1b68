"""The memory that parts under way are held in."""

from __future__ import annotations

import threading

from airflow_multicloud.core.replication.budget import MemoryBudget


class Buffers:
    """Buffers that parts are read into one after the other, as many as the budget lets be held.

    Allocating one per part leaves as much again to the allocator, per thread.
    """

    def __init__(self, memory: MemoryBudget, size: int) -> None:
        self._memory = memory
        self._size = size
        self._idle: list[bytearray] = []

    def take(self) -> bytearray:
        """A buffer of the size of a part, for memory that the budget has granted."""
        try:
            return self._idle.pop()
        except IndexError:
            return bytearray(self._size)

    def give_back(self, buffer: bytearray, size: int) -> None:
        """Have it used again, and the budget grant those ``size`` bytes to others."""
        self._idle.append(buffer)
        self._memory.release(size)


class Uses:
    """A part's buffer, given back when the last of its uses is over."""

    def __init__(self, buffers: Buffers, size: int, uses: int) -> None:
        self._buffers = buffers
        self._size = size
        self._left = uses
        self._lock = threading.Lock()
        self.buffer = buffers.take()

    def over(self) -> None:
        """End one use; from any thread."""
        with self._lock:
            self._left -= 1
            last = not self._left
        if last:
            self._buffers.give_back(self.buffer, self._size)
