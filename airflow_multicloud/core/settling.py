"""What of a portion need not be sent again by a later try, since its answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from airflow_multicloud.adapters.tallies import Tally
from airflow_multicloud.core.deliveries import PartlySettled
from airflow_multicloud.ports.accounting import Accounting, is_final

T = TypeVar("T")


def items_left(items: Sequence[T], known: Accounting) -> Sequence[T]:
    """The items of a portion that are sent again; all of them when what is known is not of it.

    :param known: what an earlier try has settled of them.
    """
    if not isinstance(known, PartlySettled):
        return () if known.given == len(items) else items
    places = known.places
    sound = {*places} <= {*range(len(items))} and len({*places}) == len(places)
    return [items[at] for at in places] if sound and _fits(items, known) else items


def settled_of(
    items: Sequence[T], account: Accounting, before: Accounting | None
) -> Accounting | None:
    """What is settled of a portion now; ``None`` when nothing was accepted.

    A hook may send a portion in several requests, of which some are accepted and others are not:
    what was accepted is settled where it tells which items are left.

    :param account: of what was sent.
    :param before: what earlier tries had settled, when only the rest was sent.
    """
    left = _places(items, account)
    if not account.accepted or left is None:
        return None
    tally = Tally()
    tally.add_refusals(one for one in account.refusals if is_final(one.outcome, one.kind))
    accepted = account.accepted
    if before is not None:
        tally.add_refusals(before.refusals)
        accepted += before.accepted
    given, told = len(items) - len(left), tally.refusals
    if accepted + sum(one.count for one in told) != given:
        return None
    if not left:
        return Accounting(given=given, accepted=accepted, refusals=told)
    return PartlySettled(given=given, accepted=accepted, refusals=told, places=left)


def _places(items: Sequence[T], account: Accounting) -> tuple[int, ...] | None:
    """Where those items are that are left; ``None`` when it is not told which."""
    if all(is_final(one.outcome, one.kind) for one in account.refusals):
        return ()
    if account.left is None:
        return None
    places = {id(item): at for at, item in enumerate(items)}
    found = [places.get(id(item)) for item in account.left]
    return None if None in found else tuple(sorted(at for at in found if at is not None))


def _fits(items: Sequence[T], known: PartlySettled) -> bool:
    return known.given + len(known.places) == len(items)
