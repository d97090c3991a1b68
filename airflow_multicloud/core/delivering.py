"""Items handed to several destinations at the same time; what fails at one costs that one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from opentelemetry.trace import Span

from airflow_multicloud.adapters.batches import CONCERNS_ALL, NOT_KNOWN_AFTER, dropped
from airflow_multicloud.adapters.tallies import Reason, Tally
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.deliveries import Delivery, Destination, Portion, Settled
from airflow_multicloud.core.settling import items_left, settled_of
from airflow_multicloud.core.telemetry import failed, submit_in_context
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind
from airflow_multicloud.ports.accounting import Accounting, Outcome
from airflow_multicloud.text import traceback_text

_log = logging.getLogger(__name__)

H = TypeVar("H")
T = TypeVar("T")

#: Hands items to a destination's hook, and accounts for each.
Send = Callable[[Destination[H], H, Sequence[T]], Accounting]

#: After so many portions in a row of which nothing arrived for an outage, no further one is sent.
_MOST_OUTAGES = 2
#: Destinations that are served at the same time.
_MOST_AT_ONCE = 16


def deliver(
    destinations: Sequence[Destination[H]],
    portions: Iterable[Portion[T]],
    send: Send[H, T],
    *,
    ratios: Mapping[str, float],
    settled: Settled | None = None,
) -> tuple[Delivery, ...]:
    """Hand every portion to every destination, concurrently, one portion after the other.

    A destination's :class:`~airflow_multicloud.errors.CloudError` costs that destination. One whose
    credentials or permissions are refused, or that met two outages in a row, is sent no further
    portion; what it would have been given is counted as dropped. The next portion is read when
    all have the last one, so that no more than one is in memory.

    :param send: called for destinations that have a hook.
    :param ratios: by connection id, the share that must be accepted.
    :param settled: what an earlier try has settled and need not be sent again; what this one
        settles is added at once.
    :return: in the order of the destinations.
    :raises WorkCancelledError: between two portions, when the work is to stop.
    """
    serving = _served(destinations, send, settled)
    with cancellation.pool(min(len(serving), _MOST_AT_ONCE) or 1, "multicloud-deliver") as pool:
        for portion in portions:
            cancellation.check()
            futures = [submit_in_context(pool, one.take, portion) for one in serving]
            cancellation.wait_for(futures)
            cancellation.check()
            for future in futures:
                future.result()
    return tuple(one.delivery(ratios[one.to.conn_id]) for one in serving)


def deliver_each(
    destinations: Sequence[Destination[H]],
    portions_of: Callable[[Destination[H]], Iterable[Portion[T]]],
    send: Send[H, T],
    *,
    ratios: Mapping[str, float],
    settled: Settled | None = None,
) -> tuple[Delivery, ...]:
    """As :func:`deliver`, of items that are in memory: no destination waits for another.

    :param portions_of: a destination's own portions.
    """
    served = _served(destinations, send, settled)

    def serve(one: _Serving[H, T]) -> None:
        for portion in portions_of(one.to):
            cancellation.check()
            one.take(portion)

    with cancellation.pool(min(len(served), _MOST_AT_ONCE) or 1, "multicloud-deliver") as pool:
        futures = [submit_in_context(pool, serve, one) for one in served]
        cancellation.wait_for(futures)
        cancellation.check()
        for future in futures:
            future.result()
    return tuple(one.delivery(ratios[one.to.conn_id]) for one in served)


def tell_of(account: Accounting, span: Span, cloud: str | None) -> None:
    """What became of a batch, in its span: it has failed if anything was not accepted."""
    span.set_attribute("multicloud.given", account.given)
    span.set_attribute("multicloud.accepted", account.accepted)
    if account.refusals:
        worst = max(account.refusals, key=lambda refusal: refusal.count)
        why = f"{worst.count} of {account.given} {worst.outcome.value}: {worst.reason}"
        failed(CloudError(why, kind=worst.kind, cloud=cloud, code=worst.code))


def _served(
    destinations: Sequence[Destination[H]], send: Send[H, T], settled: Settled | None
) -> list[_Serving[H, T]]:
    memory = {} if settled is None else settled
    return [_Serving(one, send, memory.setdefault(one.conn_id, {})) for one in destinations]


class _Serving(Generic[H, T]):
    """One destination, while it is served; by one thread at a time."""

    def __init__(
        self,
        destination: Destination[H],
        send: Send[H, T],
        settled: dict[str, Accounting],
    ) -> None:
        self.to = destination
        self._send = send
        self._tally = Tally()
        self._given = 0
        self._seconds = 0.0
        self._before = dict(settled)
        self._settled = settled
        self._accepted_before = 0
        self._outages = 0
        self._error = destination.error
        self._ended: Reason | None = None
        if destination.error is not None:
            self._ended = dropped(destination.error.kind, f"not sent: {destination.error}")

    def take(self, portion: Portion[T]) -> None:
        """Send a portion, and count what becomes of it."""
        self._given += portion.size
        self._tally.add_refusals(portion.unread)
        known = self._before.get(portion.digest)
        if known is not None:  # What is still asked for is kept longer than what is not.
            self._settled[portion.digest] = self._settled.pop(portion.digest, known)
        items = portion.items if known is None else items_left(portion.items, known)
        if known is not None and len(items) < len(portion.items):
            self._tally.add(known)
            self._accepted_before += known.accepted
        if self._ended is not None or self.to.hook is None:
            why = self._ended or dropped(ErrorKind.UNSUPPORTED, "not sent: there is no hook")
            self._lose(items, why)
        elif items:
            self._hand(self.to.hook, portion, items)

    def _hand(self, hook: H, portion: Portion[T], items: Sequence[T]) -> None:
        started = time.monotonic()
        try:
            part = self._send(self.to, hook, items)
        except CloudError as err:
            self._failed(items, err)
        except cancellation.WorkCancelledError:
            raise
        except Exception as err:  # noqa: BLE001 - costs this destination, not the others' accounts
            _log.warning("%s: its hook failed:\n%s", self.to.conn_id, traceback_text(err))
            why = f"its hook failed with {type(err).__name__}; the log has more"
            self._failed(items, CloudError(why, kind=ErrorKind.INTEGRITY))
        else:
            self._tally.add(part)
            self._judge(part)
            before = self._before.get(portion.digest) if len(items) < len(portion.items) else None
            if portion.digest and (now := settled_of(portion.items, part, before)) is not None:
                self._settled[portion.digest] = now
        finally:
            self._seconds += time.monotonic() - started

    def delivery(self, ratio: float) -> Delivery:
        """What became of all that was taken; ``ratio`` of it must be accepted."""
        return Delivery(
            conn_id=self.to.conn_id,
            cloud=self.to.cloud,
            accounting=self._tally.accounting(self._given),
            seconds=self._seconds,
            min_success_ratio=ratio,
            accepted_before=self._accepted_before,
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
