"""Database instances in memory: the port, kept to the letter.

An instance holds rows with the moments at which they were committed, so that a restore, a replica
that lags and a promotion have the rows that they would have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.testing.memory_cloud.database.changing import Changes
from airflow_multicloud.testing.memory_cloud.database.clock import Clock
from airflow_multicloud.testing.memory_cloud.database.restoring import Restores
from airflow_multicloud.testing.memory_cloud.database.space import Databases, databases_of, reset

if TYPE_CHECKING:
    from airflow_multicloud.ports.database import DatabaseService

__all__ = ["Clock", "Databases", "Hook", "databases_of", "reset"]


class Hook(Changes, Restores):
    """The databases of one connection id; every hook of it sees the same ones.

    :param memory_conn_id: whose; the connection itself is never read.
    """


if TYPE_CHECKING:
    _FITS: type[DatabaseService] = Hook
