"""A release's summary in a browser: light and dark, on a phone and on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import known_clouds
from airflow_multicloud.core.rollout.outcomes import Outcome
from airflow_multicloud.core.rollout.summary import ReleaseSummary
from airflow_multicloud.testing import memory_cloud
from tests.unit.rollout.test_summary import a_result, parts

from .browser import browser, check_readable, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .browser import Page

_PROGRAM = chromium()

pytestmark = pytest.mark.skipif(
    _PROGRAM is None, reason="no chromium, chromium-browser or google-chrome is on PATH"
)

_FAILED: dict[str, Any] = {
    "result": a_result(Outcome.ROLLED_BACK, "127.0.0.1:8080: answered 500 " * 20),
    "watched": None,
    "failed_tasks": ("deploy", "summary"),
}


@pytest.fixture(params=[{}, _FAILED, {"plan": None, "upload": None, "result": None}])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    assert _PROGRAM is not None
    file = tmp_path / "summary.html"
    memory_cloud.register()
    file.write_bytes(ReleaseSummary.of("shop", **{**parts(), **request.param}).html())
    known_clouds.unregister_provider(memory_cloud.NAME)
    with browser(_PROGRAM, tmp_path / "profile") as opened:
        opened.open(file.as_uri())
        yield opened


def test_it_can_be_read_on_every_screen_and_on_paper(page: Page) -> None:
    check_readable(page)
