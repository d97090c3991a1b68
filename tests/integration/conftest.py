"""Buckets in the local clouds, and connections that lead nowhere."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from .canaries import watch  # noqa: F401  # a fixture
from .lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalClouds


@pytest.fixture
def lab(local_clouds: LocalClouds) -> Lab:
    """A new bucket in each of the three clouds."""
    return Lab.new()


@pytest.fixture(autouse=True)
def _no_bucket_was_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """Owners are kept by endpoint and bucket, and fake servers get the ports of earlier ones."""
    from airflow_multicloud.clouds.aws.object_store.terms import Owners

    monkeypatch.setattr(Owners, "_first", {})


def s3_at(port: int, **config: object) -> str:
    """An AWS connection to a port of this machine, with no patience."""
    endpoint = f"http://127.0.0.1:{port}"
    extra = {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "config_kwargs": {"retries": {"total_max_attempts": 1}, "connect_timeout": 2, **config},
    }
    connection = {"conn_type": "aws", "login": "test", "password": "test", "extra": extra}
    return json.dumps(connection)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine that refuses connections."""
    with socket.socket() as bound:  # bound and not listening: nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def closed_s3(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """A connection to an S3 that refuses connections; returns its id."""
    monkeypatch.setenv("AIRFLOW_CONN_CLOSED_S3", s3_at(closed_port))
    return "closed_s3"


@pytest.fixture
def silent_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A connection to a server that accepts and never answers; returns its id."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv(
            "AIRFLOW_CONN_SILENT_S3", s3_at(server.getsockname()[1], read_timeout=30)
        )
        yield "silent_s3"
