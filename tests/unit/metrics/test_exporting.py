"""Exports to several accounts of the memory cloud: what is said of each point is true."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from opentelemetry import trace

from airflow_multicloud.adapters.batches import BatchLimits, Prepared, check_items, send_items
from airflow_multicloud.adapters.points import name_of
from airflow_multicloud.adapters.series import each_series_apart
from airflow_multicloud.api import export_metrics_to_cloud, read_metric
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.deliveries import Destination, OnInvalid, PartlySettled, Settled
from airflow_multicloud.core.metrics.collecting import Collector
from airflow_multicloud.core.metrics.digests import digest_of
from airflow_multicloud.core.metrics.exporting import ExportOptions, export
from airflow_multicloud.core.metrics.given import read_given
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind, MetricsError
from airflow_multicloud.operators.settled import remember_settled, settled_before
from airflow_multicloud.ports.accounting import Accounting, Outcome, Refusal
from airflow_multicloud.ports.metrics import MetricPoint, Repeats
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.memory_cloud.metrics import Hook, metrics_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_multicloud.adapters.tallies import Reason

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
Conns = tuple[str, str, str]


def gauges(count: int, name: str = "m") -> list[dict[str, Any]]:
    return [{"name": name, "value": n, "attributes": {"n": n}, "time": NOW} for n in range(count)]


def kept(conn_id: str) -> int:
    return len(metrics_of(conn_id).points["shop"])


def plant(conn_id: str, kind: DeliveryFaultKind, **about: Any) -> None:
    metrics_of(conn_id).faults.plant([DeliveryFault(kind=kind, **about)])


def test_every_destination_gets_every_point(conns: Conns) -> None:
    report = export_metrics_to_cloud(conns, namespace="shop", metrics=gauges(250))
    assert report.succeeded
    assert [one.conn_id for one in report.destinations] == [*conns]
    for one in report.destinations:
        assert (one.points_in, one.accepted, one.requests) == (250, 250, 3)
        assert kept(one.conn_id) == 250
    report.raise_if_failed()
    found = read_metric(conns[1], "m", namespace="shop", attributes={"n": 7})
    assert [point.total for point in found.points] == [7]


def test_the_document(conns: Conns) -> None:
    plant(conns[0], DeliveryFaultKind.REJECT, name="bad")
    report = export_metrics_to_cloud(
        conns[:2], namespace="shop", metrics=[*gauges(2), *gauges(1, "bad")]
    )
    document = report.as_dict()
    first, second = document["destinations"]
    for one in (first, second):
        assert isinstance(one.pop("seconds"), float)
    assert first == {
        "conn_id": conns[0],
        "cloud": "memory",
        "succeeded": False,
        "points_in": 3,
        "accepted": 2,
        "rejected": 1,
        "unknown": 0,
        "dropped": 0,
        "accepted_before": 0,
        "success_ratio": 2 / 3,
        "min_success_ratio": 1.0,
        "refusals": [
            {
                "outcome": "rejected",
                "kind": "invalid_argument",
                "reason": "a fault was planted",
                "count": 1,
                "samples": ["bad{n=0}"],
                "code": "planted",
            }
        ],
        "conversions": [],
        "requests": 1,
        "error_kind": None,
        "error": None,
    }
    assert second["succeeded"]
    assert document["points_in"] == 3
    assert not document["succeeded"]
    with pytest.raises(MetricsError) as failed:
        report.raise_if_failed()
    assert str(failed.value) == (
        "metrics_one: 2 of 3 accepted, expected 100 %: "
        "1 rejected: invalid_argument: a fault was planted (such as bad{n=0})"
    )
    assert failed.value.kind is ErrorKind.INVALID_ARGUMENT


BAD: list[dict[str, Any]] = [
    {"name": "nan", "value": "nan", "time": NOW},
    {"name": "", "value": 1, "time": NOW},
    {"name": "old", "value": 1, "time": NOW - timedelta(days=30)},
    {"name": "no number", "value": "x"},
]


def test_nothing_is_sent_anywhere_when_a_point_is_bad(conns: Conns) -> None:
    with pytest.raises(MetricsError) as refused:
        export_metrics_to_cloud(conns, namespace="shop", metrics=[*gauges(2), *BAD])
    said = str(refused.value)
    assert refused.value.kind is ErrorKind.INVALID_ARGUMENT
    for words in (
        "nothing was sent",
        "1 dropped: invalid_argument: value: expected a number (such as no number)",
        "metrics_two: ",
        "value: it is not a finite number (such as nan)",
        "name: it is empty",
        "which this cloud refuses (such as old)",
    ):
        assert words in said
    assert not any(map(kept, conns))


def test_bad_points_are_dropped_where_that_is_asked_for(conns: Conns) -> None:
    report = export_metrics_to_cloud(
        conns,
        namespace="shop",
        metrics=[*gauges(2), *BAD],
        on_invalid="drop",
        min_success_ratio={conns[0]: 0.3, conns[1]: 0.5},
    )
    assert [one.succeeded for one in report.destinations] == [True, False, False]
    for one in report.destinations:
        assert (one.points_in, one.accepted, one.dropped) == (6, 2, 4)
        assert {refusal.outcome for refusal in one.refusals} == {Outcome.DROPPED}
        assert sorted(name for refusal in one.refusals for name in refusal.samples) == [
            "",
            "nan",
            "no number",
            "old",
        ]


def test_one_destinations_error_costs_itself(conns: Conns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", "ftp://")
    report = export_metrics_to_cloud(
        ["nowhere", "other", conns[0]], namespace="shop", metrics=gauges(2)
    )
    nowhere, other, good = report.destinations
    assert (nowhere.error_kind, nowhere.cloud, nowhere.dropped) == (ErrorKind.NOT_FOUND, "", 2)
    assert (other.error_kind, other.accepted) == (ErrorKind.INVALID_ARGUMENT, 0)
    assert good.succeeded
    assert kept(conns[0]) == 2
    with pytest.raises(MetricsError, match=r"nowhere.*does not exist") as failed:
        report.raise_if_failed()
    assert failed.value.kind is ErrorKind.NOT_FOUND


def test_a_destination_that_can_do_no_otlp_says_so(conns: Conns) -> None:
    report = export_metrics_to_cloud(
        conns[0], namespace="shop", metrics=gauges(2), transport="otlp"
    )
    (one,) = report.destinations
    assert one.error_kind is ErrorKind.UNSUPPORTED
    assert "by OTLP" in str(one.error)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"destinations": []}, "destinations: an empty list given"),
        ({"destinations": ["a", "b", "a"]}, "destinations: a given more than once"),
        ({"namespace": " "}, "namespace: nothing given"),
        ({"on_invalid": "ignore"}, "on_invalid: 'ignore' given, expected one of fail, drop"),
        ({"transport": "grpc"}, "transport: 'grpc' given, expected one of native, otlp"),
        ({"min_success_ratio": 95}, "min_success_ratio: 95 given, expected a number from 0 to 1"),
        ({"min_success_ratio": "most"}, "min_success_ratio: 'most' given"),
        ({"min_success_ratio": {"b": 1}}, "min_success_ratio: b given, which are no destinations"),
        ({"min_success_ratio": {"a": -1}}, r"min_success_ratio\[a\]: -1 given"),
        ({"metrics": None}, "metrics_data, otlp_json, prometheus_text: none given"),
        ({"otlp_json": "x"}, "metrics and otlp_json given, expected one of them"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    sound = {"destinations": ["a"], "namespace": "shop", "metrics": gauges(1)}
    with pytest.raises(CloudError, match=words) as refused:
        export_metrics_to_cloud(**{**sound, **given})
    assert refused.value.kind is ErrorKind.INVALID_ARGUMENT


def test_no_points_are_no_failure(conns: Conns) -> None:
    report = export_metrics_to_cloud(conns, namespace="shop", metrics=[])
    assert report.succeeded
    assert [one.success_ratio for one in report.destinations] == [1.0] * 3


def test_another_try_can_help_after_an_outage(conns: Conns) -> None:
    plant(conns[0], DeliveryFaultKind.LOSE_ANSWER)
    plant(conns[1], DeliveryFaultKind.REFUSE, error=ErrorKind.PERMISSION_DENIED, times=9)
    report = export_metrics_to_cloud(conns, namespace="shop", metrics=gauges(150))
    lost, denied, good = report.destinations
    assert (lost.accepted, lost.unknown) == (50, 100)
    assert (denied.rejected, denied.dropped, denied.requests) == (100, 50, 1)
    assert good.accepted == 150
    with pytest.raises(MetricsError) as failed:
        report.raise_if_failed()
    assert failed.value.retryable


# --- batches -----------------------------------------------------------------------------------


@dataclass
class Recording:
    """An exporter that keeps what it is asked to send, and may do something else first."""

    repeats: Repeats = Repeats.KEPT_ONCE
    before: Callable[[int], None] = lambda _: None
    account: Callable[[int, int], Accounting] | None = None
    batches: list[int] = field(default_factory=list)
    spans: list[Any] = field(default_factory=list)

    def describe_metric_limits(self) -> Any:
        limits = Hook("unused").describe_metric_limits()
        return type(limits)(
            **{
                **{name: getattr(limits, name) for name in limits.__dataclass_fields__},
                "repeats": self.repeats,
            }
        )

    def check_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Sequence[Refusal]:
        return ()

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Accounting:
        self.spans.append(trace.get_current_span())
        self.batches.append(len(points))
        self.before(len(self.batches))
        if self.account is not None:
            return self.account(len(self.batches), len(points))
        return Accounting(given=len(points), accepted=len(points), requests=1)


RATIOS = dict.fromkeys(("slow", "quick", "bad", "good"), 1.0)


def send(exporter: Any, count: int, settled: Settled | None = None) -> Any:
    return send_all(exporter, gauges(count), settled=settled)


def send_all(
    exporter: Any,
    documents: list[dict[str, Any]],
    *,
    settled: Settled | None = None,
    on_invalid: OnInvalid = OnInvalid.DROP,
) -> Any:
    collected = read_given(documents, Collector())
    to = Destination(conn_id="c", cloud="memory", hook=exporter)
    options = ExportOptions(namespace="shop", on_invalid=on_invalid, ratios={"c": 1.0})
    return export(collected, [to], options, settled).destinations[0]


def test_where_repeats_count_twice_a_batch_is_a_request() -> None:
    exporter = Recording(repeats=Repeats.ADDED)
    assert send(exporter, 250).accepted == 250
    assert exporter.batches == [100, 100, 50]


def test_where_they_do_not_it_is_larger() -> None:
    exporter = Recording()
    assert send(exporter, 2500).accepted == 2500
    assert exporter.batches == [1000, 1000, 500]


def refusing(outcome: Outcome, kind: ErrorKind, accepted: int = 0) -> Callable[..., Accounting]:
    return lambda _, given: Accounting(
        given=given,
        accepted=accepted,
        refusals=(Refusal(outcome=outcome, kind=kind, reason="because", count=given - accepted),),
    )


@pytest.mark.parametrize(
    ("outcome", "kind", "accepted", "batches"),
    [
        (Outcome.REJECTED, ErrorKind.UNAUTHENTICATED, 0, 1),
        (Outcome.REJECTED, ErrorKind.NOT_FOUND, 0, 1),
        (Outcome.UNKNOWN, ErrorKind.UNAVAILABLE, 0, 2),
        (Outcome.REJECTED, ErrorKind.THROTTLED, 0, 2),
        (Outcome.DROPPED, ErrorKind.UNAVAILABLE, 30, 1),
        (Outcome.REJECTED, ErrorKind.THROTTLED, 30, 5),
        (Outcome.REJECTED, ErrorKind.INVALID_ARGUMENT, 0, 5),
    ],
)
def test_what_concerns_all_batches_ends_the_sending(
    outcome: Outcome, kind: ErrorKind, accepted: int, batches: int
) -> None:
    exporter = Recording(repeats=Repeats.ADDED, account=refusing(outcome, kind, accepted))
    found = send(exporter, 500)
    assert len(exporter.batches) == batches
    assert found.accepted == accepted * batches
    assert found.points_in == 500


def test_an_error_before_sending_is_the_destinations() -> None:
    def fail(_batch: int) -> None:
        raise CredentialsError("no token", kind=ErrorKind.UNAUTHENTICATED)

    found = send(Recording(repeats=Repeats.ADDED, before=fail), 250)
    assert (found.dropped, found.error, found.error_kind) == (250, "no token", "unauthenticated")


def test_a_task_is_stopped_between_two_batches() -> None:
    with cancellation.cancellable() as work:
        exporter = Recording(
            repeats=Repeats.ADDED,
            before=lambda batch: work.cancel("enough") if batch == 2 else None,
        )
        with pytest.raises(cancellation.WorkCancelledError):
            send(exporter, 1000)
    assert exporter.batches == [100, 100]


def test_one_that_hangs_does_not_hold_up_the_others() -> None:
    others = threading.Event()
    slow = Recording(before=lambda _: others.wait(10))  # type: ignore[arg-type]
    quick = Recording(before=lambda _: others.set())
    collected = read_given(gauges(1), Collector())
    report = export(
        collected,
        [
            Destination(conn_id="slow", cloud="", hook=slow),
            Destination(conn_id="quick", cloud="", hook=quick),
        ],
        ExportOptions(namespace="shop", ratios=RATIOS),
    )
    assert report.succeeded
    assert report.seconds < 5


def test_a_defect_costs_its_destination() -> None:
    def fail(_batch: int) -> None:
        raise ZeroDivisionError

    done: list[int] = []

    def later(_batch: int) -> None:
        time.sleep(0.05)
        done.append(1)

    good = Recording(before=later)
    report = export(
        read_given(gauges(1), Collector()),
        [
            Destination(conn_id="bad", cloud="", hook=Recording(before=fail)),
            Destination(conn_id="good", cloud="", hook=good),
        ],
        ExportOptions(namespace="shop", ratios=RATIOS),
    )
    assert done == [1]
    assert [(one.unknown, one.accepted) for one in report.destinations] == [(1, 0), (0, 1)]
    assert "ZeroDivisionError" in str(report.destinations[0].error)


# --- tries -------------------------------------------------------------------------------------


def test_a_later_try_sends_only_what_is_left() -> None:
    def second_is_lost(batch: int, given: int) -> Accounting:
        if batch == 2:
            return refusing(Outcome.UNKNOWN, ErrorKind.UNAVAILABLE)(batch, given)
        return Accounting(given=given, accepted=given, requests=1)

    settled: Settled = {}
    first = send(Recording(repeats=Repeats.ADDED, account=second_is_lost), 250, settled)
    assert (first.accepted, first.unknown) == (150, 100)
    again = Recording(repeats=Repeats.ADDED)
    second = send(again, 250, settled)
    assert again.batches == [100]
    assert (second.accepted, second.accepted_before, second.requests) == (250, 150, 1)


def test_what_can_never_be_accepted_is_not_sent_again_with_the_rest() -> None:
    settled: Settled = {}
    account = refusing(Outcome.REJECTED, ErrorKind.INVALID_ARGUMENT, 90)
    send(Recording(repeats=Repeats.ADDED, account=account), 100, settled)
    again = Recording(repeats=Repeats.ADDED)
    second = send(again, 100, settled)
    assert again.batches == []
    assert (second.accepted, second.accepted_before, second.rejected) == (90, 90, 10)


def test_what_may_be_accepted_later_is_sent_again() -> None:
    settled: Settled = {}
    for kind in (ErrorKind.THROTTLED, ErrorKind.UNAVAILABLE, ErrorKind.QUOTA):
        send(Recording(account=refusing(Outcome.REJECTED, kind, 90)), 100, settled)
    send(Recording(account=refusing(Outcome.REJECTED, ErrorKind.INVALID_ARGUMENT)), 100, settled)
    assert settled == {"c": {}}


class Store(dict[str, str]):
    """What outlives a try, as JSON."""

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(super().get(key) or json.dumps(default))

    def set(self, key: str, value: Any) -> None:
        self[key] = json.dumps(value)


@dataclass
class Packing(Recording):
    """One that packs requests by itself, in an order of its own, and is throttled after some."""

    requests: int = 0
    kept: list[int] = field(default_factory=list)

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Accounting:
        def request(batch: Sequence[Prepared[MetricPoint]]) -> Sequence[Reason | None]:
            numbers = [int(one.attributes["n"]) for item in batch for one in item.records]
            if not self.requests:
                raise MetricsError("slow down", kind=ErrorKind.THROTTLED)
            if 37 in numbers:  # It is refused as a whole, and sent again in halves.
                raise MetricsError("bad", kind=ErrorKind.INVALID_ARGUMENT)
            self.requests -= 1
            self.kept += numbers
            return [None] * len(batch)

        return send_items(
            points[::-1],
            lambda point: Prepared(name=point.name, records=(point,), size=1),
            request,
            name=lambda point: point.name,
            limits=BatchLimits(records=30),
            all_or_nothing=True,
        )


def test_what_was_accepted_of_a_batch_is_not_sent_again() -> None:
    """Though a hook makes several requests of it."""
    exporter, context = Packing(repeats=Repeats.ADDED), cast("Any", {"task_state_store": Store()})
    before = 0
    for exporter.requests in (2, 1, 1, 99, 99):
        settled = settled_before(cast("Any", None), context, "key")
        found = send(exporter, 100, settled)
        remember_settled(context, "key", settled)
        assert (found.accepted_before, found.accepted) == (before, len(exporter.kept))
        assert found.points_in == found.accepted + found.rejected + found.dropped == 100
        before = found.accepted
    assert sorted(exporter.kept) == [n for n in range(100) if n != 37]
    assert found.requests == 0


@pytest.mark.parametrize("repeats", list(Repeats))
def test_the_same_points_in_another_order_are_the_same_batches(repeats: Repeats) -> None:
    documents, settled = gauges(1250), Settled()
    for given in (documents, documents[::-1], documents[600:] + documents[:600]):
        exporter = Recording(repeats=repeats)
        found = send_all(exporter, given, settled=settled)
        assert found.accepted == 1250
    assert (exporter.batches, found.accepted_before) == ([], 1250)


def _merging(space: str) -> Any:
    """A hook whose cloud can't tell dots from underlines."""

    class Merging(Hook):
        def check_points(self, points: Any, *, namespace: str) -> Any:
            return check_items(points, self.preparing(), name=name_of)

        def export_points(self, points: Any, *, namespace: str) -> Accounting:
            return send_items(
                points,
                self.preparing(),
                self.request,
                name=name_of,
                limits=BatchLimits(records=100),
                all_or_nothing=False,
            )

        def preparing(self) -> Any:
            return each_series_apart(
                lambda one: Prepared(name=name_of(one), records=(one,), size=1),
                lambda one: (one.name, *(key.replace(".", "_") for key in one.attributes)),
            )

        def request(self, batch: Any) -> list[Reason | None]:
            if self.throttled:
                raise MetricsError("slow down", kind=ErrorKind.THROTTLED)
            self.throttled = self.then_throttled
            self.sent += [one.name for one in batch]
            return [None] * len(batch)

        sent: list[str]
        throttled = then_throttled = False

    made = Merging(space)
    made.sent = []
    return made


