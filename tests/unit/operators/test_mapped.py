"""What a mapped task's instances are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from airflow_multicloud.api import Destination
from airflow_multicloud.operators.mapped import label_mapped


@dataclass
class Ti:
    map_index: int | None = 0


@dataclass
class Task:
    replica: str = "gs://c@b/p/"
    destinations: list[Any] = field(default_factory=list)
    targets: list[Any] = field(default_factory=list)
    number: str = "7"


def labelled(task: Task, *by: str, **given: Any) -> str | None:
    context: Any = {"ti": Ti(), **given}
    label_mapped(task, context, by)  # type: ignore[arg-type]
    if context.get("map_index_template") != "{{ multicloud_label }}":
        return None
    return str(context["multicloud_label"])


def test_what_it_works_on() -> None:
    task = Task(
        destinations=["gs://x/", Destination("abfs://y/")], targets=[{"name": "eu"}, {"name": "us"}]
    )
    assert labelled(task, "replica") == "gs://c@b/p/"
    assert labelled(task, "replica", "destinations") == "gs://c@b/p/ → gs://x/, abfs://y/"
    assert labelled(task, "targets") == "eu, us"


@pytest.mark.parametrize("map_index", [None, -1])
def test_a_task_that_is_not_mapped_has_none(map_index: int | None) -> None:
    assert labelled(Task(), "replica", ti=Ti(map_index)) is None


def test_what_its_author_says_counts() -> None:
    assert labelled(Task(), "replica", map_index_template="{{ mine }}") is None
    assert labelled(Task()) is None


def test_it_stays_text_and_short() -> None:
    # A DAG that renders native objects would make a number of it.
    assert labelled(Task(), "number") == "number 7"
    assert labelled(Task(replica="a\x1b[2J\u202e"), "replica") == "a\\x1b[2J\\u202e"
    assert len(labelled(Task(replica="x" * 1000), "replica") or "") == 200
