"""A command is one trace, whatever it does and however it ends."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from airflow.cli import cli_parser
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

if TYPE_CHECKING:
    from collections.abc import Callable


def spans_of(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[ReadableSpan]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    args = cli_parser.get_parser().parse_args(["multicloud", *words])
    with suppress(SystemExit):
        args.func(args)
    provider.shutdown()
    return [*exporter.get_finished_spans()]


def test_one_that_does_well(
    monkeypatch: pytest.MonkeyPatch, memory_account: Callable[[str, str], str]
) -> None:
    memory_account("span_cli", "lake")
    spans = spans_of(monkeypatch, "mb", "mem://span_cli@other")
    assert [span.name for span in spans] == ["multicloud.make_bucket", "multicloud.command"]
    inner, command = spans
    assert inner.parent is not None
    assert inner.parent.span_id == command.get_span_context().span_id
    assert dict(command.attributes or {}) == {
        "multicloud.command": "mb",
        "multicloud.outcome": "ok",
    }


def test_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    command = spans_of(monkeypatch, "read-metric", "nowhere", "name", "--namespace", "space")[-1]
    attributes = dict(command.attributes or {})
    assert command.name == "multicloud.command"
    assert command.parent is None
    assert attributes["multicloud.command"] == "read-metric"
    assert attributes["error.type"] == "not_found"
    assert not command.status.is_ok
