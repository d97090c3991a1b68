"""``airflow multicloud export-metrics`` and ``read-metric``, on the memory cloud."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.cli import cli_parser

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.memory_cloud.metrics import metrics_of

if TYPE_CHECKING:
    from pathlib import Path

Conns = tuple[str, str, str]
HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\x9b2J\n\u202e"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*words: str) -> tuple[int, str, str]:
        args = cli_parser.get_parser().parse_args(["multicloud", *words])
        code: Any = 0
        try:
            args.func(args)
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out, err

    return command


def to(*conns: str) -> list[str]:
    return [word for conn_id in conns for word in ("--to", conn_id)]


def test_export_and_read_back(run: Any, conns: Conns) -> None:
    given = ["--metric", "shop.queue=3", "--attribute", "country=de", "--unit", "1"]
    code, out, err = run(
        *("export-metrics", *to(*conns[:2]), "--namespace", "shop", *given, "-o", "json")
    )
    assert (code, err) == (0, "")
    (report,) = json.loads(out)
    assert [one["accepted"] for one in report["destinations"]] == [1, 1]
    words = ("read-metric", conns[0], "shop.queue", "--namespace", "shop")
    code, out, _ = run(*words, "--attribute", "country=de", "-o", "json")
    (reading,) = json.loads(out)
    (point,) = reading["points"]
    assert (code, point["total"], point["attributes"]) == (0, 3.0, {"country": "de"})
    code, out, err = run(*words, "--attribute", "country=fr")
    assert (code, out) == (4, "No data found\n")
    assert "no points" in err


def test_a_table(run: Any, conns: Conns) -> None:
    code, out, _ = run(
        *("export-metrics", *to(conns[0]), "--namespace", "shop", "--metric", "a=1", "-o", "csv")
    )
    (row,) = csv.DictReader(io.StringIO(out))
    assert code == 0
    assert (row["conn_id"], row["cloud"], row["accepted"]) == (conns[0], "memory", "1")


def test_a_dry_run_sends_nothing(run: Any, conns: Conns, tmp_path: Path) -> None:
    place = tmp_path / "metrics.json"
    place.write_text(json.dumps([{"name": "a", "value": 1}, {"name": "b", "value": "nan"}]))
    code, out, err = run(
        *("export-metrics", *to(*conns), "--namespace", "shop", "--metrics", str(place)),
        *("--dry-run", "-o", "json"),
    )
    (report,) = json.loads(out)
    assert code == 3
    assert not report["sound"]
    assert [one["exportable"] for one in report["destinations"]] == [1, 1, 1]
    assert "value: it is not a finite number: b" in err
    assert not any(metrics_of(conn_id).points["shop"] for conn_id in conns)


def test_too_few_points(run: Any, conns: Conns) -> None:
    metrics_of(conns[0]).faults.plant([DeliveryFault(kind=DeliveryFaultKind.REJECT, name="b")])
    words = ["export-metrics", *to(*conns[:2]), "--namespace", "shop"]
    words += ["--metric", "a=1", "--metric", "b=2", "-o", "json"]
    code, out, err = run(*words)
    assert code == 3
    assert json.loads(out)[0]["destinations"][0]["rejected"] == 1
    assert "1 rejected: a fault was planted: b" in err
    assert run(*words, "--min-success-ratio", "0.5")[0] == 0


def test_a_cloud_that_can_not_be_used(run: Any, conns: Conns) -> None:
    words = ["--namespace", "shop", "--metric", "a=1"]
    code, _, err = run("export-metrics", *to("nowhere", conns[0]), *words)
    assert code == 4
    assert "nowhere: not_found" in err
    assert metrics_of(conns[0]).points["shop"]
    for conn_id in conns:
        metrics_of(conn_id).faults.plant(
            [DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=ErrorKind.PERMISSION_DENIED)]
        )
    assert run("export-metrics", *to(*conns), *words)[0] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "none given, expected one of them"),
        (["--metric", "a"], "--metric: 'a' given, expected NAME=VALUE"),
        (["--metric", "a=x"], "value: expected a number (such as a)"),
        (["--metric", "a=1", "--metrics", "x.json"], "--metric and --metrics given"),
        (["--otlp-json", "x", "--unit", "s"], "go with --metric only"),
        (["--metrics", "LIST"], "is no JSON list"),
        (["--otlp-json", "LIST"], "no OTLP metrics in JSON"),
        (["--metric", "a=1", "--min-success-ratio", "2"], "--min-success-ratio: '2' given"),
    ],
)
def test_a_wrong_command_line(
    run: Any, conns: Conns, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "x").write_text('{"a": 1}')
    given = [str(tmp_path / "x") if word == "LIST" else word for word in words]
    code, out, err = run("export-metrics", *to(conns[0]), "--namespace", "shop", *given)
    assert (code, out) == (2, "")
    assert said in err


def test_a_file_that_is_not_there(run: Any, conns: Conns) -> None:
    words = ("--namespace", "shop", "--prometheus-text", "/no/such/file")
    code, _, err = run("export-metrics", *to(conns[0]), *words)
    assert code == 4
    assert "there is no file /no/such/file" in err


@pytest.mark.parametrize("form", ["table", "plain", "yaml", "json", "csv"])
def test_nothing_hostile_is_shown(run: Any, conns: Conns, tmp_path: Path, form: str) -> None:
    """Neither of what is exported nor of what a cloud has."""
    place = tmp_path / "metrics.json"
    bad = {"name": HOSTILE + "x" * 100_000, "value": 1, "attributes": {HOSTILE: HOSTILE}}
    good = {"name": "a", "value": 1, "attributes": {"k": HOSTILE}, "unit": "1"}
    place.write_text(json.dumps([good, bad]))
    words = ["--namespace", "shop", "--metrics", str(place), "--on-invalid", "drop", "-o", form]
    code, out, err = run("export-metrics", *to(conns[0]), *words)
    assert code == 3
    read = run("read-metric", conns[0], "a", "--namespace", "shop", "-o", form)
    for text in (out, err, read[1], read[2]):
        assert "\x1b" not in text
        assert not {"\u202e", "\x9b"} & {*text}
        assert len(text) < 5000
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(out + read[1])) for cell in row]
        assert not any(cell.startswith("=") for cell in cells)
