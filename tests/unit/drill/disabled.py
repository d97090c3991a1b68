"""Parts of verification, put out of action: a drill must notice each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_multicloud.core.failover import anchors, candidates, corroboration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from airflow_multicloud.core.failover.policy import FailoverPolicy
    from airflow_multicloud.core.failover.references import Contract, Reference
    from airflow_multicloud.ports.object_store import ObjectMeta


def _digests_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(corroboration, "compare", lambda *_: None)


def _the_ledger_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    contract = candidates._contract

    def by_the_store(meta: ObjectMeta, known: Reference, policy: FailoverPolicy) -> Contract:
        return contract(meta, replace(known, entry=None, contract=None), policy)

    patch.setattr(candidates, "_contract", by_the_store)


def _nothing_is_remembered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(anchors, "recall", lambda *_: None)


#: How to disable each, and which controls are accepted then.
DISABLED: Mapping[str, tuple[Callable[[pytest.MonkeyPatch], None], frozenset[str]]] = {
    "digests are not compared": (_digests_are_not_compared, frozenset({"corrupt", "stale"})),
    "the ledger is not asked": (_the_ledger_is_not_asked, frozenset({"stale"})),
    "nothing is remembered": (_nothing_is_remembered, frozenset({"rolled_back"})),
}
