"""A whole drill in one task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.drill import run_drill
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.drill.faults import Fault
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy, parse_kinds
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.links.pages import EVIDENCE_LINKS
from airflow_multicloud.lists import is_template, texts
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.drill.objectives import (
    check_given_objectives,
    operator_objectives,
)
from airflow_multicloud.operators.drill.run_facts import run_facts
from airflow_multicloud.operators.drill.told import outcome_of
from airflow_multicloud.operators.given import given_or_none
from airflow_multicloud.operators.remembered import remembered
from airflow_multicloud.operators.run_ids import run_id_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class DrillOperator(CloudOperator):
    """Hold a whole drill: replicate, verify, write a canary, lose the primary, recover, judge.

    The task fails after the evidence is written, unless the verdict is ``PASSED``; XCom has the
    report either way, under ``report``. A try that can't go on leaves evidence of the verdict
    ``ABORTED``, and the next one names it; what it has replicated is not sent again. Nothing is
    asked before that: let a ``PreflightOperator`` come first. For single steps as tasks of their
    own, use :func:`~airflow_multicloud.operators.drill.group.drill_task_group`.

    :param primary: URI of the prefix that is replicated; the canary is written below it.
    :param replicas: URIs of prefixes, in the order of preference.
    :param rto_seconds: the recovery time objective.
    :param rpo_seconds: the recovery point objective.
    :param fault: ``unavailable``, ``stalled``, ``permission_denied``, ``truncated`` or
        ``corrupt``.
    :param fail_over_on: error kinds that trigger failover to the next candidate.
    :param attempt_timeout: the longest one candidate may take for one object.
    :param deadline: for the whole recovery.
    :param places: URIs in buckets that keep the evidence; those of the first two replicas in reach
        when left out.
    :param restore_to: a directory on the worker, empty or new, to keep what was recovered.
    :param signing_conn_id: the connection whose key signs the evidence; it is not signed without.
    :param detect_seconds: the objective of a phase: the longest time from the fault until the first
        attempt has failed. Not longer than ``rto_seconds``; ``None``: the phase has no objective.
    :param failover_seconds: likewise, until a copy begins to send what it serves in the end.
    :param first_verified_seconds: likewise, until the first object is verified and in place.
    :param use_remembered: hold the replicas' ledgers against what Airflow remembers of them, by the
        assets that are this task's inlets or outlets.
    """

    template_fields: Sequence[str] = (
        *("primary", "replicas", "rto_seconds", "rpo_seconds", "fault", "fail_over_on"),
        *("places", "restore_to", "signing_conn_id"),
        *("detect_seconds", "failover_seconds", "first_verified_seconds"),
    )
    report_key = "report"
    operator_extra_links = EVIDENCE_LINKS

    def __init__(
        self,
        *,
        primary: str,
        replicas: Sequence[str],
        rto_seconds: float | str,
        rpo_seconds: float | str,
        fault: str = Fault.UNAVAILABLE,
        fail_over_on: Sequence[str] = tuple(sorted(OUTAGES)),
        attempt_timeout: timedelta = timedelta(minutes=5),
        deadline: timedelta = timedelta(hours=1),
        places: Sequence[str] | None = None,
        restore_to: str | None = None,
        signing_conn_id: str | None = None,
        detect_seconds: float | str | None = None,
        failover_seconds: float | str | None = None,
        first_verified_seconds: float | str | None = None,
        use_remembered: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.primary = primary
        self.replicas = replicas
        self.rto_seconds = rto_seconds
        self.rpo_seconds = rpo_seconds
        self.fault = fault
        self.fail_over_on = fail_over_on
        self.attempt_timeout = attempt_timeout
        self.deadline = deadline
        self.places = places
        self.restore_to = restore_to
        self.signing_conn_id = signing_conn_id
        self.detect_seconds = detect_seconds
        self.failover_seconds = failover_seconds
        self.first_verified_seconds = first_verified_seconds
        self.use_remembered = use_remembered
        check_given_objectives(self)
        if not is_template(fail_over_on):
            self._policy()  # Refuses what is wrong when the DAG is parsed.

    def perform(self, context: Context) -> Outcome:
        """Hold it."""
        replicas = texts(self.replicas, "replicas", what="URIs")
        policy = self._policy()
        if self.use_remembered:
            memory = remembered(self, context, [self.primary, *replicas])
            policy = replace(policy, remembered=tuple(memory.values()))
        restore_to = given_or_none(self.restore_to)
        held = run_drill(
            self.primary,
            replicas,
            objectives=operator_objectives(self),
            fault=self.fault,
            policy=policy,
            places=given_or_none(self.places),
            restore_to=None if restore_to is None else Path(restore_to),
            drill_id=run_id_of(context, self.task_id),
            run=run_facts(context),
            signing_conn_id=given_or_none(self.signing_conn_id),
        )
        outcome = outcome_of(held.evidence, held.records, held.unwritten, self.log)
        return replace(outcome, ledgers=_ledgers(held.evidence))

    def _policy(self) -> FailoverPolicy:
        return FailoverPolicy(
            fail_over_on=parse_kinds(self.fail_over_on),
            attempt_timeout=self.attempt_timeout,
            deadline=self.deadline,
        )


def _ledgers(evidence: Evidence) -> tuple[Remembered, ...]:
    """What the drill has left in ledgers, for Airflow to remember."""
    now, found = datetime.now(UTC), dict[str, Remembered]()
    for report in evidence.replication:
        for one in report["destinations"]:
            if one["commit"] is not None and one["ledger_root"] is not None:
                place = place_of(open_endpoint(one["uri"], parameter="uri"))
                found[place] = Remembered(place, one["commit"], one["ledger_root"], now)
    return tuple(found.values())
