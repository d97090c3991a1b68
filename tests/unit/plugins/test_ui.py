"""The plugin: cheap to load, and it says so where this Airflow can't show its pages."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import Any

import pytest

from airflow_multicloud.plugins import ui

LOADED = """
import sys
import airflow.plugins_manager
before = {*sys.modules}
import airflow_multicloud.plugins.ui
new = {*sys.modules} - before
print(*sorted(name for name in new if name.split(".")[0] not in ("airflow", "airflow_multicloud")))
print(*sorted(name for name in new if name.startswith("airflow_multicloud.plugins.page")))
"""


def test_it_loads_nothing() -> None:
    command = [sys.executable, "-W", "ignore", "-c", LOADED]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    others, page = ended.stdout.splitlines()[-2:]
    assert others.split() == []
    assert page == ""


def ask(app: ui.Pages) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is asked for")

    asyncio.run(app({"type": "http", "path": "/replicas"}, receive, send))
    return sent


def test_an_airflow_that_lacks_what_the_pages_are_made_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "airflow_multicloud.plugins.page.app", None)
    app = ui.Pages()
    with caplog.at_level(logging.WARNING):
        first, second = ask(app), ask(app)
    assert first[0]["status"] == second[0]["status"] == 501
    assert b"docs/ui.md" in first[1]["body"]
    assert len([one for one in caplog.records if "can't show the pages" in one.message]) == 1
