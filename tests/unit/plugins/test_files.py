"""Which files a task's report names, and which of them may be opened."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_multicloud.plugins.page.files import RecordedFile, files_of

from .reports import report

SHA = "ab" * 32


def file(uri: str, sha256: str = SHA) -> RecordedFile:
    return RecordedFile(number=0, name="evidence", uri=uri, sha256=sha256)


def judged(**more: Any) -> Any:
    record = {"uri": "gs://c@b/1.json", "page": "gs://c@b/1.html", "number": 1, "sha256": SHA}
    facts = {"records": [{**record, "page_sha256": "cd" * 32}], **more}
    return report(facts, operator="DrillReportOperator")


def test_pages_come_first() -> None:
    page, record = files_of([judged()])
    assert (page.number, page.uri, page.sha256) == (0, "gs://c@b/1.html", "cd" * 32)
    assert (record.number, record.uri, record.sha256) == (1, "gs://c@b/1.json", SHA)
    assert (page.is_page, record.is_page) == (True, False)


def test_a_cost_report() -> None:
    facts = {"files": {"services.csv": "/x.csv", "report.html": "s3://b/r.html"}, "sha256": {}}
    (page, table) = files_of([report(facts, key="cost_report", operator="CostReportOperator")])
    assert (page.name, table.name) == ("report.html", "services.csv")


def test_reports_of_others_name_none() -> None:
    assert files_of([report(judged().facts, operator="ReplicateOperator")]) == ()
    assert files_of([judged(records="x"), judged(records=[1])]) == ()
    many = judged(records=[judged().facts["records"][0]] * 1000)
    assert len(files_of([many])) == 20


@pytest.mark.parametrize(
    "uri",
    [
        "/etc/passwd",
        "../../etc/passwd.html",
        "file:///etc/passwd",
        "file://host/etc/passwd",
        "http://169.254.169.254/latest/meta-data/x.html",
        "https://evil.test/x.html",
        "ftp://host/x",
        "gopher://host/x",
        "memory://x/y",
        "s3://user:hunter2@bucket/key",
        "s3://host:9000/bucket/key",
        "abfs://container@account.dfs.core.windows.net/key",
        "javascript:alert(1)//x.html",
        "",
    ],
)
def test_only_places_of_known_clouds_are_opened(uri: str) -> None:
    why = file(uri).why_not
    assert why is not None
    assert "hunter2" not in why


@pytest.mark.parametrize("uri", ["s3://conn@bucket/key.html", "gs://bucket/k", "abfs://c@b/k"])
def test_with_the_digest_of_what_was_written(uri: str) -> None:
    assert file(uri).why_not is None
    assert "earlier release" in (file(uri, "").why_not or "")


def test_nothing_but_a_page_is_more_than_text() -> None:
    assert file("s3://b/x.html").media_type == "text/html; charset=utf-8"
    for uri in ("s3://b/x.json", "s3://b/x.svg", "s3://b/x.xhtml", "s3://b/x.html?y", "s3://b/"):
        assert file(uri).media_type == "text/plain; charset=utf-8"
