"""What of a portion is sent again, after what earlier tries have settled."""

from __future__ import annotations

import pytest

from airflow_multicloud.core.deliveries import PartlySettled
from airflow_multicloud.core.settling import items_left, settled_of
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import Accounting, Outcome, Refusal

ITEMS = ["a", "b", "c", "d"]


def refusal(count: int, *, outcome: Outcome = Outcome.REJECTED, kind: ErrorKind) -> Refusal:
    return Refusal(outcome=outcome, kind=kind, reason="so", count=count)


def test_all_that_was_accepted_is_not_sent_again() -> None:
    now = settled_of(ITEMS, Accounting(given=4, accepted=4), None)
    assert now is not None
    assert items_left(ITEMS, now) == ()


def test_only_what_is_left_is_sent_again() -> None:
    account = Accounting(
        given=4,
        accepted=2,
        refusals=(refusal(2, kind=ErrorKind.THROTTLED),),
        left=(ITEMS[3], ITEMS[1]),
    )
    now = settled_of(ITEMS, account, None)
    assert now is not None
    assert items_left(ITEMS, now) == ["b", "d"]
    later = settled_of(ITEMS, Accounting(given=2, accepted=2), now)
    assert later == Accounting(given=4, accepted=4)


def test_where_it_is_not_told_which_are_left_all_are() -> None:
    account = Accounting(
        given=4,
        accepted=3,
        refusals=(refusal(1, outcome=Outcome.UNKNOWN, kind=ErrorKind.UNAVAILABLE),),
    )
    assert settled_of(ITEMS, account, None) is None


@pytest.mark.parametrize(
    "known",
    [
        Accounting(given=3, accepted=3),
        Accounting(given=5, accepted=5),
        PartlySettled(given=3, accepted=3, places=(1, 1)),
        PartlySettled(given=3, accepted=3, places=(4,)),
        PartlySettled(given=3, accepted=3, places=(-1,)),
        PartlySettled(given=2, accepted=2, places=(1,)),
    ],
)
def test_what_can_not_be_of_this_portion_settles_nothing(known: Accounting) -> None:
    """What a store has is data: somebody else may have written it."""
    assert items_left(ITEMS, known) == ITEMS
