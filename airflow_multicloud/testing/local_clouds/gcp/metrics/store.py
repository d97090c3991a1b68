"""What the project has: descriptors of metrics, and their series."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.api.metric_pb2 import MetricDescriptor

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused

NAME = f"projects/{PROJECT}"

#: What tells one series from others: type, type of the resource, labels.
Key = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass(slots=True)
class Series:
    """One series.

    :param header: all of it but its points.
    :param points: oldest first.
    """

    header: Any
    points: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Store:
    """All of it; whoever uses it holds the lock."""

    descriptors: dict[str, MetricDescriptor] = field(default_factory=dict)
    series: dict[Key, Series] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


def check_project(name: str) -> None:
    """Only the one project is there.

    :raises Refused: for another, as Google tells who may not know whether it is.
    """
    if name != NAME:
        raise Refused(
            grpc.StatusCode.PERMISSION_DENIED,
            f"Permission denied on resource {name} (or it may not exist).",
        )


def nanos(moment: Any) -> int:
    """A ``Timestamp`` as one number."""
    found: int = moment.seconds * 1_000_000_000 + moment.nanos
    return found
