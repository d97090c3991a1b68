"""Many small items handed to several destinations, and what became of each of them.

Metrics and logs go this way (see :mod:`airflow_multicloud.core.delivering`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.accounting import Accounting, Conversion, Refusal
from airflow_multicloud.text import duration_text

H = TypeVar("H")
T = TypeVar("T")


class OnInvalid(StrEnum):
    """What happens to items that can't be sent as they are."""

    #: Nothing is sent anywhere if any destination can't take one.
    FAIL = "fail"
    #: They are counted as dropped, and the others are sent.
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination(Generic[H]):
    """A connection that items go to, or come from.

    :param cloud: its name; empty where the connection does not tell.
    :param hook: ``None`` when ``error`` says why it can't be used.
    """

    conn_id: str
    cloud: str
    hook: H | None = None
    error: CloudError | None = None


@dataclass(frozen=True, slots=True)
class Portion(Generic[T]):
    """Some of the items, in order.

    :param items: what is sent.
    :param unread: those between them that could not even be read, as dropped.
    :param digest: of the items; a later try of the task knows them by it.
    """

    items: Sequence[T]
    unread: Sequence[Refusal] = ()
    digest: str = ""

    @property
    def size(self) -> int:
        """How many items were given, read or not."""
        return len(self.items) + sum(refusal.count for refusal in self.unread)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlySettled(Accounting):
    """The account of those items of a portion of which a later try can't have more accepted.

    :param places: of the portion's other items, which are sent again; the first has 0.
    """

    places: tuple[int, ...]


#: By connection id and digest, the accounts of portions of which a later try can't have more
#: accepted. What was not kept of their items is not in them.
Settled = dict[str, dict[str, Accounting]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Documented):
    """What became of everything at one destination.

    ``given = accepted + rejected + unknown + dropped``, always.

    :param cloud: empty where the connection does not tell.
    :param seconds: how long this destination took, without what was read in between.
    :param min_success_ratio: the share that must be accepted; whatever it is, also 0, a destination
        with an error has not succeeded.
    :param accepted_before: how many of the accepted ones an earlier try of the task had accepted:
        they were not sent again.
    :param error: why the destination could not be used any further, if so.
    """

    DOCUMENT: ClassVar[Document] = Document(
        (
            "conn_id",
            "cloud",
            "succeeded",
            "given",
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
    cloud: str
    accounting: Accounting
    seconds: float = 0.0
    min_success_ratio: float = 1.0
    accepted_before: int = 0
    error_kind: ErrorKind | None = None
    error: str | None = None

    @property
    def given(self) -> int:
        """How many items there were."""
        return self.accounting.given

    @property
    def accepted(self) -> int:
        """How many the cloud says it has taken."""
        return self.accounting.accepted

    @property
    def rejected(self) -> int:
        """How many the cloud refused."""
        return self.accounting.rejected

    @property
    def unknown(self) -> int:
        """Of how many nobody knows."""
        return self.accounting.unknown

    @property
    def dropped(self) -> int:
        """How many were not sent."""
        return self.accounting.dropped

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """All that was not accepted, by reason."""
        return self.accounting.refusals

    @property
    def conversions(self) -> tuple[Conversion, ...]:
        """What was not kept of items that were sent."""
        return self.accounting.conversions

    @property
    def requests(self) -> int:
        """How many were made."""
        return self.accounting.requests

    @property
    def success_ratio(self) -> float:
        """The share that was accepted; 1 where nothing was given."""
        return self.accepted / self.given if self.given else 1.0

    @property
    def succeeded(self) -> bool:
        """Whether enough was accepted, and the destination could be used."""
        return self.error is None and self.would_succeed(self.accepted)

    def would_succeed(self, accepted: int) -> bool:
        """Whether it were enough if so many had been accepted."""
        return accepted >= self.given or accepted / self.given >= self.min_success_ratio

    def __str__(self) -> str:
        """The account in one line."""
        why = f": {self.error_kind}: {self.error}" if self.error is not None else ""
        before = f" ({self.accepted_before} by an earlier try)" if self.accepted_before else ""
        return (
            f"{self.conn_id}: {self.accepted} of {self.given} accepted{before}, "
            f"{self.rejected} rejected, {self.unknown} unknown, {self.dropped} dropped; "
            f"{self.requests} requests in {duration_text(self.seconds)}{why}"
        )
