"""What counting costs: OpenTelemetry keeps every instrument that is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import metrics
from opentelemetry.metrics import NoOpMeter, NoOpMeterProvider

from airflow_multicloud.core import telemetry

if TYPE_CHECKING:
    import pytest


class _Counting(NoOpMeter):
    made = 0

    def create_counter(self, name: str, unit: str = "", description: str = "") -> metrics.Counter:
        type(self).made += 1
        return super().create_counter(name, unit, description)


class _Provider(NoOpMeterProvider):
    def __init__(self) -> None:
        self.meters = 0

    def get_meter(self, name: str, *_: object, **__: object) -> metrics.Meter:
        self.meters += 1
        return _Counting(name)


def test_instruments_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the memory of a fetch of many objects, and of a worker, grows with each of them."""
    provider = _Provider()
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    monkeypatch.setattr(_Counting, "made", 0)
    for _ in range(3):
        telemetry.count_bytes("read", "aws", 1)
        telemetry.count_objects("aws", "copied", 1)
        with telemetry.operation("replicate"):
            pass
    assert (provider.meters, _Counting.made) == (1, 5)


def test_a_provider_that_is_set_later_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _Provider(), _Provider()
    for provider in (first, second):
        monkeypatch.setattr(metrics, "get_meter_provider", lambda now=provider: now)
        telemetry.count_objects("aws", "copied", 1)
    assert (first.meters, second.meters) == (1, 1)
