"""Many small items handed to several destinations at once, and what became of each of them.

Metrics and logs go this way. A destination is a connection; what fails at one costs that one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from airflow_multicloud.adapters.batches import CONCERNS_ALL, NOT_KNOWN_AFTER, dropped
from airflow_multicloud.adapters.tallies import Reason, Tally
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.telemetry import operation, submit_in_context
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind
from airflow_multicloud.ports.accounting import Accounting, Conversion, Outcome, Refusal

H = TypeVar("H")
T = TypeVar("T")

#: After so many portions in a row of which nothing arrived for an outage, no further one is sent.
_MOST_OUTAGES = 2
#: Destinations that are served at the same time.
_MOST_AT_ONCE = 16


class OnInvalid(StrEnum):
    """What happens to items that can't be sent as they are."""

    #: Nothing is sent anywhere if any destination can't take one.
    FAIL = "fail"
    #: They are counted as dropped, and the others are sent.
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination(Generic[H]):
    """A connection that items go to.

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
    """

    items: Sequence[T]
    unread: Sequence[Refusal] = ()

    @property
    def size(self) -> int:
        """How many items were given, read or not."""
        return len(self.items) + sum(refusal.count for refusal in self.unread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Documented):
    """What became of everything at one destination.

    ``given = accepted + rejected + unknown + dropped``, always.

    :param refusals: all that was not accepted, by reason.
    :param conversions: what was not kept of items that were sent.
    :param requests: how many were made.
    :param seconds: how long this destination took, without what was read in between.
    :param error: why the destination could not be used any further, if so.
    """

    DOCUMENT = Document(
        (
            "conn_id",
            "cloud",
            "given",
            "accepted",
            "rejected",
            "unknown",
            "dropped",
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
    seconds: float
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


def deliver(
    destinations: Sequence[Destination[H]],
    portions: Iterable[Portion[T]],
    send: Callable[[H, Sequence[T]], Accounting],
    *,
    span: str,
) -> tuple[Delivery, ...]:
    """Hand every portion to every destination, concurrently, one portion after the other.

    A destination's :class:`~airflow_multicloud.errors.CloudError` costs that destination. One whose
    credentials or permissions are refused, or that met two outages in a row, is sent no further
    portion; what it would have been given is counted as dropped. The next portion is read when
    all have the last one, so that no more than one is in memory.

    :param send: hands items to a hook, and accounts for each.
    :param span: around each portion at each destination.
    :return: in the order of the destinations.
    :raises WorkCancelledError: between two portions, when the work is to stop.
    """
    serving = [_Serving(destination, send, span) for destination in destinations]
    with cancellation.pool(min(len(serving), _MOST_AT_ONCE) or 1, "multicloud-deliver") as pool:
        for portion in portions:
            cancellation.check()
            futures = [submit_in_context(pool, one.take, portion) for one in serving]
            cancellation.wait_for(futures)
            cancellation.check()
            for future in futures:
                future.result()
    return tuple(one.delivery() for one in serving)


class _Serving(Generic[H, T]):
    """One destination, while it is served; by one thread at a time."""

    def __init__(
        self,
        destination: Destination[H],
        send: Callable[[H, Sequence[T]], Accounting],
        span: str,
    ) -> None:
        self._to = destination
        self._send = send
        self._span = span
        self._tally = Tally()
        self._given = 0
        self._seconds = 0.0
        self._outages = 0
        self._error = destination.error
        self._ended: Reason | None = None
        if destination.error is not None:
            self._ended = dropped(destination.error.kind, f"not sent: {destination.error}")

    def take(self, portion: Portion[T]) -> None:
        """Send a portion, and count what becomes of it."""
        self._given += portion.size
        self._tally.add_refusals(portion.unread)
        if self._ended is not None or self._to.hook is None:
            why = self._ended or dropped(ErrorKind.UNSUPPORTED, "not sent: there is no hook")
            self._lose(portion.items, why)
        elif portion.items:
            self._hand(self._to.hook, portion.items)

    def _hand(self, hook: H, items: Sequence[T]) -> None:
        started = time.monotonic()
        try:
            with operation(
                self._span, cloud__provider=self._to.cloud, multicloud__conn_id=self._to.conn_id
            ) as span:
                part = self._send(hook, items)
                span.set_attribute("multicloud.given", part.given)
                span.set_attribute("multicloud.accepted", part.accepted)
        except CloudError as err:
            self._failed(items, err)
        else:
            self._tally.add(part)
            self._judge(part)
        finally:
            self._seconds += time.monotonic() - started

    def delivery(self) -> Delivery:
        """What became of all that was taken."""
        return Delivery(
            conn_id=self._to.conn_id,
            cloud=self._to.cloud,
            accounting=self._tally.accounting(self._given),
            seconds=self._seconds,
            error_kind=None if self._error is None else self._error.kind,
            error=None if self._error is None else str(self._error),
        )

    def _failed(self, items: Sequence[T], err: CloudError) -> None:
        """The hook itself failed; by the ports it has sent nothing when that is its credentials."""
        unknown = err.kind in NOT_KNOWN_AFTER and not isinstance(err, CredentialsError)
        outcome = Outcome.UNKNOWN if unknown else Outcome.DROPPED
        self._error = err
        self._lose(items, Reason(outcome=outcome, kind=err.kind, reason=str(err), code=err.code))
        self._end(err.kind, str(err))

    def _judge(self, part: Accounting) -> None:
        """Whether anything more is to be sent here, after what became of a portion."""
        out = [one for one in part.refusals if one.kind.is_outage]
        self._outages = self._outages + 1 if out and not part.accepted else 0
        for one in part.refusals:
            # The hook itself has ended its sending, where it dropped what is not at fault.
            concerns_all = one.kind in CONCERNS_ALL
            if one.outcome is Outcome.DROPPED and (concerns_all or one.kind.is_outage):
                self._ended = dropped(one.kind, one.reason)
                return
            if concerns_all:
                self._end(one.kind, one.reason)
                return
        if self._outages >= _MOST_OUTAGES:
            self._end(out[0].kind, out[0].reason)

    def _end(self, kind: ErrorKind, why: str) -> None:
        self._ended = dropped(kind, f"not sent, because what was sent before failed: {why}")

    def _lose(self, items: Sequence[T], reason: Reason) -> None:
        # No samples: what failed is the destination, whatever the items are.
        if items:
            self._tally.refuse_all(len(items), reason)
