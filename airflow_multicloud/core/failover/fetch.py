"""Fetch from the first candidate that can be trusted, and say what happened."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.clocks import clock_ahead
from airflow_multicloud.core.failover.candidates import Arrival, Candidate, take
from airflow_multicloud.core.failover.limits import within
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Attempt, FailoverError, Provenance, kind_of
from airflow_multicloud.core.failover.references import Reference, blaming, look_up
from airflow_multicloud.core.failover.targets import Target, TargetError
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.core.streams import drop
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

_log = logging.getLogger(__name__)

#: How long another candidate may take to say what the object must be.
_TO_ASK = timedelta(seconds=10)


@dataclass(slots=True)
class _Try:
    """One candidate under way, on a thread of its own."""

    number: int
    candidate: Candidate
    started: float
    cancelled: threading.Event = field(default_factory=threading.Event)

    def attempt(self, err: CloudError | None, *, overtaken: bool = False) -> Attempt:
        end = self.candidate.endpoint
        return Attempt(
            self.candidate.uri,
            end.cloud if end else None,
            round((time.monotonic() - self.started) * 1000),
            err.kind if err else None,
            str(err) if err else None,
            overtaken,
        )


_Result = tuple[_Try, Arrival | BaseException]


def fetch(
    candidates: Sequence[Candidate],
    target: Target,
    policy: FailoverPolicy = FailoverPolicy(),
    *,
    progress: Progress | None = None,
    told: bool = True,
) -> Provenance:
    """Put one verified copy of an object in place at ``target``.

    The target is not touched before the bytes are complete and verified.

    :param candidates: in the order of preference.
    :param progress: counts the bytes.
    :param told: whether its listener is told from here, on the calling thread.
    :raises FailoverError: when none of them served, one failed for a reason that
        ``fail_over_on`` does not list, or the target failed; names every attempt.
    """
    if not candidates:
        raise StorageError(
            "candidates: none given, expected at least one URI", kind=ErrorKind.INVALID_ARGUMENT
        )
    with telemetry.operation("failover_fetch", multicloud__target=str(target)) as span:
        provenance = _Race(candidates, target, policy, progress, told=told).run()
        span.set_attribute("cloud.provider", provenance.cloud)
        span.set_attribute("multicloud.served_by", provenance.served_by)
        span.set_attribute("multicloud.bytes", provenance.size)
        span.set_attribute("multicloud.attempts", len(provenance.attempts))
        telemetry.count_bytes("read", provenance.cloud, provenance.size)
    return provenance


class _Race:
    """Candidates in order, each started when the one before failed or takes too long."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        target: Target,
        policy: FailoverPolicy,
        progress: Progress | None,
        *,
        told: bool,
    ) -> None:
        self._progress = progress
        self._told = progress if told else None
        self._candidates = tuple(candidates)
        self._waiting = list(enumerate(candidates))
        self._target = target
        self._policy = policy
        self._results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
        self._running: list[_Try] = []
        self._attempts: list[Attempt] = []
        self._ending = threading.Lock()
        self._over = False
        self._end = time.monotonic() + policy.deadline.total_seconds()

    def run(self) -> Provenance:
        try:
            self._start_next()
            while self._running:
                served = self._step()
                if served is not None:
                    return served
            raise self._failed("no candidate served")
        finally:
            self._call_off()

    def _call_off(self) -> None:
        """Tell attempts still under way to stop, and drop what they have staged."""
        for other in self._running:
            other.cancelled.set()
        with self._ending:
            self._over = True
        while not self._results.empty():
            _drop(self._results.get()[1])

    def _step(self) -> Provenance | None:
        """Wait for the next event: a result, a time-out, or the moment to hedge."""
        now = time.monotonic()
        hedge_at = self._hedge_at()
        until = min([self._end, hedge_at, *(self._expires(t) for t in self._running)])
        try:
            wait = min(max(0.0, until - now), cancellation.LOOK)
            attempt, result = self._results.get(timeout=wait)
        except queue.Empty:
            cancellation.check()
            if self._told is not None:
                self._told.tell(force=False)
            if time.monotonic() >= until:
                self._on_time_out(hedge_at)
            return None
        if cancellation.requested():
            _drop(result)
            cancellation.check()
        if attempt not in self._running:  # It was given up; its bytes are not wanted any more.
            _drop(result)
            return None
        self._running.remove(attempt)
        if isinstance(result, Arrival):
            return self._serve(attempt, result)
        if not isinstance(result, CloudError):
            raise result
        self._on_failure(attempt, result)
        return None

    def _start_next(self) -> None:
        if not self._waiting:
            return
        number, candidate = self._waiting.pop(0)
        attempt = _Try(number, candidate, time.monotonic())
        self._running.append(attempt)
        run = telemetry.in_context(self._work)
        threading.Thread(
            target=run, args=(attempt,), name=f"multicloud-fetch-{number}", daemon=True
        ).start()

    def _work(self, attempt: _Try) -> None:
        result: Arrival | BaseException
        try:
            result = self._take(attempt)
        except BaseException as err:  # noqa: BLE001 - raised again on the calling thread
            result = err
        with self._ending:
            if not self._over:
                self._results.put((attempt, result))
                return
        _drop(result)

    def _take(self, attempt: _Try) -> Arrival:
        candidate = attempt.candidate
        end = candidate.endpoint
        if end is None:
            raise candidate.refused or AssertionError("a candidate without endpoint or refusal")
        with (
            telemetry.operation("failover_fetch.attempt", cloud__provider=end.cloud),
            blaming(end, "read"),
        ):
            return take(
                end,
                self._target,
                self._policy,
                primary=candidate.primary,
                cancelled=attempt.cancelled,
                reference=candidate.reference and candidate.reference(),
                others=partial(self._others, candidate),
                progress=self._progress,
            )

    def _others(self, candidate: Candidate) -> list[Reference]:
        """What the other candidates' manifests say of the object, as far as they can be asked."""
        found: list[Reference] = []
        for other in self._candidates:
            if other is candidate or other.endpoint is None:
                continue
            ask = other.reference or partial(look_up, other.endpoint)
            try:
                found.append(within(_TO_ASK, ask, parameter="attempt_timeout"))
            except CloudError as err:
                _log.debug("%s can't say what the object must be: %s", other.uri, err)
        return found

    def _hedge_at(self) -> float:
        after = self._policy.hedge_after
        if after is None or not self._waiting:
            return float("inf")
        return self._running[-1].started + after.total_seconds()

    def _expires(self, attempt: _Try) -> float:
        return attempt.started + self._policy.attempt_timeout.total_seconds()

    def _on_time_out(self, hedge_at: float) -> None:
        now = time.monotonic()
        for attempt in [t for t in self._running if now >= min(self._end, self._expires(t))]:
            attempt.cancelled.set()
            self._running.remove(attempt)
            limit = "deadline" if now >= self._end else "attempt_timeout"
            self._on_failure(
                attempt, StorageError(f"took longer than {limit}", kind=ErrorKind.TIMEOUT)
            )
        if self._running and now >= hedge_at:
            self._start_next()

    def _on_failure(self, attempt: _Try, err: CloudError) -> None:
        if isinstance(err, TargetError):  # No attempt of the candidate's: it has served.
            raise self._failed(str(err), err.kind) from err
        self._attempts.append(attempt.attempt(err))
        if time.monotonic() >= self._end:
            raise self._failed(f"deadline ({self._policy.deadline}) passed", ErrorKind.TIMEOUT)
        if not self._policy.goes_on(err.kind):
            allowed = ", ".join(sorted(self._policy.fail_over_on))
            raise self._failed(
                f"{attempt.candidate.uri} failed with {err.kind}, which is not a reason to fail "
                f"over (fail_over_on: {allowed})",
                err.kind,
            )
        if not self._running:
            self._start_next()

    def _serve(self, attempt: _Try, arrival: Arrival) -> Provenance:
        end = attempt.candidate.endpoint
        assert end is not None  # noqa: S101 - it has just served
        try:
            arrival.staged.commit()
        except BaseException:
            drop(arrival.staged.discard)
            raise
        for other in self._running:
            late = StorageError(
                f"had not answered yet when another one served (hedge_after: "
                f"{self._policy.hedge_after})",
                kind=ErrorKind.TIMEOUT,
            )
            self._attempts.append(other.attempt(late, overtaken=True))
        self._attempts.append(attempt.attempt(None))
        finding = clock_ahead(arrival.as_of)
        return Provenance(
            served_by=attempt.candidate.uri,
            cloud=end.cloud,
            target=str(self._target),
            size=arrival.size,
            sha256=arrival.sha256,
            verified_by=arrival.verified_by,
            as_of=arrival.as_of,
            age_seconds=(datetime.now(UTC) - arrival.as_of).total_seconds(),
            failed_over=not attempt.candidate.primary,
            attempts=tuple(self._attempts),
            findings=(f"{attempt.candidate.uri}: {finding}",) if finding else (),
            not_kept=arrival.not_kept,
        )

    def _failed(self, message: str, kind: ErrorKind | None = None) -> FailoverError:
        return FailoverError(
            message, kind=kind or kind_of(self._attempts), attempts=tuple(self._attempts)
        )


def _drop(result: Arrival | BaseException) -> None:
    if isinstance(result, Arrival):
        drop(result.staged.discard)
