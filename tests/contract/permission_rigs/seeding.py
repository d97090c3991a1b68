"""The administration of a local server, as these rigs use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

Request = pytest.FixtureRequest


def admin(request: Request, fixture: str) -> Admin:
    """A server's administration, with nothing seeded, and nothing left when the test has ended."""
    server: LocalServer = request.getfixturevalue(fixture)
    found = Admin(server.endpoint)
    found.reset()
    request.addfinalizer(found.reset)
    return found


def asked(request: Request, fixture: str) -> list[dict[str, Any]]:
    server: LocalServer = request.getfixturevalue(fixture)
    return Admin(server.endpoint).requests()


def own(prefix: str) -> Callable[[str], bool]:
    return lambda text: text.startswith(prefix)
