"""A cloud that is lost in the middle of a rollout costs its own targets, and no others."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.documents import to_document
from airflow_multicloud.testing.local_clouds.gcp.compute import compute_engine
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.machine_faults import FaultKind, MachineFault

from .conftest import connect, started
from .landscape import CONNECTIONS, outcomes, target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.testing.local_clouds import LocalServer

    from .landscape import Landscape

_SLOW = MachineFault(kind=FaultKind.SLOW_BOOT, seconds=3.0)


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[LocalServer]:
    """A Compute Engine that may be killed, behind the connection ``rollout_lost``."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        server = started(compute_engine(tmp_path), tmp_path, stack)
        connect(patch, "rollout_lost", server)
        yield server


def test_its_targets_fail_and_the_quorum_decides(landscape: Landscape, lost: LocalServer) -> None:
    targets = landscape.targets(gcp={"conn_id": "rollout_lost"})
    for cloud in ("aws", "azure"):
        landscape.plant(cloud, _SLOW)
    Admin(lost.endpoint).seed("machine_faults", [to_document(replace(_SLOW, seconds=60.0))])
    killer = threading.Thread(target=_kill_when_it_boots, args=(lost,))
    killer.start()
    policy = {"min_success": 2, "boot_timeout_seconds": 12}
    result = landscape.deploy(
        landscape.app(), targets=targets, policy=policy, url_lifetime_seconds=60
    )
    killer.join()

    assert not lost.running
    assert result.succeeded
    result.raise_if_failed()
    assert outcomes(result) == {
        "aws": "succeeded",
        "gcp": "rollback_failed",
        "azure": "succeeded",
    }
    failed = target(result, "gcp")
    assert failed.error_kind is not None
    assert failed.error_kind.is_outage, failed
    assert failed.instances == () or failed.instances[0].address
    assert {one.conn_id for one in landscape.instances()} == set(CONNECTIONS.values()) - {
        "rollout_gcp"
    }


def _kill_when_it_boots(server: LocalServer) -> None:
    admin = Admin(server.endpoint)
    while not any("/instances" in one["path"] for one in _posted(admin)):
        time.sleep(0.05)
    server.kill()


def _posted(admin: Admin) -> list[dict[str, str]]:
    return [one for one in admin.requests() if one["method"] == "POST"]
