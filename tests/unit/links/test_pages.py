"""Links to this package's pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from airflow_multicloud.get_provider_info import get_provider_info
from airflow_multicloud.links.pages import COST_REPORT_LINKS, EVIDENCE_LINKS, REPORT_LINKS


@dataclass(frozen=True)
class Key:
    dag_id: str = "shop"
    run_id: str = "manual__2026-11-30T12:00:00+00:00"
    task_id: str = "group.judge"
    map_index: int = 3


def links_of(links: Any, key: Any = Key()) -> dict[str, str]:
    return {link.name: link.get_link(None, ti_key=key) for link in links}


def test_they_name_the_task_instance() -> None:
    task = "shop/manual__2026-11-30T12%3A00%3A00%2B00%3A00/group.judge/3"
    assert links_of(REPORT_LINKS) == {"Multi-cloud report": f"/multicloud/task/{task}"}
    assert links_of(EVIDENCE_LINKS)["Evidence"] == f"/multicloud/file/{task}/0"
    assert links_of(COST_REPORT_LINKS)["Cost report"] == f"/multicloud/file/{task}/0"


def test_a_name_does_not_leave_its_place_in_the_path() -> None:
    (path,) = links_of(REPORT_LINKS, Key(run_id="../..//evil.test/?x#y")).values()
    assert path == "/multicloud/task/shop/..%2F..%2F%2Fevil.test%2F%3Fx%23y/group.judge/3"


def test_below_the_path_of_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://example.org/team/airflow/")
    (path,) = links_of(REPORT_LINKS).values()
    assert path.startswith("/team/airflow/multicloud/task/")


def test_airflow_knows_their_classes() -> None:
    listed = get_provider_info()["extra-links"]
    for link in (*EVIDENCE_LINKS, *COST_REPORT_LINKS):
        assert f"{type(link).__module__}.{type(link).__name__}" in listed
