"""The local Cloud Logging, its hook, and requests past the hook."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.ports.logs import LogEntry, LogQuery
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.logs import GCPLogsHook
    from airflow_multicloud.testing.local_clouds import LocalServer

#: A full second, so that times in tests are easy to tell.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)

Query = Callable[..., list[LogEntry]]


@pytest.fixture
def hook(local_gcp_telemetry: LocalServer) -> Iterator[GCPLogsHook]:
    """With no fault planted."""
    from airflow_multicloud.clouds.gcp.logs import GCPLogsHook

    yield GCPLogsHook("gcp_telemetry_local")
    plant(local_gcp_telemetry.endpoint, "logs", ())


@pytest.fixture
def log() -> str:
    """A log that nobody else writes to."""
    return f"tests/{uuid.uuid4().hex[:10]}"


@pytest.fixture
def query(hook: GCPLogsHook, log: str) -> Query:
    """The entries that are asked for, of half an hour around ``NOW``."""

    def asked(**more: Any) -> list[LogEntry]:
        window = {"since": NOW - timedelta(minutes=30), "until": NOW + timedelta(minutes=30)}
        found = LogQuery(**{**window, **more})
        return [one for page in hook.query_entries(found, log=log) for one in page.entries]

    return asked
