"""A figure: an amount with all that a reader must know to trust it."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from airflow_multicloud.core.cost.money import CostBasis, CostPeriod, exact_sum
from airflow_multicloud.errors import CostAnalysisError, ErrorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How complete the bill is behind a figure.

    :param final: every billing period asked for is closed; else the figure is an estimate
        that the cloud may still restate.
    :param days_asked: days of the period.
    :param days_covered: those of them with usage that were over when the cloud exported.
    :param exported_at: data as of: the oldest export behind the figure, of months that are not
        final if there are any; ``None``: no export.
    :param days_counted: days that the bill speaks of, used or not: every day of a final month;
        else those that were over when the cloud exported, up to the last one with usage, and
        later ones that were over for two days.
    """

    final: bool
    days_asked: int
    days_covered: int
    exported_at: datetime | None
    days_counted: int = 0

    @property
    def complete(self) -> bool:
        """Whether every day asked for is covered."""
        return self.days_covered >= self.days_asked

    def __str__(self) -> str:
        state = "final" if self.final else "estimated"
        as_of = f", as of {self.exported_at:%Y-%m-%d %H:%M}Z" if self.exported_at else ""
        return f"{state}, {self.days_covered} of {self.days_asked} days{as_of}"

    def __or__(self, other: Coverage) -> Coverage:
        """The coverage of a figure made of two: only as good as the worse of them."""
        known = [at for at in (self.exported_at, other.exported_at) if at is not None]
        return Coverage(
            final=self.final and other.final,
            days_asked=max(self.days_asked, other.days_asked),
            days_covered=min(self.days_covered, other.days_covered),
            exported_at=min(known, default=None),
            days_counted=min(self.days_counted, other.days_counted),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FxNote:
    """Which exchange rates are in a figure.

    :param currencies: converted from.
    :param oldest: the earliest day a rate used is of, in the source's calendar.
    :param newest: the latest.
    :param stale: charge days after the end of the rates' file took its last rate.
    """

    source: str
    currencies: tuple[str, ...]
    oldest: date
    newest: date
    stale: bool = False

    def __str__(self) -> str:
        days = str(self.oldest) if self.oldest == self.newest else f"{self.oldest} … {self.newest}"
        stale = ", stale" if self.stale else ""
        return f"{', '.join(self.currencies)} at {self.source} rates of {days}{stale}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One amount, unrounded.

    :param fx: ``None`` when nothing was converted.
    :param by: whether it is of charge days or of billing periods.
    :param without: amounts that are not in it, as no rate converts them, like ``12.00 TWD``.
    """

    amount: Decimal
    currency: str
    basis: CostBasis
    coverage: Coverage
    fx: FxNote | None = None
    without: tuple[str, ...] = ()
    by: CostPeriod = CostPeriod.CHARGE_DAY

    @property
    def estimated(self) -> bool:
        """Whether the amount may still change."""
        return not self.coverage.final

    def rounded(self, places: int = 2) -> Decimal:
        """For a reader; half-even."""
        return self.amount.quantize(Decimal(1).scaleb(-places))

    def __str__(self) -> str:
        fx = f"; {self.fx}" if self.fx else ""
        without = f"; without {', '.join(self.without)}: no rate" if self.without else ""
        return (
            f"{self.rounded()} {self.currency} {self.basis} by {self.by.words} "
            f"({self.coverage}{fx}{without})"
        )


def add_figures(figures: Sequence[Figure]) -> Figure:
    """The sum of figures of one currency and basis.

    :raises CostAnalysisError: kind ``invalid_argument`` when they are mixed, or there is none.
    """
    kinds = sorted({f"{f.currency} {f.basis} by {f.by.words}" for f in figures})
    if len(kinds) != 1:
        raise CostAnalysisError(
            f"figures can only be added in one currency and basis, got: {', '.join(kinds) or '-'}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    notes = [figure.fx for figure in figures if figure.fx]
    return Figure(
        amount=exact_sum([figure.amount for figure in figures]),
        currency=figures[0].currency,
        basis=figures[0].basis,
        by=figures[0].by,
        coverage=functools.reduce(operator.or_, (figure.coverage for figure in figures)),
        fx=FxNote(
            source=notes[0].source,
            currencies=tuple(sorted({c for note in notes for c in note.currencies})),
            oldest=min(note.oldest for note in notes),
            newest=max(note.newest for note in notes),
            stale=any(note.stale for note in notes),
        )
        if notes
        else None,
        without=tuple(amount for figure in figures for amount in figure.without),
    )
