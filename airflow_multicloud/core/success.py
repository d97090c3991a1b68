"""How much of what is delivered must be accepted, and whether a retry can help where it was not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from airflow_multicloud.core.deliveries import Delivery
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.accounting import Refusal
from airflow_multicloud.text import given_text

#: The least share of accepted items: one for all destinations, or by connection id.
Ratios = float | Mapping[str, float]

#: So many reasons are told in an error.
_TOLD = 3


def check_ratios(
    given: object, conn_ids: Sequence[str], *, error: type[CloudError]
) -> Mapping[str, float]:
    """The least share of each destination.

    :param given: one number from 0 to 1, or some by connection id, where 1 holds for the others;
        numbers may be texts, as templates render to texts. 0 does not excuse a destination that
        can't be used.
    :param error: the class of what is raised.
    :raises CloudError: kind ``invalid_argument``.
    """
    if not isinstance(given, Mapping):
        return dict.fromkeys(conn_ids, _ratio("min_success_ratio", given, error))
    if unknown := sorted(str(name) for name in given if name not in conn_ids):
        raise error(
            f"min_success_ratio: {', '.join(unknown)} given, which are no destinations; allowed: "
            f"{', '.join(conn_ids)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return {
        name: _ratio(f"min_success_ratio[{name}]", given.get(name, 1.0), error) for name in conn_ids
    }


def why_not_enough(deliveries: Sequence[Delivery]) -> tuple[str, ErrorKind] | None:
    """What to say of the destinations that did not succeed, and the kind of it.

    The kind is retryable where a retry can help one of them: enough would have been accepted but
    for causes that pass by.
    """
    failed = [one for one in deliveries if not one.succeeded]
    if not failed:
        return None
    kinds = [_kind(one) for one in failed]
    kind = next((kind for kind in kinds if kind.retryable), kinds[0])
    return "; ".join(map(_told, failed)), kind


def reasons(refusals: Sequence[Refusal]) -> str:
    """The most frequent reasons, with a name each."""
    most = sorted(refusals, key=lambda one: -one.count)
    more = [f"{len(most) - _TOLD} more reasons"] if len(most) > _TOLD else []
    return "; ".join([*map(_reason, most[:_TOLD]), *more])


def _reason(one: Refusal) -> str:
    sample = f" (such as {one.samples[0]})" if one.samples else ""
    return f"{one.count} {one.outcome}: {one.kind}: {one.reason}{sample}"


def _told(one: Delivery) -> str:
    if one.error is not None:
        return f"{one.conn_id}: {one.error_kind}: {one.error}"
    needed = f"{100 * one.min_success_ratio:.4g} %"
    return (
        f"{one.conn_id}: {one.accepted} of {one.given} accepted, expected {needed}: "
        f"{reasons(one.refusals)}"
    )


def _kind(one: Delivery) -> ErrorKind:
    """The kind of what cost most among what a retry can mend, or else among what it can't."""
    passing = sum(refusal.count for refusal in one.refusals if refusal.kind.retryable)
    helps = one.would_succeed(one.accepted + passing)
    kinds = [refusal.kind for refusal in sorted(one.refusals, key=lambda it: -it.count)]
    if one.error_kind is not None:
        kinds.insert(0, one.error_kind)
        helps = helps and one.error_kind.retryable
    return next((kind for kind in kinds if kind.retryable is helps), ErrorKind.INVALID_ARGUMENT)


def _ratio(parameter: str, given: object, error: type[CloudError]) -> float:
    try:
        ratio = float(given) if isinstance(given, int | float | str) else math.nan
    except ValueError:
        ratio = math.nan
    if isinstance(given, bool) or not 0 <= ratio <= 1:
        raise error(
            f"{parameter}: {given_text(given)} given, expected a number from 0 to 1",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return ratio
