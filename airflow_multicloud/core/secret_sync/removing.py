"""Copies whose secret is gone: removed last, and so that they can be recovered."""

from __future__ import annotations

from airflow_multicloud.core.secret_sync.outcomes import FindingKind, SyncOutcome, Verdict
from airflow_multicloud.core.secret_sync.planning import Run, may_remove, verdict_of
from airflow_multicloud.core.secret_sync.stores import Store
from airflow_multicloud.errors import CloudError


def removed(run: Run, to: Store, name: str) -> Verdict:
    """Look at both once more, and remove the copy; an error costs only itself."""
    try:
        there = may_remove(run, to, name)
        if there is None or there.current is None:
            return Verdict(outcome=SyncOutcome.UNCHANGED)
        to.hook.remove_secret(name, version=there.current.id)
    except CloudError as err:
        return verdict_of(err)
    return Verdict(outcome=SyncOutcome.REMOVED, version=there.current.id)


def not_removed() -> Verdict:
    """What is said of a copy that stays because something else failed."""
    return Verdict(
        outcome=SyncOutcome.SKIPPED,
        finding=FindingKind.NOT_REMOVED,
        message="its secret is gone at the source; it stays, because something failed in this run",
    )
