"""Batches of services that refuse a whole request for one bad record."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.adapters.batches import BatchLimits, Prepared, send_items
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import Accounting


def sent(items: Sequence[int], bad: Callable[[int], bool], *, most: int = 1000) -> Accounting:
    def send(batch: Sequence[Prepared[int]]) -> Sequence[Reason | None]:
        if any(bad(record) for one in batch for record in one.records):
            raise MetricsError("no", kind=ErrorKind.INVALID_ARGUMENT, code="no")
        return [None] * len(batch)

    return send_items(
        items,
        lambda item: Prepared(name=str(item), records=(item,), size=1),
        send,
        name=str,
        limits=BatchLimits(records=most),
        all_or_nothing=True,
    )


@given(bad=st.sets(st.integers(0, 299), max_size=150), most=st.integers(1, 300))
def test_a_bad_record_costs_itself(bad: set[int], most: int) -> None:
    told = sent(range(300), bad.__contains__, most=most)
    assert (told.accepted, told.rejected) == (300 - len(bad), len(bad))


@pytest.mark.parametrize("count", [1000, 5000])
def test_what_refuses_everything_is_not_asked_for_each(count: int) -> None:
    """A place that is about to be deleted, say: its refusal is the same for all."""
    told = sent(range(count), lambda _: True)
    assert (told.accepted, told.rejected) == (0, count)
    assert told.requests < 500


def test_many_bad_ones_among_good_ones_cost_themselves() -> None:
    told = sent(range(5000), lambda item: item > 10 and item % 3 > 0)
    assert told.accepted == 5000 - sum(item > 10 and item % 3 > 0 for item in range(5000))


def test_an_answer_that_breaks_the_client_costs_its_batch(caplog: pytest.LogCaptureFixture) -> None:
    """Those before it and after it are accounted for."""

    def send(batch: Sequence[Prepared[int]]) -> Sequence[Reason | None]:
        if batch[0].records[0] == 10:
            raise ValueError("Invalid HTTP date: \x1b[31msoon")
        return [None] * len(batch)

    told = send_items(
        range(30),
        lambda item: Prepared(name=str(item), records=(item,), size=1),
        send,
        name=str,
        limits=BatchLimits(records=10),
        all_or_nothing=False,
    )
    assert (told.accepted, told.unknown) == (20, 10)
    assert [one.kind for one in told.refusals] == [ErrorKind.INTEGRITY]
    assert "\x1b" not in caplog.text
    assert "Invalid HTTP date" in caplog.text
