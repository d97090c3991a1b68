"""A command is one trace, whatever it does and however it ends."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from airflow.cli import cli_parser
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

if TYPE_CHECKING:
    from collections.abc import Callable


def run(*words: str) -> None:
    args = cli_parser.get_parser().parse_args(["multicloud", *words])
    with suppress(SystemExit):
        args.func(args)


def test_one_that_does_well(
    spans: InMemorySpanExporter, memory_account: Callable[[str, str], str]
) -> None:
    memory_account("span_cli", "lake")
    run("mb", "mem://span_cli@other")
    found = spans.get_finished_spans()
    assert [span.name for span in found] == ["multicloud.make_bucket", "multicloud.command"]
    inner, command = found
    assert inner.parent is not None
    assert inner.parent.span_id == command.get_span_context().span_id
    assert dict(command.attributes or {}) == {
        "multicloud.command": "mb",
        "multicloud.outcome": "ok",
    }


def test_one_that_fails(spans: InMemorySpanExporter) -> None:
    run("read-metric", "nowhere", "name", "--namespace", "space")
    command = spans.get_finished_spans()[-1]
    attributes = dict(command.attributes or {})
    assert command.name == "multicloud.command"
    assert command.parent is None
    assert attributes["multicloud.command"] == "read-metric"
    assert attributes["error.type"] == "not_found"
    assert not command.status.is_ok
