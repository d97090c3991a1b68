"""Fetch from the first copy that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.object_store.fetches import failover_fetch
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy, parse_kinds
from airflow_multicloud.core.failover.provenance import IncompleteFetchError, TreeProvenance
from airflow_multicloud.documents import to_document
from airflow_multicloud.lists import is_template
from airflow_multicloud.operators.base import CloudOperator, Outcome

if TYPE_CHECKING:
    from airflow.sdk import Context


class FailoverFetchOperator(CloudOperator):
    """Fetch an object or a prefix from the first candidate that serves verified bytes.

    Returns who served, the digest and how it was verified, the age, and every attempt with its
    error kind and duration. This is in XCom under ``report``, too, also when the task fails because
    some objects of a prefix could not be fetched; all others are in place then.

    :param candidates: URIs in the order of preference, the primary first; all objects, or all
        prefixes (they end with a slash).
    :param target: local path or URI; for prefixes a directory or a prefix.
    :param fail_over_on: error kinds that trigger failover to the next candidate; a corrupt or stale
        copy always does. ``permission_denied`` is not among the default ones: it may be a revoked
        permission, not an outage.
    :param attempt_timeout: the longest one candidate may take.
    :param deadline: the overall time limit.
    :param max_staleness: reject replicas whose last complete replication began longer ago.
    :param expected_sha256: reject any other content (one object only).
    :param require_digest: reject content that nothing vouches for.
    :param hedge_after: start the next candidate too when one takes longer than this.
    """

    template_fields: Sequence[str] = ("candidates", "target", "fail_over_on", "expected_sha256")
    report_key = "report"

    def __init__(
        self,
        *,
        candidates: Sequence[str],
        target: str,
        fail_over_on: Sequence[str] = tuple(sorted(OUTAGES)),
        attempt_timeout: timedelta = FailoverPolicy().attempt_timeout,
        deadline: timedelta = FailoverPolicy().deadline,
        max_staleness: timedelta | None = None,
        expected_sha256: str | None = None,
        require_digest: bool = False,
        hedge_after: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.candidates = candidates
        self.target = target
        self.fail_over_on = fail_over_on
        self.attempt_timeout = attempt_timeout
        self.deadline = deadline
        self.max_staleness = max_staleness
        self.expected_sha256 = expected_sha256
        self.require_digest = require_digest
        self.hedge_after = hedge_after
        if not is_template(fail_over_on):
            self._policy(expected_sha256=None)  # Refuses what is wrong when the DAG is parsed.

    def perform(self, context: Context) -> Outcome:
        """Fetch."""
        policy = self._policy(expected_sha256=self.expected_sha256 or None)
        failure = None
        try:
            provenance = failover_fetch(
                self.candidates,
                self.target,
                policy,
                listener=lambda now: self.log.info("fetched %s", now),
            )
        except IncompleteFetchError as err:
            if err.provenance is None:
                raise
            provenance, failure = err.provenance, err
        for attempt in provenance.attempts:
            self.log.info("%s", attempt)
        if isinstance(provenance, TreeProvenance):
            for name in provenance.left_out_names:
                self.log.warning("left out, its key is kept for this package's files: %s", name)
            for name, path in provenance.encoded_names.items():
                self.log.info("%s is at %s", name, path)
            for name, why in (*provenance.failed_names.items(), *provenance.unfit_names.items()):
                self.log.error("not fetched: %s: %s", name, why)
        return Outcome(to_document(provenance), failure)

    def _policy(self, *, expected_sha256: str | None) -> FailoverPolicy:
        return FailoverPolicy(
            fail_over_on=parse_kinds(self.fail_over_on),
            attempt_timeout=self.attempt_timeout,
            deadline=self.deadline,
            max_staleness=self.max_staleness,
            expected_sha256=expected_sha256,
            require_digest=self.require_digest,
            hedge_after=self.hedge_after,
        )
