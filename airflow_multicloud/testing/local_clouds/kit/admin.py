"""How tests talk to a running server: seed it, have it fail, see what it was asked."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit


class Admin:
    """The owner's side of a server with :func:`~.state.administration`.

    :param endpoint: where that answers, :attr:`.LocalServer.endpoint`.
    """

    def __init__(self, endpoint: str) -> None:
        self._address = urlsplit(endpoint).netloc

    def seed(self, service: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Add records to a service, in the form it keeps (its module says which)."""
        self._send("POST", "/seed", {"service": service, "records": list(records)})

    def script(self, path: str, answers: Sequence[Mapping[str, Any] | None]) -> None:
        """Answer the next requests whose path contains ``path`` so, one after another.

        :param answers: ``status``, ``body``, ``headers``; ``None`` lets a request through.
        """
        self._send("POST", "/script", {"path": path, "answers": list(answers)})

    def throttle(self, path: str, *, let_through: int, headers: Mapping[str, str]) -> None:
        """Refuse a later request with 429, as Cost Management does.

        :param let_through: how many requests to the path pass before.
        :param headers: which tell when to come back, and which quota is used up.
        """
        body = {"error": {"code": "429", "message": "Too many requests. Please retry."}}
        refusal = {"status": 429, "headers": dict(headers), "body": body}
        self.script(path, [*[None] * let_through, refusal])

    def requests(self) -> list[dict[str, Any]]:
        """What was asked so far: method, path, query, headers (but Authorization), status."""
        found: list[dict[str, Any]] = self._send("GET", "/requests")
        return found

    def reset(self) -> None:
        """Forget records, scripts and requests."""
        self._send("POST", "/reset")

    def _send(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=10)
        try:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, path, body=content)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= http.HTTPStatus.BAD_REQUEST:
                raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
            return json.loads(text) if text else None
        finally:
            connection.close()
