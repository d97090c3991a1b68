"""What became of an export, destination by destination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud.core.deliveries import Delivery
from airflow_multicloud.core.success import why_not_enough
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import MetricsError


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationExport(Delivery):
    """One destination's account: ``points_in = accepted + rejected + unknown + dropped``.

    It is of all points that were given, also of those that could not be read.
    """

    DOCUMENT: ClassVar[Document] = Document(
        tuple(
            ("points_in", "given") if name == "given" else name for name in Delivery.DOCUMENT.shows
        )
    )

    @property
    def points_in(self) -> int:
        """How many points were given."""
        return self.given


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport(Documented):
    """What became of an export.

    :param namespace: as it was given.
    :param transport: ``native`` or ``otlp``.
    :param points_in: how many points were given.
    :param seconds: in all; destinations are served at the same time.
    """

    DOCUMENT: ClassVar[Document] = Document(
        ("succeeded", "namespace", "transport", "points_in", "seconds", "destinations")
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
        if (found := why_not_enough(self.destinations)) is not None:
            raise MetricsError(found[0], kind=found[1])
