"""Fetch from the first candidate that can be trusted, and say what happened."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.clocks import clock_ahead
from airflow_multicloud.core.failover.attempts import Try
from airflow_multicloud.core.failover.candidates import Arrival, Candidate
from airflow_multicloud.core.failover.copies import Copies, Copy
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Attempt, FailoverError, Provenance, kind_of
from airflow_multicloud.core.failover.targets import Target, TargetError
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.core.streams import drop
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

_Result = tuple[Try, Arrival | BaseException]


def fetch(
    candidates: Sequence[Candidate],
    target: Target,
    policy: FailoverPolicy = FailoverPolicy(),
    *,
    progress: Progress | None = None,
) -> Provenance:
    """Put one verified copy of an object in place at ``target``.

    The target is not touched before the bytes are complete and verified.

    :param candidates: in the order of preference.
    :param progress: counts the bytes; its listener is told on the calling thread.
    :raises FailoverError: when none of them served, one failed for a reason that
        ``fail_over_on`` does not list, or the target failed; names every attempt.
    """
    if not candidates:
        raise StorageError(
            "candidates: none given, expected at least one URI", kind=ErrorKind.INVALID_ARGUMENT
        )
    return serve(Copies(candidates, policy).all, "", target, policy, progress=progress)


def serve(
    copies: Sequence[Copy],
    name: str,
    target: Target,
    policy: FailoverPolicy,
    *,
    progress: Progress | None = None,
    told: bool = True,
) -> Provenance:
    """As :func:`fetch`, of an object below a prefix.

    :param copies: of the prefix.
    :param name: below it; an empty one is the object itself.
    :param told: whether the listener of ``progress`` is told from here, on the calling thread.
    """
    with telemetry.operation("failover_fetch", multicloud__target=str(target)) as span:
        provenance = _Race(copies, name, target, policy, progress, told=told).run()
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
        copies: Sequence[Copy],
        name: str,
        target: Target,
        policy: FailoverPolicy,
        progress: Progress | None,
        *,
        told: bool,
    ) -> None:
        self._progress = progress
        self._told = progress if told else None
        self._name = name
        self._waiting = list(enumerate(copies))
        self._target = target
        self._policy = policy
        self._results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
        self._running: list[Try] = []
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
        number, copy = self._waiting.pop(0)
        attempt = Try(number, copy, self._name, time.monotonic())
        self._running.append(attempt)
        run = telemetry.in_context(self._work)
        threading.Thread(
            target=run, args=(attempt,), name=f"multicloud-fetch-{number}", daemon=True
        ).start()

    def _work(self, attempt: Try) -> None:
        result: Arrival | BaseException
        try:
            result = attempt.take(self._target, self._policy, self._progress)
        except BaseException as err:  # noqa: BLE001 - raised again on the calling thread
            result = err
        with self._ending:
            if not self._over:
                self._results.put((attempt, result))
                return
        _drop(result)

    def _hedge_at(self) -> float:
        after = self._policy.hedge_after
        if after is None or not self._waiting:
            return float("inf")
        return self._running[-1].started + after.total_seconds()

    def _expires(self, attempt: Try) -> float:
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

    def _on_failure(self, attempt: Try, err: CloudError) -> None:
        if isinstance(err, TargetError):  # No attempt of the candidate's: it has served.
            raise self._failed(str(err), err.kind) from err
        attempt.copy.copies.moments.at_failure(time.monotonic())
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

    def _serve(self, attempt: Try, arrival: Arrival) -> Provenance:
        end = attempt.candidate.endpoint
        assert end is not None  # noqa: S101 - it has just served
        try:
            arrival.staged.commit()
        except BaseException:
            drop(arrival.staged.discard)
            raise
        attempt.copy.copies.moments.at_serving(arrival.answered, time.monotonic())
        for other in self._running:
            late = StorageError(
                f"had not answered yet when another one served (hedge_after: "
                f"{self._policy.hedge_after})",
                kind=ErrorKind.TIMEOUT,
            )
            self._attempts.append(other.attempt(late, overtaken=True))
        self._attempts.append(attempt.attempt(None))
        as_of = arrival.as_of
        finding = clock_ahead(as_of) if as_of else None
        ahead = (f"{attempt.candidate.uri}: {finding}",) if finding else ()
        return Provenance(
            served_by=attempt.candidate.uri,
            cloud=end.cloud,
            target=str(self._target),
            size=arrival.size,
            sha256=arrival.sha256,
            verified_by=arrival.verified_by,
            digest=arrival.digest,
            as_of=as_of,
            age_seconds=(datetime.now(UTC) - as_of).total_seconds() if as_of else None,
            failed_over=not attempt.candidate.primary,
            attempts=tuple(self._attempts),
            findings=(*arrival.findings, *ahead),
            not_kept=arrival.not_kept,
        )

    def _failed(self, message: str, kind: ErrorKind | None = None) -> FailoverError:
        return FailoverError(
            message, kind=kind or kind_of(self._attempts), attempts=tuple(self._attempts)
        )


def _drop(result: Arrival | BaseException) -> None:
    if isinstance(result, Arrival):
        drop(result.staged.discard)
