"""Every point is accounted for, whatever becomes of it."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with what it exported

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest

from airflow_multicloud.errors import CredentialsError, ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import ConversionKind, Outcome
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Counter,
    MetricQuery,
    Repeats,
    Temporality,
)
from airflow_multicloud.testing.contracts.deliveries import check_wrong_credentials
from airflow_multicloud.testing.contracts.metrics.bad_points import BAD, HOSTILE
from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRig
from airflow_multicloud.testing.delivery_faults import (
    DeliveryCall,
    DeliveryFault,
    DeliveryFaultKind,
)


class AccountContract:
    """``given = accepted + rejected + unknown + dropped``, and each figure is true."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_nothing(self, metrics_rig: MetricsRig) -> None:
        """No points, no request."""
        told = metrics_rig.export()
        assert (told.given, told.accepted, told.requests) == (0, 0, 0)

    @pytest.mark.parametrize("what", BAD)
    def test_a_bad_point_costs_itself(self, metrics_rig: MetricsRig, what: str) -> None:
        """It is dropped for a reason that can be shown anywhere; the others are there."""
        bad, good = BAD[what](metrics_rig), metrics_rig.point()
        told = metrics_rig.export(good, bad)
        assert (told.given, told.accepted, told.dropped) == (2, 1, 1)
        (refusal,) = told.refusals
        assert refusal.kind is ErrorKind.INVALID_ARGUMENT
        assert refusal.reason.isprintable()
        assert all(sample.isprintable() and len(sample) <= 1000 for sample in refusal.samples)
        assert metrics_rig.read_one().total == 1.0

    @pytest.mark.parametrize("what", BAD)
    def test_it_is_told_before_anything_is_sent(self, metrics_rig: MetricsRig, what: str) -> None:
        """By the same words, and without sending the others."""
        points = [metrics_rig.point(), BAD[what](metrics_rig)]
        told = metrics_rig.hook.check_points(points, namespace=metrics_rig.namespace)
        assert [refusal.outcome for refusal in told] == [Outcome.DROPPED]
        assert metrics_rig.read() == ()
        assert metrics_rig.export(*points).refusals == told

    def test_too_old_and_too_new(self, metrics_rig: MetricsRig) -> None:
        """As the limits say; where they say nothing, every time is taken."""
        limits = metrics_rig.hook.describe_metric_limits()
        points = []
        if limits.oldest is not None:
            points.append(metrics_rig.point(time=metrics_rig.now - limits.oldest))
        if limits.newest is not None:
            later = metrics_rig.now + limits.newest + timedelta(minutes=10)
            points.append(metrics_rig.point(time=later))
        told = metrics_rig.export(*points)
        assert told.dropped == len(points)
        assert all(refusal.reason.startswith("time: ") for refusal in told.refusals)

    @pytest.mark.parametrize("size", [2_000, 100_000])
    def test_long_texts(self, metrics_rig: MetricsRig, size: int) -> None:
        """Dropped, or cut and told, by the limits; no report is as long as they are."""
        limits = metrics_rig.hook.describe_metric_limits()
        told = metrics_rig.export(
            metrics_rig.point("n" * size),
            metrics_rig.point("long.attribute", attributes={"a": "v" * size}),
            metrics_rig.point("long.attribute.name", attributes={"a" * size: "v"}),
        )
        assert told.rejected == told.unknown == 0
        changed = sum(conversion.count for conversion in told.conversions)
        longest = (
            limits.longest_name,
            limits.longest_attribute_value,
            limits.longest_attribute_name,
        )
        assert told.dropped + changed >= sum(size > most for most in longest)
        assert len(repr(told)) < 10_000

    def test_hostile_values(self, metrics_rig: MetricsRig) -> None:
        """A value may hold anything; what shows it does so safely."""
        told = metrics_rig.export(metrics_rig.point(attributes={"a": HOSTILE, "b": "=1+1"}))
        assert told.accepted + told.dropped == 1
        samples = [
            *(one.samples for one in told.refusals),
            *(one.samples for one in told.conversions),
        ]
        assert all(sample.isprintable() for shown in samples for sample in shown)

    def test_more_than_one_request_takes(self, metrics_rig: MetricsRig) -> None:
        """All are there, in as many requests as the limits ask for."""
        limits = metrics_rig.hook.describe_metric_limits()
        count = limits.points_per_request * 2 + 1
        told = metrics_rig.export(*metrics_rig.points(count))
        assert (told.given, told.accepted, told.refusals) == (count, count, ())
        assert told.requests >= 3
        found = [
            one for number in range(10) for one in metrics_rig.read(f"multicloud.many.{number}")
        ]
        assert len(found) == count
        assert sum(one.total for one in found) == sum(range(count))

    def test_names_that_must_be_changed_are_told(self, metrics_rig: MetricsRig) -> None:
        """A name is kept, or its change is in the account; it is found by the name given."""
        name = "Größe of/things, in %"
        told = metrics_rig.export(metrics_rig.point(name))
        if told.accepted:
            assert metrics_rig.read_one(name).total == 1.0
        else:
            assert told.dropped == 1

    def test_two_names_that_become_one(self, metrics_rig: MetricsRig) -> None:
        """Attributes that would get the same name do not overwrite each other silently."""
        told = metrics_rig.export(metrics_rig.point(attributes={"a.b": "1", "a_b": "2"}))
        if told.accepted:
            kept = set(metrics_rig.read_one().attributes.values())
            lost = any(one.what is ConversionKind.ATTRIBUTE_LOST for one in told.conversions)
            assert kept >= {"1", "2"} or lost
        else:
            assert told.dropped == 1

    def test_two_series_that_become_one(self, metrics_rig: MetricsRig) -> None:
        """Neither takes the other's place, or is added to it, and counts as accepted."""
        pairs: tuple[tuple[AttributeValue, AttributeValue], ...] = ((True, "true"), (7, "7"))
        for number, values in enumerate(pairs):
            name = f"multicloud.one.{number}"
            told = metrics_rig.export(
                *(metrics_rig.point(name, attributes={"k": value}) for value in values)
            )
            assert told.accepted + told.dropped == len(values)
            found = metrics_rig.read(name)
            assert (len(found), sum(one.count for one in found)) == (told.accepted, told.accepted)

    def test_the_same_again(self, metrics_rig: MetricsRig) -> None:
        """A second export of the same points does to them what the limits say."""
        limits = metrics_rig.hook.describe_metric_limits()
        point = metrics_rig.point(
            data=Counter(5.0, Temporality.DELTA), start=metrics_rig.now - timedelta(minutes=1)
        )
        for _ in range(2):
            told = metrics_rig.export(point)
            assert (told.accepted, told.refusals) == (1, ())
        total = sum(one.total for one in metrics_rig.read())
        assert total == (5.0 if limits.repeats is Repeats.KEPT_ONCE else 10.0)


