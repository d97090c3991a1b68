"""Where a target's instances are made: its cloud, opened, and what is near it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from airflow_multicloud.core.rollout.names import DEPLOYMENT, TARGET, spec_of
from airflow_multicloud.core.rollout.plans import Candidate, TargetPlan
from airflow_multicloud.ports.compute import ComputeService, Instance


@dataclass(slots=True, kw_only=True)
class Site:
    """One target's place.

    :param deployment_id: whose.
    :param compute: of its connection.
    :param script: the startup script for an instance of a candidate; with a URL of its own, so that
        no two calls give the same.
    :param why_not_healthy: the health check: what is wrong with an instance, if anything.
    """

    deployment_id: str
    plan: TargetPlan
    compute: ComputeService
    script: Callable[[Candidate], str]
    why_not_healthy: Callable[[Instance], str | None]
    _listed: tuple[datetime, tuple[Instance, ...]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def specs(self) -> dict[str, int]:
        """Spec of each candidate → its place among them."""
        found: dict[str, int] = {}
        for place, candidate in enumerate(self.plan.candidates):
            found.setdefault(spec_of(candidate.digest), place)
        return found

    def listed(self, since: datetime, now: Callable[[], datetime]) -> tuple[Instance, ...]:
        """The target's instances, in all regions that it names.

        One listing serves all slots that ask for the same.

        :param since: only a listing that was begun later does.
        """
        with self._lock:
            if self._listed is None or self._listed[0] <= since:
                begun = now()
                self._listed = (begun, tuple(self._list()))
            return self._listed[1]

    def _list(self) -> list[Instance]:
        labels = {DEPLOYMENT: self.deployment_id, TARGET: self.plan.name}
        made_in = (candidate.spec.region for candidate in self.plan.candidates)
        regions = dict.fromkeys((*self.plan.regions, *made_in))
        return [
            instance
            for region in regions
            for instance in self.compute.list_instances(labels, region)
        ]