def _two_that_merge() -> list[dict[str, Any]]:
    first = {"name": "a", "value": 1, "attributes": {"cloud.region": 1}, "time": NOW}
    later = {**first, "attributes": {"cloud_region": 1}, "time": NOW + timedelta(seconds=9)}
    between = [{"name": f"b{n}", "value": 1, "time": NOW} for n in range(1200)]
    return [first, *between, later]


def test_series_that_a_cloud_would_merge_are_told_over_all_batches() -> None:
    hook = _merging("merging")
    found = send_all(hook, _two_that_merge())
    assert (found.accepted, found.dropped) == (1201, 1)
    (refusal,) = found.refusals
    assert refusal.samples == ("a{cloud_region=1}",)
    assert "the same series there" in refusal.reason
    with pytest.raises(MetricsError, match="the same series there"):
        send_all(_merging("merging"), _two_that_merge(), on_invalid=OnInvalid.FAIL)


def test_they_are_told_from_those_that_an_earlier_try_has_settled() -> None:
    hook, settled = _merging("merging"), Settled()
    documents = [*_two_that_merge(), {"name": "c", "value": 1, "time": NOW + timedelta(seconds=9)}]
    hook.then_throttled = True
    first = send_all(hook, documents, settled=settled)
    assert 0 < first.accepted < 1000
    hook.throttled = hook.then_throttled = False
    again = send_all(hook, documents, settled=settled)
    assert (again.accepted, again.dropped) == (1202, 1)
    assert again.accepted_before == first.accepted
    assert len(hook.sent) == len({*hook.sent}) == 1202
    assert "a{cloud_region=1}" not in hook.sent


