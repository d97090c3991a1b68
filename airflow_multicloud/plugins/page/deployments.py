"""Deployments, target by target: what runs there, since when, and whether it is well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.core.pages import moment
from airflow_multicloud.core.rollout.outcomes import Outcome
from airflow_multicloud.plugins.page.recorded import Recorded
from airflow_multicloud.plugins.page.shapes import Told, Unread, facts_as, read_each, told_by


@dataclass(frozen=True, slots=True, kw_only=True)
class _Instance:
    id: str
    region: str
    console_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    name: str
    cloud: str
    outcome: Outcome
    instances: tuple[_Instance, ...] = ()
    error: str | None = None
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rollout:
    deployment_id: str
    revision: str
    targets: tuple[_Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drift:
    kind: str
    what: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Health:
    deployment_id: str
    targets: Mapping[str, Sequence[Any]]
    drift: tuple[_Drift, ...] = ()


@dataclass(slots=True)
class TargetRow:
    """One target of one deployment, as the page shows it.

    :param runs: the revision that a rollout has left there.
    :param rollout: who tried last, and what came of it.
    :param well: who found it well last; nobody tells of what was not well.
    :param drift: what was found besides.
    """

    deployment_id: str
    name: str
    cloud: str = ""
    runs: str = ""
    runs_since: str = ""
    instances: int = 0
    regions: str = ""
    rollout: Told | None = None
    rollout_at: str = ""
    outcome: str = ""
    is_success: bool | None = None
    wanted: str = ""
    error: str = ""
    well: Told | None = None
    well_at: str = ""
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deployments:
    """What the page shows."""

    targets: tuple[TargetRow, ...]
    unread: tuple[Unread, ...]


def deployments_of(*, deployed: Iterable[Recorded], well: Iterable[Recorded]) -> Deployments:
    """A row for each target; each kind is given with the newest first."""
    rows = _Rows()
    unread = [*read_each(deployed, rows.deploy)[1], *read_each(well, rows.find_well)[1]]
    return Deployments(tuple(rows.known[key] for key in sorted(rows.known)), tuple(unread))


class _Rows:
    def __init__(self) -> None:
        self.known: dict[tuple[str, str], TargetRow] = {}

    def _of(self, deployment_id: str, name: str) -> TargetRow:
        return self.known.setdefault((deployment_id, name), TargetRow(deployment_id, name))

    def deploy(self, one: Recorded) -> None:
        facts, at, told = facts_as(_Rollout, one), moment(one.at), told_by(one)
        for target in facts.targets:
            row = self._of(facts.deployment_id, target.name)
            if row.rollout is None:
                row.rollout, row.rollout_at, row.cloud = told, at, target.cloud
                row.outcome, row.wanted = target.outcome.value, facts.revision
                row.is_success = target.outcome.is_success
                later = f"{target.superseded_by} is later" if target.superseded_by else ""
                row.error = target.error or later
            if target.outcome.is_success and not row.runs:
                row.runs, row.runs_since = facts.revision, at
                row.instances = len(target.instances)
                row.regions = ", ".join(dict.fromkeys(made.region for made in target.instances))

    def find_well(self, one: Recorded) -> None:
        facts, at, told = facts_as(_Health, one), moment(one.at), told_by(one)
        for name, slots in facts.targets.items():
            row = self._of(facts.deployment_id, name)
            if row.well is None:
                row.well, row.well_at = told, at
                row.instances = row.instances or len(slots)
                row.drift = tuple(
                    f"{found.kind}: {found.what}"
                    for found in facts.drift
                    if found.target in (name, None)
                )
