"""Recommendations as a file: read as they were written, or refused by place."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_multicloud.api import (
    read_recommendations,
    recommendation_rows,
    write_recommendations,
)
from airflow_multicloud.core.cost.recommendations import RankedRecommendations, rank_recommendations
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import Effort, Recommendation, Recommendations


@pytest.fixture
def ranked() -> RankedRecommendations:
    advice = Recommendation(
        recommendation_id="1",
        source="azure_advisor",
        sub_account_id="a",
        region_id=None,
        resource_id="vm-1",
        resource_type="vm",
        action="stop",
        summary="Stop it,\nnow\u2028",
        monthly_savings=Decimal("12.345"),
        billing_currency="USD",
        effort=Effort.LOW,
    )
    found = Recommendations(found=(advice,), unavailable={}, price=Decimal(0))
    return rank_recommendations({"azure": found}, currency="USD", today=date(2026, 11, 1))


def test_they_are_read_as_they_were_written(ranked: RankedRecommendations, tmp_path: Path) -> None:
    written = write_recommendations(ranked, str(tmp_path))
    found = read_recommendations(written)
    assert found == json.loads(json.dumps(recommendation_rows(ranked), default=str))
    assert found[0]["monthly_savings"] == "12.34"


def test_none_are_none(tmp_path: Path) -> None:
    file = tmp_path / "none.jsonl"
    file.touch()
    assert read_recommendations(str(file)) == []


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ('{"format_version": 2}', ErrorKind.UNSUPPORTED, "is a recommendation of version 2; this"),
        ('{"format_version": 1}', ErrorKind.INVALID_ARGUMENT, "it lacks cloud, counted, currency"),
        ('{"cloud": "aws"}', ErrorKind.INVALID_ARGUMENT, "it has no format_version"),
        ("[]", ErrorKind.INVALID_ARGUMENT, "it has no format_version"),
        ("<html>", ErrorKind.INVALID_ARGUMENT, "is no JSON"),
        ("[" * 100_000, ErrorKind.INVALID_ARGUMENT, "is no JSON"),
        ("\ud800", ErrorKind.INVALID_ARGUMENT, "is no JSON"),
    ],
)
def test_what_is_not_understood_is_refused_by_place(
    ranked: RankedRecommendations, tmp_path: Path, line: str, kind: ErrorKind, message: str
) -> None:
    file = Path(write_recommendations(ranked, str(tmp_path)))
    file.write_bytes(file.read_bytes() + line.encode("utf-8", "surrogatepass") + b"\n")
    with pytest.raises(CostAnalysisError, match=message) as raised:
        read_recommendations(str(file))
    assert str(raised.value).startswith(f"{file} line 2 ")
    assert raised.value.kind is kind
    assert not raised.value.kind.retryable


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("monthly_savings", value) for value in ("x", "NaN", "1e999999", "1\n", "", 5, [], {})),
        *(("currency", value) for value in ([1], None, 5)),
        *(("sources", value) for value in (5, "hub", [1], None)),
        *(("counted", value) for value in ("yes", 1, None)),
        *(("cloud", 1), ("summary", 5), ("effort", {}), ("resource_id", 1)),
    ],
)
def test_a_value_that_no_report_can_show_is_refused_by_place(
    ranked: RankedRecommendations, tmp_path: Path, name: str, value: object
) -> None:
    file = Path(write_recommendations(ranked, str(tmp_path)))
    line = json.dumps({**json.loads(file.read_text()), name: value})
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(CostAnalysisError, match=f"line 2: {name} is ") as raised:
        read_recommendations(str(file))
    assert str(raised.value).startswith(str(file))
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT


def test_what_is_no_file_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CostAnalysisError, match="recommendations: there is no file") as raised:
        read_recommendations(str(tmp_path / "none"))
    assert raised.value.kind is ErrorKind.NOT_FOUND
    with pytest.raises(CostAnalysisError, match=r"recommendations: .* can't be read"):
        read_recommendations(str(tmp_path))
    monkeypatch.setattr("airflow_multicloud.api.cost.files._MAX_BYTES", 2 << 20)
    large = tmp_path / "large"
    large.write_bytes(b"0" * ((2 << 20) + 1))
    with pytest.raises(CostAnalysisError, match="has more than 2 MiB"):
        read_recommendations(str(large))


def test_a_place_that_can_not_be_written_is_one_error(
    ranked: RankedRecommendations, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CostAnalysisError, match=r"target: .* can't be written"):
        write_recommendations(ranked, str(tmp_path / "file"))


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_no_more_people_may_read_a_file_than_its_owner_lets(
    ranked: RankedRecommendations, tmp_path: Path
) -> None:
    file = tmp_path / "recommendations.jsonl"
    with _umask(0o077):
        write_recommendations(ranked, str(tmp_path))
    assert _mode(file) == 0o600
    with _umask(0o022):
        write_recommendations(ranked, str(tmp_path))
        assert _mode(file) == 0o600
        file.unlink()
        write_recommendations(ranked, str(tmp_path))
    assert _mode(file) == 0o644


def test_a_symbolic_link_is_followed(ranked: RankedRecommendations, tmp_path: Path) -> None:
    link = tmp_path / "recommendations.jsonl"
    link.symlink_to(tmp_path / "kept")
    assert write_recommendations(ranked, str(tmp_path)) == str(link)
    assert link.is_symlink()
    assert read_recommendations(str(tmp_path / "kept"))
    assert sorted(tmp_path.iterdir()) == [tmp_path / "kept", link]


def test_a_disk_that_is_full_is_said_to_be(
    ranked: RankedRecommendations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        CostAnalysisError, match=r"target: .* can't be written: .*No space"
    ) as raised:
        write_recommendations(ranked, str(tmp_path))
    assert raised.value.kind is ErrorKind.QUOTA
    assert not list(tmp_path.iterdir())


def test_a_file_that_the_system_does_not_give_has_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(CostAnalysisError, match=r"can't be read: Permission denied") as raised:
        read_recommendations(str(tmp_path / "file"))
    assert raised.value.kind is ErrorKind.PERMISSION_DENIED


def test_a_name_that_no_file_can_have_is_one_error(
    ranked: RankedRecommendations, tmp_path: Path
) -> None:
    with pytest.raises(CostAnalysisError, match=r"target: .* can't be written") as raised:
        write_recommendations(ranked, f"{tmp_path}/\0")
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
