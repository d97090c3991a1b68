"""Stories of points and faults: what is said of each point is true, whatever happens to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.deliveries import Destination, OnInvalid, Settled
from airflow_multicloud.core.metrics.collecting import Collector
from airflow_multicloud.core.metrics.destinations import Exporter
from airflow_multicloud.core.metrics.exporting import ExportOptions, export
from airflow_multicloud.core.metrics.given import read_given
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.operators.settled import remember_settled, settled_before
from airflow_multicloud.ports.accounting import Outcome
from airflow_multicloud.testing.delivery_faults import REFUSALS, DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.memory_cloud.metrics import Hook, metrics_of, reset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_multicloud.core.metrics.report import DestinationExport, ExportReport

NOW = datetime.now(UTC) - timedelta(minutes=10)
PLACES = ("story_one", "story_two")

#: What one metric may be; ``weight`` so many of it, so that there are several requests.
GOOD = ("gauge", "counter", "histogram")
BAD = ("nan", "nameless", "old", "wordy", "unknown key", "twice", "wide")

metrics = st.lists(
    st.tuples(st.sampled_from(GOOD + BAD), st.integers(1, 120)), min_size=1, max_size=6
)
faults = st.lists(
    st.builds(
        DeliveryFault,
        kind=st.sampled_from([kind for kind in DeliveryFaultKind if kind != "reject"]),
        error=st.sampled_from(REFUSALS),
        times=st.integers(1, 3),
        after=st.integers(0, 4),
    ),
    max_size=3,
)
rejects = st.sampled_from(["", *GOOD])


def document(kind: str, group: int, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": f"{kind}.{group}",
        "value": number,
        "time": NOW + timedelta(microseconds=number),
        "attributes": {"n": number % 7},
    }
    match kind:
        case "counter":
            made["type"] = "counter"
        case "histogram":
            del made["value"]
            made |= {"type": "histogram", "values": [number]}
        case "nan":
            made["value"] = "nan"
        case "nameless":
            made["name"] = " "
        case "old":
            made["time"] -= timedelta(days=100)
        case "wordy":
            made["value"] = "many"
        case "unknown key":
            made["tags"] = {}
        case "twice":
            made |= {"time": NOW, "attributes": {}}
        case "wide":
            made["attributes"] = {f"a{n}": n for n in range(31)}
    return made


def documents(story: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    return [
        document(kind, group, number)
        for group, (kind, weight) in enumerate(story)
        for number in range(weight)
    ]


def run(
    story: Sequence[tuple[str, int]], on_invalid: OnInvalid, settled: Settled | None = None
) -> ExportReport:
    collected = read_given(documents(story), Collector(NOW))
    places: list[Destination[Exporter]] = [
        Destination(conn_id=conn_id, cloud="memory", hook=Hook(conn_id)) for conn_id in PLACES
    ]
    ratios = dict.fromkeys(PLACES, 1.0)
    options = ExportOptions(namespace="story", on_invalid=on_invalid, ratios=ratios)
    return export(collected, places, options, settled)


def plant(conn_id: str, story: Sequence[DeliveryFault], reject: str) -> None:
    space = metrics_of(conn_id)
    space.faults.clear()
    space.faults.plant(story)
    if reject:
        space.faults.plant([DeliveryFault(kind=DeliveryFaultKind.REJECT, name=f"{reject}.")])


def kept(conn_id: str) -> int:
    return len(metrics_of(conn_id).points["story"])


def check(one: DestinationExport, story: Sequence[tuple[str, int]], before: int) -> None:
    """The law, and each figure against what is there.

    :param before: points that were there, which are none of this export's.
    """
    assert one.points_in == sum(weight for _, weight in story)
    assert one.points_in == one.accepted + one.rejected + one.unknown + one.dropped
    there = kept(one.conn_id) - before
    # What is accepted is there, and what is there was accepted or may be.
    assert one.accepted - one.accepted_before <= there <= one.accepted + one.unknown
    bad = sum(weight - (kind == "twice") for kind, weight in story if kind in BAD)
    unreadable = one.dropped
    assert unreadable >= bad
    if one.error is None and not any(
        refusal.kind is not ErrorKind.INVALID_ARGUMENT for refusal in one.refusals
    ):
        assert unreadable == bad
    for refusal in one.refusals:
        assert refusal.count > 0
        assert all(sample.isprintable() for sample in refusal.samples)
    assert one.requests <= 1 + one.points_in


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=metrics, planted=st.tuples(faults, faults), rejected=st.tuples(rejects, rejects))
def test_the_law_and_the_truth_of_each_figure(
    story: list[tuple[str, int]],
    planted: tuple[list[DeliveryFault], list[DeliveryFault]],
    rejected: tuple[str, str],
) -> None:
    reset()
    for conn_id, faults_here, reject in zip(PLACES, planted, rejected, strict=True):
        plant(conn_id, faults_here, reject)
    report = run(story, OnInvalid.DROP)
    assert [one.conn_id for one in report.destinations] == [*PLACES]
    for one, reject in zip(report.destinations, rejected, strict=True):
        check(one, story, 0)
        if not reject:
            assert not any(
                refusal.code == "planted" and refusal.outcome is Outcome.REJECTED
                for refusal in one.refusals
            )
        assert one.succeeded == (one.accepted == one.points_in)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=metrics)
def test_nothing_is_sent_when_one_is_bad(story: list[tuple[str, int]]) -> None:
    reset()
    for conn_id in PLACES:
        plant(conn_id, [], "")
    bad = any(kind in BAD and not (kind == "twice" and weight == 1) for kind, weight in story)
    if bad:
        with pytest.raises(MetricsError, match="nothing was sent"):
            run(story, OnInvalid.FAIL)
        assert not any(map(kept, PLACES))
    else:
        report = run(story, OnInvalid.FAIL)
        assert report.succeeded
        for one in report.destinations:
            check(one, story, 0)
            assert kept(one.conn_id) == one.accepted == one.points_in


class Remembering(dict[str, str]):
    """What outlives a try, as JSON."""

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(super().get(key) or json.dumps(default))

    def set(self, key: str, value: Any) -> None:
        self[key] = json.dumps(value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=metrics, planted=st.lists(st.tuples(faults, faults), min_size=1, max_size=3))
def test_tries_come_to_the_same(
    story: list[tuple[str, int]],
    planted: list[tuple[list[DeliveryFault], list[DeliveryFault]]],
) -> None:
    """However often a task is tried: at last everything good is there once, and told so."""
    reset()
    context = cast("Any", {"task_state_store": Remembering()})
    for faults_now in (*planted, ([], [])):
        for conn_id, faults_here in zip(PLACES, faults_now, strict=True):
            plant(conn_id, faults_here, "")
        before = {conn_id: kept(conn_id) for conn_id in PLACES}
        settled = settled_before(cast("Any", None), context, "key")
        report = run(story, OnInvalid.DROP, settled)
        remember_settled(context, "key", settled)
        for one in report.destinations:
            assert one.points_in == one.accepted + one.rejected + one.unknown + one.dropped
            assert one.accepted <= kept(one.conn_id)
            assert kept(one.conn_id) >= before[one.conn_id]
    good = sum(1 if kind == "twice" else weight for kind, weight in story if kind not in BAD[:-2])
    good -= sum(weight for kind, weight in story if kind == "wide")
    for one in report.destinations:
        assert one.accepted == kept(one.conn_id) == good
        assert one.rejected == one.unknown == 0