def test_as_much_as_there_is_room_for_is_remembered() -> None:
    """What takes little room first, the newest of it; a large account costs itself."""
    plain = {f"{n:032}": Accounting(given=9, accepted=9) for n in range(3000)}
    part = PartlySettled(given=1, accepted=1, places=tuple(range(20_000)))
    context = cast("Any", {"task_state_store": Store()})
    few = {"first": part, **dict([*plain.items()][:5])}
    remember_settled(context, "key", {"c": few})
    assert [*settled_before(cast("Any", None), context, "key")["c"]] == [*few][:0:-1]
    remember_settled(context, "key", {"c": {**plain, "part": part, "new": plain[f"{0:032}"]}})
    kept_ones = settled_before(cast("Any", None), context, "key")["c"]
    assert [*kept_ones][:2] == ["new", f"{2999:032}"]
    assert 1000 < len(kept_ones) < 2000


def test_what_a_try_asks_for_is_newer_than_what_it_does_not() -> None:
    settled = Settled()
    send(Recording(), 2, settled)
    send(Recording(), 3, settled)
    digests = [*settled["c"]]
    send(Recording(), 2, settled)
    assert [*settled["c"]] == digests[::-1]


@pytest.mark.parametrize("places", [(0, 0), (5,), (-1,), ()])
def test_what_is_remembered_of_another_batch_is_not_used(places: tuple[int, ...]) -> None:
    settled: Settled = {"c": {}}
    send(Recording(repeats=Repeats.ADDED), 2, settled)
    (digest,) = settled["c"]
    settled["c"][digest] = PartlySettled(given=1, accepted=1, places=places)
    again = Recording(repeats=Repeats.ADDED)
    found = send(again, 2, settled)
    assert (again.batches, found.accepted, found.accepted_before) == ([2], 2, 0)


def test_a_batch_is_known_by_all_that_is_in_it() -> None:
    def digest(place: str = "a", **changed: Any) -> str:
        document = {"name": "m", "value": 1, "time": NOW, "attributes": {"a": "1"}, **changed}
        return digest_of((place,), read_given([document], Collector(NOW)).points)

    others = [
        digest("b"),
        digest(name="n"),
        digest(value=2),
        digest(unit="s"),
        digest(time=NOW - timedelta(microseconds=1)),
        digest(attributes={"a": 1}),
        digest(attributes={"a": "1", "b": "2"}),
        digest(type="counter"),
    ]
    assert digest() == digest()
    assert len({digest(), *others}) == len(others) + 1
