"""Entries shipped to several clouds at once, each accounted for at each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud.adapters.entries import check_log
from airflow_multicloud.adapters.tallies import Tally
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.deliveries import Delivery, Destination, OnInvalid, Settled
from airflow_multicloud.core.delivering import deliver, tell_of
from airflow_multicloud.core.logs.portions import in_portions
from airflow_multicloud.core.logs.records import Unread
from airflow_multicloud.core.success import reasons, why_not_enough
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind, LogsError
from airflow_multicloud.ports.accounting import Accounting
from airflow_multicloud.ports.logs import LogEntry, Logs


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipReport(Documented):
    """What became of everything that was shipped.

    :param log: what it was written to.
    :param destinations: each with its account.
    :param read_error: why the records could not be read to their end, if so; what was read was
        shipped, and is what the accounts are of.
    """

    log: str
    destinations: tuple[Delivery, ...]
    read_error_kind: ErrorKind | None = None
    read_error: str | None = None

    DOCUMENT: ClassVar[Document] = Document(
        ("succeeded", "log", "destinations", "read_error_kind", "read_error")
    )

    @property
    def succeeded(self) -> bool:
        """Whether all was read, and every destination accepted enough of it."""
        return self.read_error is None and all(one.succeeded for one in self.destinations)

    def raise_if_failed(self) -> None:
        """Raise when it did not succeed.

        :raises ShippingFailedError: retryable when another try can help one destination.
        """
        if self.read_error is not None:
            kind = self.read_error_kind or ErrorKind.INVALID_ARGUMENT
            why = f"what is shipped can't be read to its end: {self.read_error}"
            raise ShippingFailedError(why, kind=kind, report=self)
        if (found := why_not_enough(self.destinations)) is not None:
            raise ShippingFailedError(found[0], kind=found[1], report=self)


class ShippingFailedError(LogsError):
    """A destination did not accept as much as it had to; the report says why."""

    def __init__(self, message: str, *, kind: ErrorKind, report: ShipReport) -> None:
        super().__init__(message, kind=kind)
        self.report = report


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What is shipped, and where to.

    :param read: reads all from the beginning; called twice when ``on_invalid`` is ``fail``, so
        that all are checked before the first is sent. It must find as many both times.
    :param ratios: by connection id, the share that must be accepted.
    """

    destinations: Sequence[Destination[Logs]]
    log: str
    read: Callable[[], Iterable[LogEntry | Unread]]
    on_invalid: OnInvalid
    ratios: Mapping[str, float]


def ship(shipment: Shipment, settled: Settled | None = None) -> ShipReport:
    """Ship all entries to all destinations; whatever happens to some is in the report.

    :param settled: what an earlier try of the task has settled; see
        :func:`~airflow_multicloud.core.delivering.deliver`.
    :raises LogsError: kind ``invalid_argument`` for what can't name a log, and when ``on_invalid``
        is ``fail`` and an entry can't be written somewhere; nothing was sent then.
    :raises CloudError: when they can't be read while they are checked.
    """
    log = shipment.log
    check_log(log, cloud="")
    checked = _check(shipment) if shipment.on_invalid is OnInvalid.FAIL else None
    broken: list[CloudError] = []

    def readable() -> Iterator[LogEntry | Unread]:
        read = 0
        try:
            for one in shipment.read():
                if read == checked:
                    raise _changed(f"more than {checked} records", checked)
                read += 1
                yield one
            if checked is not None and read < checked:
                raise _changed(f"{read} records", checked)
        except CloudError as err:
            broken.append(err)

    def send(to: Destination[Logs], hook: Logs, entries: Sequence[LogEntry]) -> Accounting:
        with operation(
            "ship_logs.portion", cloud__provider=to.cloud, multicloud__destination=to.conn_id
        ) as span:
            part = hook.write_entries(entries, log=log)
            tell_of(part, span, to.cloud)
            return part

    delivered = deliver(
        shipment.destinations,
        in_portions(readable()),
        send,
        ratios=shipment.ratios,
        settled=settled,
    )
    return ShipReport(
        log=log,
        destinations=delivered,
        read_error_kind=broken[0].kind if broken else None,
        read_error=str(broken[0]) if broken else None,
    )


def _changed(found: str, checked: int) -> LogsError:
    return LogsError(
        f"source: {found} when it was read to be sent, and {checked} when it was checked before; "
        "it has changed meanwhile",
        kind=ErrorKind.SOURCE_CHANGED,
    )


def _check(shipment: Shipment) -> int:
    """Refuse what can't be written; how many records there are."""
    given = 0
    tallies = {one.conn_id: Tally() for one in shipment.destinations}
    unread = Tally()
    for portion in in_portions(shipment.read()):
        cancellation.check()
        given += portion.size
        unread.add_refusals(portion.unread)
        for one in shipment.destinations:
            if one.hook is not None:
                # A connection that can't be used costs itself, as it does when it is written to.
                with suppress(CredentialsError):
                    found = one.hook.check_entries(portion.items, log=shipment.log)
                    tallies[one.conn_id].add_refusals(found)
    told = [reasons(unread.refusals)] if unread.refusals else []
    told += [f"{name}: {reasons(one.refusals)}" for name, one in tallies.items() if one.refusals]
    if told:
        raise LogsError(
            f"records: some can't be written, so nothing was sent (on_invalid='{OnInvalid.DROP}' "
            f"sends the others): {'; '.join(told)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return given
