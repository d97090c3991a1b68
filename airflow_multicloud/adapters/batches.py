"""Sending many small items to a cloud in as few requests as it allows, each accounted for.

A hook says how one item is prepared (or why it can't be), and how a batch of prepared ones is sent;
the limits, the order and the accounting are here.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from airflow_multicloud.adapters.tallies import Change, Reason, Tally
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.accounting import Accounting, Outcome, Refusal, is_final
from airflow_multicloud.text import traceback_text

_log = logging.getLogger(__name__)

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

#: Kinds of errors after which it is not known whether the request was carried out.
NOT_KNOWN_AFTER = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.INTEGRITY})
#: What would be answered to every other batch, too.
CONCERNS_ALL = frozenset(
    {ErrorKind.UNAUTHENTICATED, ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND}
)
#: After so many batches in a row that met an outage, no further one is sent.
_MOST_OUTAGES = 2
#: When so many items were refused alone and none was ever accepted, no single one is at fault.
_MOST_ALONE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Generic[R]):
    """One item as its cloud takes it.

    :param name: what it is shown as in reports.
    :param records: what it is sent as; all of them go into one request.
    :param size: how many bytes they are on the wire.
    :param alone: no other item with the same value goes into the same request, and those that
        share one are sent in their order.
    :param apart: items of which this differs go into different requests.
    :param changes: what is not kept of it.
    """

    name: str
    records: Sequence[R]
    size: int
    alone: Hashable | None = None
    apart: Hashable = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """What fits into one request.

    :param records: at most.
    :param size: at most, in bytes, without ``overhead``.
    :param overhead: bytes between two items.
    """

    records: int
    size: int | None = None
    overhead: int = 0


#: Why an item can't be sent, or how it is.
Prepare = Callable[[I], "Prepared[R] | Reason"]
#: Sends a batch and says of each item why it was not accepted, ``None`` where it was.
Send = Callable[[Sequence["Prepared[R]"]], Sequence[Reason | None]]


def dropped(kind: ErrorKind, reason: str) -> Reason:
    """That an item is not sent.

    :param reason: without the item's own name or value.
    """
    return Reason(outcome=Outcome.DROPPED, kind=kind, reason=reason)


def rejected(kind: ErrorKind, reason: str, *, code: str | None = None) -> Reason:
    """That the cloud refused an item.

    :param reason: as for :func:`dropped`.
    """
    return Reason(outcome=Outcome.REJECTED, kind=kind, reason=reason, code=code)


def check_items(
    items: Sequence[I], prepare: Prepare[I, R], *, name: Callable[[I], str]
) -> tuple[Refusal, ...]:
    """Why some can't be sent; nothing is sent.

    :param name: what an item is shown as.
    """
    tally = Tally()
    for item in items:
        if isinstance(found := prepare(item), Reason):
            tally.refuse(name(item), found)
    return tally.refusals


def send_items(
    items: Sequence[I],
    prepare: Prepare[I, R],
    send: Send[R],
    *,
    name: Callable[[I], str],
    limits: BatchLimits,
    all_or_nothing: bool,
) -> Accounting:
    """Send items in batches, in the order given, and account for each.

    Errors are accounted for: a refusal rejects the batch; where no answer tells what became of it,
    it is unknown. What concerns all that follow (credentials, permissions, a place that is not
    there), and two outages in a row, end the sending; the rest is dropped.

    :param send: may raise :class:`~airflow_multicloud.errors.CloudError`, for the whole batch.
    :param name: what an item is shown as.
    :param all_or_nothing: whether the service refuses a whole request for one bad record: such a
        batch is sent again in halves, so that a bad record costs its own item alone. Where it
        seems to refuse everything, that ends after some hundred requests.
    """
    tally = Tally()
    prepared: list[Prepared[R]] = []
    sources: dict[int, I] = {}
    left: list[I] = []
    for item in items:
        found = prepare(item)
        if isinstance(found, Reason):
            tally.refuse(name(item), found)
            if not is_final(found.outcome, found.kind):
                left.append(item)
        else:
            prepared.append(found)
            sources[id(found)] = item
            tally.convert(found.name, found.changes)
    sending = _Sending(send, tally, all_or_nothing=all_or_nothing)
    sending.all_of(batched(prepared, limits))
    left += [sources[id(one)] for one in sending.left]
    return replace(tally.accounting(len(items)), left=tuple(left))


def batched(
    prepared: Sequence[Prepared[R]], limits: BatchLimits
) -> Iterator[Sequence[Prepared[R]]]:
    """The batches, in order.

    One item that is too large for a request has a batch of its own: whoever prepares refuses it.
    """
    for turn in _turns(prepared):
        batch: list[Prepared[R]] = []
        records = size = 0
        for item in turn:
            fits = (
                records + len(item.records) <= limits.records
                and (limits.size is None or size + item.size + limits.overhead <= limits.size)
                and all(before.apart == item.apart for before in batch[-1:])
            )
            if batch and not fits:
                yield batch
                batch, records, size = [], 0, 0
            batch.append(item)
            records += len(item.records)
            size += item.size + limits.overhead
        if batch:
            yield batch


def _turns(prepared: Sequence[Prepared[R]]) -> Iterator[Sequence[Prepared[R]]]:
    """The first of all that must be alone, with those that need not; then the second of each."""
    turns: defaultdict[int, list[Prepared[R]]] = defaultdict(list)
    before: defaultdict[Hashable, int] = defaultdict(int)
    for item in prepared:
        turn = 0
        if item.alone is not None:
            turn = before[item.alone]
            before[item.alone] += 1
        turns[turn].append(item)
    yield from (turns[turn] for turn in sorted(turns))


def _unreadable(err: Exception) -> Reason:
    """What a client of a cloud raised that it should not: an answer of no known form, mostly."""
    return Reason(
        outcome=Outcome.UNKNOWN,
        kind=ErrorKind.INTEGRITY,
        reason=f"the answer can't be read: {type(err).__name__}",
    )


class _Sending(Generic[R]):
    """The batches of one account."""

    def __init__(self, send: Send[R], tally: Tally, *, all_or_nothing: bool) -> None:
        self._send = send
        self._tally = tally
        self._all_or_nothing = all_or_nothing
        self._outages = 0
        self._alone = 0
        self._some_accepted = False
        self._ended: Reason | None = None
        #: What another try may have accepted.
        self.left: list[Prepared[R]] = []

    def all_of(self, batches: Iterator[Sequence[Prepared[R]]]) -> None:
        for batch in batches:
            self._one(batch)

    def _one(self, batch: Sequence[Prepared[R]]) -> None:
        if self._ended is not None:
            self._refuse(batch, self._ended)
            return
        self._tally.request()
        try:
            reasons = self._send(batch)
        except CloudError as err:
            self._failed(batch, err)
            return
        except Exception as err:  # noqa: BLE001 - what was sent before is accounted for all the same
            _log.warning("an answer could not be read:\n%s", traceback_text(err))
            self._refuse(batch, _unreadable(err))
            return
        self._outages = 0
        for item, reason in zip(batch, reasons, strict=True):
            if reason is None:
                self._some_accepted = True
                self._tally.accept()
            else:
                self._refuse((item,), reason)

    def _failed(self, batch: Sequence[Prepared[R]], err: CloudError) -> None:
        if self._all_or_nothing and err.kind is ErrorKind.INVALID_ARGUMENT:
            self._alone += len(batch) == 1
            if len(batch) > 1 and (self._some_accepted or self._alone < _MOST_ALONE):
                middle = len(batch) // 2
                self._one(batch[:middle])
                self._one(batch[middle:])
                return
        unknown = err.kind in NOT_KNOWN_AFTER
        outcome = Outcome.UNKNOWN if unknown else Outcome.REJECTED
        self._refuse(batch, Reason(outcome=outcome, kind=err.kind, reason=str(err), code=err.code))
        self._outages = self._outages + 1 if err.kind.is_outage else 0
        if err.kind in CONCERNS_ALL or self._outages >= _MOST_OUTAGES:
            self._ended = dropped(err.kind, f"not sent, because what was sent before failed: {err}")

    def _refuse(self, batch: Sequence[Prepared[R]], reason: Reason) -> None:
        for item in batch:
            self._tally.refuse(item.name, reason)
        if not is_final(reason.outcome, reason.kind):
            self.left += batch
