"""Simulated services behind one port of this machine."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Self

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Refusal, Service
from airflow_multicloud.testing.local_clouds.kit.http import Answer, HttpServer, Routes, target_of

if TYPE_CHECKING:
    from types import TracebackType


class GoogleRestServer:
    """Serves in a thread of this process; a context manager.

    :param services: whose paths don't overlap.
    :param port: a free one by default.
    :param owner: answers what no service of Google has: how the server is seeded.
    """

    def __init__(self, *services: Service, port: int = 0, owner: Routes | None = None) -> None:
        self._services = services
        self._owner = owner or Routes(())
        self._requests: list[str] = []
        self._server = HttpServer(self._respond, port=port)

    @property
    def endpoint(self) -> str:
        """The base URL, without a trailing slash."""
        return self._server.endpoint

    @property
    def requests(self) -> list[str]:
        """What was asked so far: ``GET /v1/services?pageSize=1``."""
        return list(self._requests)

    def serve_forever(self) -> None:
        """Serve until the process ends."""
        self._server.serve_forever()

    def __enter__(self) -> Self:
        """Serve."""
        self._server.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.__exit__(exc_type, exc, traceback)

    def _respond(self, request: Request) -> Answer:
        target = target_of(request)
        self._requests.append(f"{request.method} {target}")
        try:
            for service in self._services:
                found = service.answer(request.method, target, request.get_data())
                if found is not None:
                    return Answer(body=found)
        except Refusal as refusal:
            return _refused(refusal)
        unknown = Refusal(HTTPStatus.NOT_FOUND, f"The requested URL {target} was not found.")
        return self._owner.answer(request) or _refused(unknown)


def _refused(refusal: Refusal) -> Answer:
    return Answer(status=refusal.status, body=refusal.body())
