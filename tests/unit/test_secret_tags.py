"""Tags of secrets: those asked for, and the labels of the work."""

from __future__ import annotations

from airflow_multicloud.adapters.secret_tags import tags_of_new, tags_to_be
from airflow_multicloud.labels import LabelRules, Work, working_for

_RULES = LabelRules(illegal="[^a-z]", longest=20, lower=True)
_WORK = Work(dag_id="Sync", task_id="Copy", run_id="r1")


def test_a_new_secret_has_the_labels_of_the_work_but_the_run():
    with working_for(_WORK):
        tags = tags_of_new({"team": "a"}, _RULES, most=10)
    assert tags == {"team": "a", "airflow-dag": "sync", "airflow-task": "copy"}


def test_what_was_asked_for_wins():
    with working_for(_WORK):
        tags = tags_of_new({"airflow-dag": "Other"}, _RULES, most=10)
    assert tags == {"airflow-dag": "Other", "airflow-task": "copy"}


def test_labels_need_room():
    with working_for(_WORK):
        assert tags_of_new({"a": "1", "b": "2"}, _RULES, most=2) == {"a": "1", "b": "2"}
        assert tags_of_new({"a": "1"}, _RULES, most=2) == {"a": "1", "airflow-dag": "sync"}


def test_other_tags_leave_the_labels():
    there = {"team": "a", "airflow-dag": "sync", "airflow-task": "copy"}
    with working_for(Work(dag_id="another")):
        assert tags_to_be({}, there, most=10) == {"airflow-dag": "sync", "airflow-task": "copy"}
        assert tags_to_be({"airflow-dag": "x"}, there, most=1) == {"airflow-dag": "x"}
        assert tags_to_be({"team": "b"}, {"team": "a"}, most=10) == {"team": "b"}
