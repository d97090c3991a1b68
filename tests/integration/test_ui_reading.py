"""Limits of what the pages in Airflow's UI read of files."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.plugins.page import reading
from airflow_multicloud.plugins.page.files import RecordedFile
from airflow_multicloud.plugins.page.reading import NotShownError, read_file

from .lab import TREE, Lab, fill

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = TREE["a.txt"]


def file(uri: str, content: bytes = CONTENT) -> RecordedFile:
    return RecordedFile(number=0, name="x", uri=uri, sha256=sha256_of(content))


def refused(read: Callable[[], object]) -> NotShownError:
    with pytest.raises(NotShownError) as caught:
        read()
    return caught.value


def test_what_was_written_and_nothing_else(lab: Lab) -> None:
    fill(lab.s3)
    uri = f"{lab.s3}a.txt"
    assert read_file(file(uri)) == CONTENT
    other = refused(lambda: read_file(file(uri, b"other")))
    assert (other.status, "alpha" in str(other)) == (409, False)
    gone = refused(lambda: read_file(file(f"{lab.s3}nothing")))
    assert gone.status == 502
    unknown = refused(lambda: read_file(file("s3://no_such_connection@bucket/key")))
    assert "connection 'no_such_connection' does not exist" in str(unknown)


def test_no_more_than_the_limit(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(lab.s3)
    monkeypatch.setattr(reading, "MAX_BYTES", len(CONTENT) - 1)
    assert "has more than" in str(refused(lambda: read_file(file(f"{lab.s3}a.txt"))))


def test_not_longer_than_the_limit(silent_s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TIMEOUT", 0.2)
    assert refused(lambda: read_file(file(f"s3://{silent_s3}@bucket/key"))).status == 504


def test_not_more_at_once(lab: Lab) -> None:
    fill(lab.s3)
    with ExitStack() as held:
        for _ in range(reading.AT_ONCE):
            if reading._free.acquire(timeout=60):  # An earlier one may still be given up on.
                held.callback(reading._free.release)
        assert refused(lambda: read_file(file(f"{lab.s3}a.txt"))).status == 503
    assert read_file(file(f"{lab.s3}a.txt")) == CONTENT
