"""Whether points can be exported, which is known before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from airflow_multicloud.adapters.tallies import Tally
from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.core.metrics.collecting import Collected, refused
from airflow_multicloud.core.metrics.destinations import Exporter
from airflow_multicloud.core.success import reasons
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.accounting import Conversion, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDestination(Documented):
    """What one destination would be sent.

    :param exportable: how many points; of the others, ``refusals`` say why they would be dropped.
    :param conversions: what the points have lost when they were read; what a cloud does not keep
        of them besides is known when they are exported.
    :param error: why nothing could be sent.
    """

    conn_id: str
    cloud: str
    points_in: int
    exportable: int
    refusals: tuple[Refusal, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    error_kind: ErrorKind | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport(Documented):
    """What an export would send; nothing was sent."""

    DOCUMENT: ClassVar[Document] = Document(
        shows=("sound", "namespace", "transport", "points_in", "destinations")
    )

    namespace: str
    transport: str
    points_in: int
    destinations: tuple[CheckedDestination, ...]

    @property
    def sound(self) -> bool:
        """Whether every point can be exported to every destination."""
        return all(
            one.error is None and one.exportable == one.points_in for one in self.destinations
        )


def check(
    collected: Collected, destinations: Sequence[Destination[Exporter]], namespace: str
) -> tuple[CheckedDestination, ...]:
    """What each destination would be sent."""
    return tuple(_checked(collected, one, namespace) for one in destinations)


def _checked(collected: Collected, to: Destination[Exporter], namespace: str) -> CheckedDestination:
    found, error = _refusals(collected, to, namespace)
    count = sum(one.count for one in found)
    exportable = 0 if error is not None else len(collected.points) - count
    tally = Tally()
    tally.add_refusals((*collected.refusals, *found))
    return CheckedDestination(
        conn_id=to.conn_id,
        cloud=to.cloud,
        points_in=collected.given,
        exportable=exportable,
        refusals=tally.refusals,
        conversions=collected.conversions,
        error_kind=None if error is None else error.kind,
        error=None if error is None else str(error),
    )


def sound_destinations(
    collected: Collected, destinations: Sequence[Destination[Exporter]], namespace: str
) -> Sequence[Destination[Exporter]]:
    """The destinations, when every point can be exported to each that can be used.

    :raises MetricsError: ``invalid_argument``, naming points and reasons, when one can't.
    """
    problems: list[str] = []
    usable: list[Destination[Exporter]] = []
    for one in destinations:
        found, error = _refusals(collected, one, namespace)
        if found:
            problems.append(f"{one.conn_id}: {reasons(found)}")
        usable.append(one if error is None else replace(one, hook=None, error=error))
    if collected.refusals:
        problems.insert(0, reasons(collected.refusals))
    if problems:
        raise refused(
            "metrics: nothing was sent, since some can't be exported: "
            f"{'; '.join(problems)}. Mend them, or have them left out with on_invalid='drop'"
        )
    return usable


def _refusals(
    collected: Collected, to: Destination[Exporter], namespace: str
) -> tuple[Sequence[Refusal], CloudError | None]:
    if to.hook is None:
        return (), to.error
    try:
        return to.hook.check_points(collected.points, namespace=namespace), None
    except CloudError as err:
        return (), err
