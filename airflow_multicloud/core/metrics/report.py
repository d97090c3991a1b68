"""What became of an export, destination by destination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import Accounting, Conversion, Refusal
from airflow_multicloud.text import duration_text

#: So many reasons are told in an error, each with so many names.
_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationExport(Documented):
    """One destination's account: ``points_in = accepted + rejected + unknown + dropped``.

    :param cloud: none when its connection can't be used.
    :param account: of all points that were given, also of those that could not be read.
    :param accepted_before: how many of the accepted ones an earlier try of the task had accepted:
        they were not sent again.
    :param min_success_ratio: which share must be accepted.
    :param error: why nothing could be sent.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=(
            "conn_id",
            "cloud",
            "succeeded",
            "points_in",
            "accepted",
            "rejected",
            "unknown",
            "dropped",
            "accepted_before",
            "success_ratio",
            "min_success_ratio",
            "refusals",
            "conversions",
            "requests",
            "seconds",
            "error_kind",
            "error",
        )
    )

    conn_id: str
    cloud: str | None
    account: Accounting
    accepted_before: int = 0
    min_success_ratio: float = 1.0
    seconds: float = 0.0
    error_kind: ErrorKind | None = None
    error: str | None = None

    @property
    def points_in(self) -> int:
        """How many points were given."""
        return self.account.given

    @property
    def accepted(self) -> int:
        """How many the cloud says it has taken."""
        return self.account.accepted

    @property
    def rejected(self) -> int:
        """How many the cloud refused."""
        return self.account.rejected

    @property
    def unknown(self) -> int:
        """Of how many nobody knows whether the cloud has them."""
        return self.account.unknown

    @property
    def dropped(self) -> int:
        """How many were not sent."""
        return self.account.dropped

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """All that were not accepted, by reason."""
        return self.account.refusals

    @property
    def conversions(self) -> tuple[Conversion, ...]:
        """What was changed or lost of points that were sent."""
        return self.account.conversions

    @property
    def requests(self) -> int:
        """How many were made."""
        return self.account.requests

    @property
    def success_ratio(self) -> float:
        """Accepted points of all that were given; 1 when there were none."""
        return self.accepted / self.points_in if self.points_in else 1.0

    @property
    def succeeded(self) -> bool:
        """Whether enough was accepted, and the destination could be used."""
        return self.error is None and self.success_ratio >= self.min_success_ratio

    def __str__(self) -> str:
        """The account in one line."""
        why = f": {self.error_kind}: {self.error}" if self.error is not None else ""
        before = f" ({self.accepted_before} by an earlier try)" if self.accepted_before else ""
        return (
            f"{self.conn_id}: {self.accepted} of {self.points_in} points accepted{before}, "
            f"{self.rejected} rejected, {self.unknown} unknown, {self.dropped} dropped; "
            f"{self.requests} requests in {duration_text(self.seconds)}{why}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport(Documented):
    """What became of an export.

    :param namespace: as it was given.
    :param transport: ``native`` or ``otlp``.
    :param points_in: how many points were given.
    :param seconds: in all; destinations are served at the same time.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=("succeeded", "namespace", "transport", "points_in", "seconds", "destinations")
    )

    namespace: str
    transport: str
    points_in: int
    seconds: float
    destinations: tuple[DestinationExport, ...]

    @property
    def succeeded(self) -> bool:
        """Whether every destination did."""
        return all(one.succeeded for one in self.destinations)

    def raise_if_failed(self) -> None:
        """Raise when a destination did not accept as many points as it had to.

        :raises MetricsError: retryable when another try can help one of them.
        """
        failed = [one for one in self.destinations if not one.succeeded]
        if not failed:
            return
        told = "; ".join(_told(one) for one in failed)
        raise MetricsError(
            f"{len(failed)} of {len(self.destinations)} destinations accepted too few points: "
            f"{told}",
            kind=_kind(failed),
        )


def _told(one: DestinationExport) -> str:
    if one.error is not None:
        return f"{one.conn_id}: {one.error}"
    needed = f"{one.min_success_ratio:.0%} needed"
    return f"{one.conn_id}: {one.accepted} of {one.points_in} ({needed}): {reasons(one.refusals)}"


def reasons(refusals: Sequence[Refusal]) -> str:
    """The most frequent reasons, with a few names."""
    most = sorted(refusals, key=lambda one: -one.count)
    told = [f"{one.count} {one.outcome}: {one.reason}{_names(one)}" for one in most[:_TOLD]]
    return "; ".join([*told, *(["…"] if len(most) > _TOLD else [])])


def _names(one: Refusal) -> str:
    if not one.samples:
        return ""
    more = ", …" if one.count > len(one.samples[:_TOLD]) else ""
    return f" ({', '.join(one.samples[:_TOLD])}{more})"


def _kind(failed: Sequence[DestinationExport]) -> ErrorKind:
    """One after which another try can help, if there is any; else that of most points."""
    refusals = [refusal for one in failed for refusal in one.refusals]
    errors = [one.error_kind for one in failed if one.error_kind is not None]
    kinds = [*errors, *(one.kind for one in sorted(refusals, key=lambda one: -one.count))]
    return next((kind for kind in kinds if kind.retryable), next(iter(kinds), ErrorKind.INTEGRITY))
