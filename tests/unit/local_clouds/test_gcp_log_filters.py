"""The local Cloud Logging knows a part of the query language, and refuses all else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.cloud.logging_v2.types import LogEntry
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.testing.local_clouds.gcp.logs.grammar import FilterError, parsed
from airflow_multicloud.testing.local_clouds.gcp.logs.matching import fitting

PARTS = ["textPayload", "labels", ".", '"a b"', '"', "\\", ":", ">=", "=", "x", "*", "(", ")"]
PARTS += ["AND", "OR", "NOT", "-", "--", "\n", "severity", "timestamp", "2026-11-29", "jsonPayload"]

TEXT = LogEntry.pb(
    LogEntry(
        log_name="projects/local/logs/app",
        text_payload='Disk "sda" full\\',
        severity="WARNING",
        timestamp=datetime(2026, 11, 29, 12, tzinfo=UTC),
        labels={"shard": "3", "airflow.dag_id": "Release", "empty": ""},
        trace="projects/local/traces/0af7651916cd43dd8448eb211c80319c",
        resource={"type": "global", "labels": {"project_id": "local"}},
    )
)
JSON = LogEntry.pb(
    LogEntry(
        log_name="projects/local/logs/app",
        json_payload={"message": "net down", "at": {"host": "db-1", "port": 5432}, "ok": False},
    )
)


@pytest.mark.parametrize(
    ("text", "fitting_text", "fitting_json"),
    [
        ("", True, True),
        ('logName="projects/local/logs/app"', True, True),
        ('logName="PROJECTS/local/logs/APP"', True, True),
        ('logName="projects/local/logs/ap"', False, False),
        ("textPayload:disk", True, False),
        ('textPayload:"Disk \\"sda\\" full\\\\"', True, False),
        ('textPayload="disk"', False, False),
        ("NOT textPayload:disk", False, True),
        ("-textPayload:disk", False, True),
        ("textPayload:*", True, False),
        ('textPayload:"*"', False, False),
        ("severity>=WARNING", True, False),
        ("severity>=warning", True, False),
        ("severity<ERROR", True, True),
        ("severity=DEFAULT", False, True),
        ('timestamp>="2026-11-29T12:00:00Z"', True, False),
        ('timestamp>"2026-11-29T12:00:00Z"', False, False),
        ('timestamp>="2026-11-29T14:00:00+02:00"', True, False),
        ('timestamp>="2026-11-29"', True, False),
        ("labels.shard=3", True, False),
        ("labels.shard!=4", True, False),
        ("NOT labels.shard=4", True, True),
        ('labels."airflow.dag_id"="release"', True, False),
        ("labels.empty:*", False, False),
        ("jsonPayload.message:NET", False, True),
        ("jsonPayload.at.port=5432", False, True),
        ("jsonPayload.ok=false", False, True),
        ("jsonPayload:db-1", False, True),
        ("jsonPayload.at:*", False, True),
        ("jsonPayload.nothing:*", False, False),
        ('resource.type="global"', True, False),
        ("resource.labels.project_id=local", True, False),
        ("trace:0af7651916cd43dd8448eb211c80319c", True, False),
        ("textPayload:disk severity>=ERROR", False, False),
        ("textPayload:disk AND severity=WARNING", True, False),
        ("textPayload:disk OR jsonPayload:net", True, True),
        # OR binds more than AND.
        ("textPayload:disk OR jsonPayload:net AND severity=DEFAULT", False, True),
        ("(textPayload:disk OR jsonPayload:net) -- all\nAND severity=DEFAULT", False, True),
    ],
)
def test_what_fits(text: str, fitting_text: bool, fitting_json: bool) -> None:
    fits = fitting(parsed(text))
    assert (fits(TEXT), fits(JSON)) == (fitting_text, fitting_json)


@pytest.mark.parametrize(
    "text",
    [
        "disk",
        '"disk"',
        'textPayload:"disk',
        'textPayload:disk"',
        'textPayload=~"d.*"',
        'textPayload:("a" OR "b")',
        'textPayload:"\\n"',
        "textPayload:a and severity=ERROR",
        "textPayload:a AND",
        "AND textPayload:a",
        "(textPayload:a",
        "textPayload:a)",
        "textPayload:",
        "textPayload",
        "textPayload:OR",
        "nothing=1",
        "labels=1",
        "textPayload>1",
        "severity:ERROR",
        "severity>=LOUD",
        'timestamp>="yesterday"',
        "SEARCH(disk)",
        "(" * 100 + "textPayload:a" + ")" * 100,
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        fitting(parsed(text))


@given(st.lists(st.sampled_from(PARTS), max_size=12), st.sampled_from(["", " "]))
def test_any_text_is_a_filter_or_refused(parts: list[str], between: str) -> None:
    try:
        fits = fitting(parsed(between.join(parts)))
    except FilterError:
        return
    assert fits(TEXT) in (True, False)
    assert fits(JSON) in (True, False)