class FaultContract:
    """What a service refuses, loses and forgets is in the account."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_some_are_rejected(self, metrics_rig: MetricsRig) -> None:
        """Exactly those; the others are there."""
        fault = DeliveryFault(kind=DeliveryFaultKind.REJECT, name="many.3")
        metrics_rig.plant([fault])
        told = metrics_rig.export(*metrics_rig.points(60))
        assert (told.accepted, told.rejected, told.unknown, told.dropped) == (54, 6, 0, 0)
        assert all(refusal.samples for refusal in told.refusals)
        assert metrics_rig.read("multicloud.many.3") == ()
        assert len(metrics_rig.read("multicloud.many.4")) == 6

    def test_a_lost_answer(self, metrics_rig: MetricsRig) -> None:
        """It is unknown, or was made sure of; nothing counts twice."""
        metrics_rig.plant([DeliveryFault(kind=DeliveryFaultKind.LOSE_ANSWER)])
        told = metrics_rig.export(
            metrics_rig.point(
                data=Counter(5.0, Temporality.DELTA),
                start=metrics_rig.now - timedelta(minutes=1),
            )
        )
        assert told.accepted + told.unknown == 1
        assert sum(one.total for one in metrics_rig.read()) == 5.0

    def test_a_lost_request(self, metrics_rig: MetricsRig) -> None:
        """It is unknown, unless it was sent again; what is accepted is there."""
        metrics_rig.plant([DeliveryFault(kind=DeliveryFaultKind.LOSE_REQUEST)])
        told = metrics_rig.export(metrics_rig.point())
        assert told.accepted + told.unknown == 1
        assert len(metrics_rig.read()) == told.accepted

    @pytest.mark.parametrize("kind", [ErrorKind.PERMISSION_DENIED, ErrorKind.QUOTA])
    def test_refused_for_good(self, metrics_rig: MetricsRig, kind: ErrorKind) -> None:
        """All of them are accounted for by that kind, and none is there."""
        fault = DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=kind, times=100)
        metrics_rig.plant([fault])
        told = metrics_rig.export(*metrics_rig.points(5, metrics=1))
        assert (told.accepted, told.rejected) == (0, 5)
        assert {refusal.kind for refusal in told.refusals} == {kind}
        metrics_rig.plant([])
        assert metrics_rig.read("multicloud.many.0") == ()

    def test_throttled_for_a_moment(self, metrics_rig: MetricsRig) -> None:
        """The client waits and sends again, as its SDK does."""
        fault = DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=ErrorKind.THROTTLED)
        metrics_rig.plant([fault])
        told = metrics_rig.export(metrics_rig.point())
        assert (told.accepted, told.refusals) == (1, ())
        assert len(metrics_rig.read()) == 1

    def test_a_batch_of_many_is_lost(self, metrics_rig: MetricsRig) -> None:
        """Only that batch is unknown; what is accepted is there."""
        per_request = metrics_rig.hook.describe_metric_limits().points_per_request
        fault = DeliveryFault(kind=DeliveryFaultKind.LOSE_REQUEST, after=1)
        metrics_rig.plant([fault])
        told = metrics_rig.export(*metrics_rig.points(per_request * 3, metrics=1))
        assert told.rejected == told.dropped == 0
        assert told.unknown in (0, per_request)
        metrics_rig.plant([])
        assert len(metrics_rig.read("multicloud.many.0")) == told.accepted

    def test_what_concerns_all_ends_it(self, metrics_rig: MetricsRig) -> None:
        """No further request is sent that would be refused likewise."""
        per_request = metrics_rig.hook.describe_metric_limits().points_per_request
        fault = DeliveryFault(
            kind=DeliveryFaultKind.REFUSE, error=ErrorKind.PERMISSION_DENIED, times=100
        )
        metrics_rig.plant([fault])
        told = metrics_rig.export(*metrics_rig.points(per_request * 2, metrics=1))
        assert (told.accepted, told.rejected, told.dropped) == (0, per_request, per_request)
        assert told.requests == 1

    def test_reading_fails(self, metrics_rig: MetricsRig) -> None:
        """With an error of this area, that says its kind."""
        fault = DeliveryFault(
            kind=DeliveryFaultKind.REFUSE,
            call=DeliveryCall.READ,
            error=ErrorKind.PERMISSION_DENIED,
            times=100,
        )
        metrics_rig.export(metrics_rig.point())
        metrics_rig.plant([fault])
        query = MetricQuery(
            name="multicloud.tested",
            namespace=metrics_rig.namespace,
            since=metrics_rig.now,
            until=metrics_rig.now + timedelta(minutes=1),
        )
        with pytest.raises(MetricsError) as caught:
            metrics_rig.hook.read_points(query)
        assert caught.value.kind is ErrorKind.PERMISSION_DENIED
        assert caught.value.cloud == metrics_rig.spec.cloud


class RefusedCredentialsContract:
    """Credentials that the cloud refuses."""

    needs: ClassVar[tuple[type, ...]] = (CredentialsError,)

    def test_wrong_credentials(self, metrics_rig: MetricsRig) -> None:
        """An error of credentials, or an account of it: never a success."""
        hook = metrics_rig.open_refused()
        check_wrong_credentials(
            lambda: hook.export_points([metrics_rig.point()], namespace=metrics_rig.namespace),
            cloud=metrics_rig.spec.cloud,
        )
