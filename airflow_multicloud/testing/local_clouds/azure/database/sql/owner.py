"""What the owner does to the local databases of Azure SQL, and asks of them: both sides.

Paths of the administration: ``/azure-sql/link`` sets the state and the lag of a secondary's link;
``/azure-sql/state`` sets a database's status; ``/azure-sql/origins`` tells what each database was
restored from, and as it was when, which the service does not.
"""

from __future__ import annotations

import http.client
import json
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.azure.database.sql.world import SqlWorld
from airflow_multicloud.testing.local_clouds.kit.http import Answer, Respond, Routes

_TIMEOUT_S = 10
_DONE = Answer(status=HTTPStatus.NO_CONTENT)


def sql_administration(world: SqlWorld, others: Respond) -> Respond:
    """The owner's way to the databases.

    :param others: answers what is not of them.
    """

    def link(request: Request) -> Answer:
        told: Any = request.get_json(force=True)
        with world.common.lock:
            for one in world.links:
                if one.secondary.id.lower() == told["id"].lower():
                    one.lag, one.state = told["lag"], told["state"]
        return _DONE

    def state(request: Request) -> Answer:
        told: Any = request.get_json(force=True)
        with world.common.lock:
            world.databases[told["id"].lower()].state = told["state"]
        return _DONE

    def origins(_request: Request) -> Answer:
        with world.common.lock:
            body = {
                one.id: [one.origin, one.moment.isoformat()]
                for one in world.databases.values()
                if one.origin is not None and one.moment is not None
            }
        return Answer(body=body)

    routes = Routes(
        (
            ("POST", "/azure-sql/link", link),
            ("POST", "/azure-sql/state", state),
            ("GET", "/azure-sql/origins", origins),
        )
    )
    return lambda request: routes.answer(request) or others(request)


class SqlOwner:
    """Asks :func:`sql_administration`.

    :param endpoint: of the server's administration.
    """

    def __init__(self, endpoint: str) -> None:
        self._address = urlsplit(endpoint).netloc

    def link(self, secondary_id: str, *, lag: float = 0, state: str = "CATCH_UP") -> None:
        """Set how a secondary follows.

        :param lag: in seconds.
        :param state: the service's word.
        """
        self._send("POST", "link", {"id": secondary_id, "lag": lag, "state": state})

    def state(self, database_id: str, state: str) -> None:
        """Set a database's status.

        :param state: the service's word.
        """
        self._send("POST", "state", {"id": database_id, "state": state})

    def origin(self, database_id: str) -> tuple[str, datetime]:
        """The id of what a database was restored from, and the moment."""
        source, moment = self._send("GET", "origins", None)[database_id]
        return source, datetime.fromisoformat(moment)

    def _send(self, method: str, what: str, told: object) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT_S)
        try:
            body = None if told is None else json.dumps(told).encode()
            connection.request(method, f"/azure-sql/{what}", body=body)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise RuntimeError(f"{what}: {answer.status} {text.decode()}")
            return json.loads(text) if text else None
        finally:
            connection.close()
