"""A slow line: what passes from one port of loopback to another is held up."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 16 << 10


@dataclass(frozen=True, slots=True)
class Line:
    """A slow line to one port.

    :param port: where it begins.
    :param bandwidth: bytes per second, of each connection in each direction.
    :param latency: seconds, of each answer.
    """

    to: int
    port: int
    bandwidth: float
    latency: float

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.to)
        with suppress(OSError):
            await asyncio.gather(
                self._carry(reader, far_writer, 0.0), self._carry(far_reader, writer, self.latency)
            )

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, latency: float
    ) -> None:
        try:
            while chunk := await reader.read(_CHUNK):
                await asyncio.sleep(latency + len(chunk) / self.bandwidth)
                writer.write(chunk)
                await writer.drain()
        finally:
            writer.close()


@contextmanager
def slow_lines(ports: list[int], *, bandwidth: float, latency: float) -> Iterator[list[int]]:
    """The ports where slow lines to others begin.

    :param bandwidth: bytes per second, of each connection in each direction.
    :param latency: seconds, of each answer.
    """
    lines = [Line(port, free_port(), bandwidth, latency) for port in ports]
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()
    listening = threading.Event()

    async def serve() -> None:
        servers = [await asyncio.start_server(one.serve, LOOPBACK, one.port) for one in lines]
        listening.set()
        await stopped.wait()
        for server in servers:
            server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="slow-lines")
    thread.start()
    try:
        assert listening.wait(30)
        yield [one.port for one in lines]
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()
