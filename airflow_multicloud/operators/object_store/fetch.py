"""Fetch from the first copy that can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.object_store.fetches import failover_fetch
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy, parse_kinds
from airflow_multicloud.core.failover.provenance import IncompleteFetchError, TreeProvenance
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.documents import to_document
from airflow_multicloud.lists import is_template
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.remembered import remembered
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from airflow.sdk import Context


class FailoverFetchOperator(CloudOperator):
    """Fetch an object or a prefix from the first candidate that serves verified bytes.

    Returns who served, the digest and how it was verified, the age, and every attempt with its
    error kind and duration. This is in XCom under ``report``, too, also when the task fails because
    some objects of a prefix could not be fetched; all others are in place then.

    :param candidates: URIs in the order of preference, the primary first; all objects, or all
        prefixes (they end with a slash). A replica may be first, too: its ledger tells, or
        ``live_primary``.
    :param target: local path or URI; for prefixes a directory or a prefix.
    :param fail_over_on: error kinds that trigger failover to the next candidate; a corrupt or stale
        copy always does. ``permission_denied`` is not among the default ones: it may be a revoked
        permission, not an outage.
    :param attempt_timeout: the longest one candidate may take.
    :param deadline: the overall time limit.
    :param max_staleness: reject replicas that are known to be up to date until longer ago only.
    :param expected_sha256: reject any other content (one object only).
    :param require_digest: reject content that nothing vouches for.
    :param hedge_after: start the next candidate too when one takes longer than this.
    :param live_primary: whether the first candidate is the live primary or a replica; ``None``: as
        ledgers have it.
    :param expected_roots: by the URI of a candidate, the root that the newest commit of its ledger
        must have, or the commit that ``at_least_commits`` names: ``ledger_root`` of a replication.
    :param at_least_commits: by the URI of a candidate, the number of a commit that its ledger must
        have reached: ``commit`` of a replication.
    :param public_keys: the path of a file of Ed25519 public keys in PEM, of which one must have
        signed the ledger of a replica that serves.
    :param use_remembered: hold the ledger of a replica against what Airflow remembers of it: what a
        replication has told the assets that are this task's inlets or outlets. What is expected
        of a candidate with the parameters above goes before.
    :param list_unknown: report what lies at the replica and its ledger does not know.
    """

    template_fields: Sequence[str] = (
        "candidates",
        "target",
        "fail_over_on",
        "expected_sha256",
        "expected_roots",
        "at_least_commits",
        "public_keys",
    )
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
        live_primary: bool | None = None,
        expected_roots: Mapping[str, str] | None = None,
        at_least_commits: Mapping[str, int | str] | None = None,
        public_keys: str | None = None,
        use_remembered: bool = True,
        list_unknown: bool = False,
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
        self.live_primary = live_primary
        self.expected_roots = expected_roots or {}
        self.at_least_commits = at_least_commits or {}
        self.public_keys = public_keys
        self.use_remembered = use_remembered
        self.list_unknown = list_unknown
        if not is_template(fail_over_on):
            self._policy()  # Refuses what is wrong when the DAG is parsed.

    def perform(self, context: Context) -> Outcome:
        """Fetch."""
        policy = replace(
            self._policy(),
            expected_sha256=self.expected_sha256 or None,
            expected_roots=self.expected_roots,
            at_least_commits=_numbers(self.at_least_commits),
            remembered=self._memory(context),
        )
        failure = None
        try:
            provenance = failover_fetch(
                self.candidates,
                self.target,
                policy,
                public_keys=Path(self.public_keys) if self.public_keys else None,
                listener=lambda now: self.log.info("fetched %s", now),
            )
        except IncompleteFetchError as err:
            if err.provenance is None:
                raise
            provenance, failure = err.provenance, err
        for attempt in provenance.attempts:
            self.log.info("%s", attempt)
        for finding in provenance.findings:
            self.log.warning("%s", finding)
        if isinstance(provenance, TreeProvenance):
            for name in provenance.unknown_names:
                self.log.warning("not known to the ledger of the replica: %s", printable(name))
            for name in provenance.left_out_names:
                self.log.warning("left out, its key is kept for this package's files: %s", name)
            for name, path in provenance.encoded_names.items():
                self.log.info("%s is at %s", name, path)
            for name, why in (*provenance.failed_names.items(), *provenance.unfit_names.items()):
                self.log.error("not fetched: %s: %s", name, why)
        return Outcome(to_document(provenance), failure)

    def _memory(self, context: Context) -> tuple[Remembered, ...]:
        if not self.use_remembered:
            return ()
        return tuple(remembered(self, context, self.candidates).values())

    def _policy(self) -> FailoverPolicy:
        return FailoverPolicy(
            fail_over_on=parse_kinds(self.fail_over_on),
            attempt_timeout=self.attempt_timeout,
            deadline=self.deadline,
            max_staleness=self.max_staleness,
            require_digest=self.require_digest,
            hedge_after=self.hedge_after,
            live_primary=self.live_primary,
            list_unknown=self.list_unknown,
        )


def _numbers(given: Any) -> Any:
    """Numbers, also as a template wrote them; what is none is refused by its name later."""
    if not isinstance(given, Mapping):
        return given
    return {uri: int(n) if str(n).strip().isdecimal() else -1 for uri, n in given.items()}
