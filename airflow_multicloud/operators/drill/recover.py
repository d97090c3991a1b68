"""Lose the primary on purpose, and recover."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.api.object_store.fetches import open_candidates
from airflow_multicloud.core.drill.canary import Canary
from airflow_multicloud.core.drill.controls import ControlOutcome
from airflow_multicloud.core.drill.failover import Measurement, measure
from airflow_multicloud.core.drill.faults import Fault
from airflow_multicloud.core.drill.leftovers import what_is_left
from airflow_multicloud.core.drill.parts import LEFT, PartOutcome
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy, parse_kinds
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.lists import is_template
from airflow_multicloud.opening.identities import identities_of
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.remembered import remembered

if TYPE_CHECKING:
    from airflow.sdk import Context


class FailoverDrillOperator(CloudOperator):
    """Make the primary fail for this task only, and recover everything from the replicas.

    Returns what was measured; it judges nothing, so that a failed drill has its evidence.

    :param candidates: URIs of prefixes, the primary first.
    :param canary: what a ``WriteCanaryOperator`` returned.
    :param fault: ``unavailable``, ``stalled``, ``permission_denied``, ``truncated`` or
        ``corrupt``.
    :param restore_to: a directory on the worker to keep what was recovered; by default it goes
        to a temporary one and is deleted.
    :param fail_over_on: error kinds that trigger failover to the next candidate, as in
        :class:`~airflow_multicloud.operators.object_store.fetch.FailoverFetchOperator`: drill what
        is used. With the default ones the fault ``permission_denied`` is not survived.
    :param attempt_timeout: the longest one candidate may take for one object.
    :param use_remembered: hold the replicas' ledgers against what Airflow remembers of them: what a
        replication has told the assets that are this task's inlets or outlets.
    """

    template_fields: Sequence[str] = (
        "candidates",
        "canary",
        "fault",
        "restore_to",
        "fail_over_on",
    )

    def __init__(
        self,
        *,
        candidates: Sequence[str],
        canary: Mapping[str, Any],
        fault: str = Fault.UNAVAILABLE,
        restore_to: str | None = None,
        fail_over_on: Sequence[str] = tuple(sorted(OUTAGES)),
        attempt_timeout: timedelta = timedelta(minutes=5),
        use_remembered: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.candidates = candidates
        self.canary = canary
        self.fault = fault
        self.restore_to = restore_to
        self.fail_over_on = fail_over_on
        self.attempt_timeout = attempt_timeout
        self.use_remembered = use_remembered
        if not is_template(fail_over_on):
            self._policy()  # Refuses what is wrong when the DAG is parsed.

    def perform(self, context: Context) -> Outcome:
        """Run the drill."""
        if self.fault not in tuple(Fault):
            allowed = ", ".join(Fault)
            raise AirflowFailException(f"fault: {self.fault!r} given, expected one of {allowed}")
        policy = self._policy()
        if self.use_remembered:
            memory = remembered(self, context, self.candidates)
            policy = replace(policy, remembered=tuple(memory.values()))
        candidates = open_candidates(self.candidates)
        if self.restore_to:
            Path(self.restore_to).mkdir(parents=True, exist_ok=True)
            return self._told(candidates, self._measure(candidates, Path(self.restore_to), policy))
        with tempfile.TemporaryDirectory(prefix="multicloud-drill-") as scratch:
            measured = self._measure(candidates, Path(scratch), policy)
        return self._told(candidates, measured, Path(scratch))

    def _measure(
        self, candidates: Sequence[Candidate], scratch: Path, policy: FailoverPolicy
    ) -> Measurement:
        return measure(candidates, scratch, self._canary(), fault=Fault(self.fault), policy=policy)

    def _told(
        self, candidates: Sequence[Candidate], measured: Measurement, scratch: Path | None = None
    ) -> Outcome:
        # Asked afterwards: it is no part of a recovery.
        identities = identities_of(candidates, measured)
        left = what_is_left(scratch, candidates)
        self._tell(measured)
        (self.log.info if left.outcome is PartOutcome.SHOWN else self.log.error)(
            "afterwards: %s", left.detail
        )
        facts = {**to_document(measured), "identities": identities, LEFT: to_document(left)}
        return Outcome(facts)

    def _canary(self) -> Canary:
        try:
            return read_document(Canary, self.canary, what="canary")
        except CloudError as err:  # A template that is wrong stays wrong in the next try.
            raise StorageError(str(err), kind=ErrorKind.INVALID_ARGUMENT) from err

    def _tell(self, measured: Measurement) -> None:
        if measured.recovered is None:
            self.log.error("primary %s: not recovered: %s", measured.fault, measured.problem)
            self.log.error("why: %s", measured.reason)
        else:
            for uri, objects in measured.recovered.served.items():
                self.log.info("primary %s: %d objects from %s", measured.fault, objects, uri)
            self.log.info(
                "recovered as of %s; the oldest: %s", measured.as_of, measured.recovered.oldest
            )
        silent = [
            f"{control.replica} {control.outcome}: {control.detail}"
            for control in measured.controls
            if control.outcome is not ControlOutcome.REJECTED
        ]
        self.log.info(
            "RTO %s, RPO %s; canary %s; negative controls %s; primary %s afterwards",
            "none" if measured.rto is None else measured.rto,
            "none" if measured.rpo is None else measured.rpo,
            "found" if measured.canary_found else "LOST",
            f"DID NOT FIRE: {'; '.join(silent)}" if silent else "fired",
            "serves" if measured.failback else "DOES NOT SERVE",
        )

    def _policy(self) -> FailoverPolicy:
        return FailoverPolicy(
            fail_over_on=parse_kinds(self.fail_over_on), attempt_timeout=self.attempt_timeout
        )
