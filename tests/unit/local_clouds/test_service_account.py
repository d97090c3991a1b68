"""The local service account has one key in a process, whoever asks first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier

import pytest

from airflow_multicloud.testing.local_clouds.gcp import service_account


def test_servers_that_start_at_once_know_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not the process's own: servers that other tests use know it.
    monkeypatch.setattr(service_account, "_made_key", cache(service_account.new_key))
    together = Barrier(4)

    def ask(_number: int) -> str:
        together.wait(timeout=10)
        return service_account.public_key()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1
