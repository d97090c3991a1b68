"""Whether enough of what was delivered was accepted, and whether a retry can help where not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airflow_multicloud.core.deliveries import Delivery
from airflow_multicloud.documents import Documented
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.accounting import Refusal

#: The least share of accepted items: one for all destinations, or by connection id.
Ratios = float | Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall(Documented):
    """A destination that accepted too little.

    :param ratio: the share that it accepted.
    :param needed: the least.
    :param kind: of what cost most; its ``retryable`` says whether a retry can help.
    :param why: in words.
    """

    conn_id: str
    ratio: float
    needed: float
    kind: ErrorKind
    why: str

    def __str__(self) -> str:
        """The shortfall in one line."""
        return f"{self.conn_id}: {self.why}"


def check_ratios(
    given: object, conn_ids: Sequence[str], *, error: type[CloudError]
) -> Mapping[str, float]:
    """The least share of each destination.

    :param given: one number from 0 to 1, or some by connection id, where 1 holds for the others;
        numbers may be texts, as templates render to texts.
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


def shortfalls(
    deliveries: Sequence[Delivery], needed: Mapping[str, float]
) -> tuple[Shortfall, ...]:
    """The destinations that accepted too little, or could not be used at all.

    A retry can help where enough would have been accepted but for causes that pass by.

    :param needed: as :func:`check_ratios` gives it.
    """
    return tuple(
        _shortfall(one, needed[one.conn_id])
        for one in deliveries
        if one.error is not None or _short(one.accepted, one, needed[one.conn_id])
    )


def error_of(short: Sequence[Shortfall], *, error: type[CloudError]) -> CloudError | None:
    """What a task fails with; retryable if a retry can help any destination.

    :param error: its class.
    """
    if not short:
        return None
    worst = next((one for one in short if one.kind.retryable), short[0])
    return error("; ".join(map(str, short)), kind=worst.kind)


def _ratio(parameter: str, given: object, error: type[CloudError]) -> float:
    try:
        ratio = float(given) if isinstance(given, int | float | str) else math.nan
    except ValueError:
        ratio = math.nan
    if isinstance(given, bool) or not 0 <= ratio <= 1:
        raise error(
            f"{parameter}: {given!r} given, expected a number from 0 to 1",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return ratio


def _short(accepted: int, of: Delivery, needed: float) -> bool:
    return accepted < of.given and accepted / of.given < needed


def _shortfall(one: Delivery, needed: float) -> Shortfall:
    passing = sum(refusal.count for refusal in one.refusals if refusal.kind.retryable)
    kind = _kind(one, helps=not _short(one.accepted + passing, one, needed))
    told = f"{one.accepted} of {one.given} accepted, expected {100 * needed:.4g} %"
    if one.error is not None:
        told += f"; {one.error_kind}: {one.error}"
    elif one.refusals:
        most = max(one.refusals, key=lambda refusal: refusal.count)
        told += f"; {_told(most)}"
        if len(one.refusals) > 1:
            told += f" (and {len(one.refusals) - 1} other reasons)"
    return Shortfall(
        conn_id=one.conn_id, ratio=one.success_ratio, needed=needed, kind=kind, why=told
    )


def _kind(one: Delivery, *, helps: bool) -> ErrorKind:
    """The kind of what cost most among what a retry can mend, or else among what it can't."""
    kinds = [r.kind for r in sorted(one.refusals, key=lambda r: -r.count)]
    if one.error_kind is not None:
        kinds.insert(0, one.error_kind)
        helps = helps and one.error_kind.retryable
    return next((kind for kind in kinds if kind.retryable is helps), ErrorKind.INVALID_ARGUMENT)


def _told(refusal: Refusal) -> str:
    sample = f", such as {refusal.samples[0]!r}" if refusal.samples else ""
    return f"{refusal.count} {refusal.outcome}: {refusal.kind}: {refusal.reason}{sample}"
