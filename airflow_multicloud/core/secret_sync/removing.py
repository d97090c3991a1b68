"""Copies whose secret is gone: removed last, and so that they can be recovered."""

from __future__ import annotations

from dataclasses import replace

from airflow_multicloud.core.secret_sync.gone import of_copy
from airflow_multicloud.core.secret_sync.outcomes import FindingKind, SyncOutcome, Verdict
from airflow_multicloud.core.secret_sync.planning import Run, verdict_of
from airflow_multicloud.core.secret_sync.stores import Store
from airflow_multicloud.errors import CloudError


def removed(run: Run, to: Store, name: str) -> Verdict:
    """Look at both once more, and remove the copy; an error fails only this copy."""
    try:
        there, verdict = of_copy(run, to, name)
        if there is None or verdict.outcome is not SyncOutcome.REMOVED:
            return verdict
        version = "" if there.current is None else there.current.id
        to.hook.remove_secret(name, version=version)
    except CloudError as err:
        return verdict_of(err)
    return replace(verdict, version=version)


def not_removed() -> Verdict:
    """What is said of a copy that stays because something else failed."""
    return Verdict(
        outcome=SyncOutcome.SKIPPED,
        finding=FindingKind.NOT_REMOVED,
        message="its secret is gone at the source; it stays, because something failed in this run",
    )
