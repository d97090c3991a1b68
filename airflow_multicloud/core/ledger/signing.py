"""Commits are signed: who has the key says that a ledger is as a run left it."""

from __future__ import annotations

from typing import Any

from airflow_multicloud.core.ledger.commits import Commit
from airflow_multicloud.core.ledger.writing import Sign
from airflow_multicloud.core.signing import PredicateType, Signer, Statement


def signing(signer: Signer | None) -> Sign | None:
    """What signs a ledger's commits with a key; nothing without one."""
    if signer is None:
        return None

    def sign(commit: Commit, root: str) -> bytes:
        return signer.sign(statement_of(commit, root))

    return sign


def statement_of(commit: Commit, root: str) -> Statement:
    """What is said of a commit: the SHA-256 is its root, which commits to all the rest."""
    predicate: dict[str, Any] = {"number": commit.number, "place": commit.place}
    if commit.previous is not None:
        predicate["previous"] = commit.previous.root
    return Statement(
        f"ledger of {commit.place} commit {commit.number}",
        root,
        PredicateType.LEDGER_COMMIT,
        predicate,
    )
