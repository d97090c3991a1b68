"""What the owner of a local database service does to the PostgreSQL servers behind it: both sides.

Paths of the administration, each with ``{"id": …}`` as JSON: ``/databases/hold`` has a replica show
nothing more of what it receives, ``/databases/release`` has it show all, and ``/databases/damage``
takes the rows of a table (``table``, ``database``) out of a backup, so that what is restored of it
starts and lacks them.
"""

from __future__ import annotations

import http.client
import json
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.kit.http import Answer, Respond, Routes
from airflow_multicloud.testing.local_clouds.kit.postgres.archives import Backup
from airflow_multicloud.testing.local_clouds.kit.postgres.damage import Damage, damage
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance

_TIMEOUT_S = 60


class Kept(Protocol):
    """What a local cloud keeps, by the ids of its API.

    Both raise ``KeyError`` for an id of nothing.
    """

    def server_of(self, database_id: str) -> Instance:
        """The server behind an instance."""
        ...

    def backup_of(self, snapshot_id: str) -> Backup:
        """What a snapshot holds."""
        ...


def database_administration(home: PostgresHome, kept: Kept, others: Respond) -> Respond:
    """The owner's way to the databases.

    :param others: answers what is not of databases.
    """

    def hold(request: Request) -> Answer:
        kept.server_of(_told(request)["id"]).pause_replay()
        return _DONE

    def release(request: Request) -> Answer:
        kept.server_of(_told(request)["id"]).resume_replay()
        return _DONE

    def spoil(request: Request) -> Answer:
        told = _told(request)
        backup = kept.backup_of(told["id"])
        damage(home, backup, told["table"], how=Damage.TRUNCATE, database=told["database"])
        return _DONE

    routes = Routes(
        (
            ("POST", "/databases/hold", hold),
            ("POST", "/databases/release", release),
            ("POST", "/databases/damage", spoil),
        )
    )
    return lambda request: routes.answer(request) or others(request)


class DatabaseOwner:
    """Asks :func:`database_administration`.

    :param endpoint: of the server's administration.
    """

    def __init__(self, endpoint: str) -> None:
        self._address = urlsplit(endpoint).netloc

    def hold(self, replica_id: str) -> None:
        """Have a replica show nothing more."""
        self._tell("hold", {"id": replica_id})

    def release(self, replica_id: str) -> None:
        """Have it show what it has received."""
        self._tell("release", {"id": replica_id})

    def damage(self, snapshot_id: str, *, table: str, database: str = "postgres") -> None:
        """Take the rows of a table out of a snapshot.

        :param table: as SQL names it.
        """
        self._tell("damage", {"id": snapshot_id, "table": table, "database": database})

    def _tell(self, what: str, told: dict[str, str]) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT_S)
        try:
            connection.request("POST", f"/databases/{what}", body=json.dumps(told).encode())
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise RuntimeError(f"{what}: {answer.status} {text.decode()}")
        finally:
            connection.close()


def _told(request: Request) -> Any:
    return request.get_json(force=True)


_DONE = Answer(status=HTTPStatus.NO_CONTENT)
