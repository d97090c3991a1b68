"""Live hooks of the services that need no scratch place: identity, and questions about costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import pytest

from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.live import guard_of
from airflow_multicloud.testing.live.options import live_of

P = TypeVar("P")


def live_hooks(
    config: pytest.Config, service: str, port: type[P], capabilities: Sequence[type] = ()
) -> Mapping[str, Callable[[pytest.FixtureRequest], P]]:
    """Cloud → how its hook is opened, for the clouds that ``--live`` asks for.

    :param config: pytest's.
    :param service: its name, as in ``--live aws.cost``.
    :param port: what the hook is used as.
    :param capabilities: the optional ones, whose calls are counted too.
    """
    live = live_of(config)
    if live is None:
        return MappingProxyType({})

    def opener(conn_id: str) -> Callable[[pytest.FixtureRequest], P]:
        def opened(request: pytest.FixtureRequest) -> P:
            hook = connected(port, conn_id)(request)
            return guard_of(config).metered(hook, (port, *capabilities))

        return opened

    connections = live.connections(service)
    return MappingProxyType({cloud: opener(conn_id) for cloud, conn_id in connections.items()})
