"""Copies whose secret is gone at the source, and which of them may be removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.secret_sync.identity import Pair
from airflow_multicloud.core.secret_sync.looking import described
from airflow_multicloud.core.secret_sync.outcomes import FindingKind, SyncOutcome, Verdict
from airflow_multicloud.core.secret_sync.stores import Store
from airflow_multicloud.ports.secrets import Secret, SecretState

if TYPE_CHECKING:
    from airflow_multicloud.core.secret_sync.planning import Run


def of_copy(run: Run, to: Store, name: str) -> tuple[Secret | None, Verdict]:
    """The copy, and what becomes of it when its secret is gone at the source.

    :raises CloudError: when one of both can't be asked.
    """
    there = described(to.hook, name)
    if there is None or there.state is SecretState.REMOVED:
        return None, Verdict(outcome=SyncOutcome.UNCHANGED)
    at_source = described(run.source.hook, name)
    if at_source is not None and at_source.state is not SecretState.REMOVED:
        return None, Verdict(outcome=SyncOutcome.UNCHANGED)
    if (why := _why_kept(run.pair(to, name), there)) is None:
        return there, Verdict(outcome=SyncOutcome.REMOVED)
    return there, Verdict(
        outcome=SyncOutcome.KEPT,
        finding=FindingKind.NOT_OURS,
        message=f"the source does not have it, and {why}; remove it by hand if it is to go",
    )


def _why_kept(pair: Pair, there: Secret) -> str | None:
    """Why these runs may not remove a secret; ``None`` when they may.

    A tag alone says too little: it stays when somebody else writes another version.
    """
    if there.managed_by is not None:
        return f"it is kept by {there.managed_by}"
    if not pair.made(there.tags):
        return "it has no tag of a copy that was made of it here"
    if there.current is None:
        return "it has no version"
    if not pair.is_last(there.tags, there.current.token):
        return f"its current version ({there.current.id}) was not written by these runs"
    return None


def extra_copies(
    run: Run, to: Store, known: Mapping[str, Verdict]
) -> Iterator[tuple[str, Verdict]]:
    """Secrets that these runs made and the source does not have any more."""
    for found in to.hook.find_secrets(run.options.prefix):
        is_candidate = found.addressable and found.name not in known
        if is_candidate and run.pair(to, found.name).made(found.tags):
            cancellation.check()
            there, verdict = of_copy(run, to, found.name)
            if there is not None:
                yield found.name, verdict
