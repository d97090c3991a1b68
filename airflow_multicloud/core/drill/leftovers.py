"""What is left of a drill once it is over, by looking."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from posixpath import dirname

from airflow_multicloud.core.drill.canary import CANARY_NAME
from airflow_multicloud.core.drill.parts import Part, PartKind, PartOutcome
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.errors import CloudError

#: Below the replicated prefix, where nothing but the canary is a drill's.
_OURS = f"{dirname(CANARY_NAME)}/"


def what_is_left(scratch: Path | None, candidates: Sequence[Candidate]) -> Part:
    """List what a drill writes: the directory that it recovers to, and beside its canary.

    The canary itself stays: the next drill replaces it, and a replica without it would be damaged.

    :param scratch: the directory; ``None``: what was recovered is to be kept.
    """
    left: list[str] = []
    if scratch is not None and scratch.exists():
        left.append(f"the directory {scratch} is still there")
    for candidate in candidates:
        left += _beside_the_canary(candidate)
    if left:
        return Part(PartKind.CLEANUP, PartOutcome.FAILED, "; ".join(left))
    kept = "the recovered files are kept as asked" if scratch is None else f"{scratch} is gone"
    where = ", ".join(candidate.uri for candidate in candidates)
    said = f"{kept}; below {_OURS}, a listing of each of {where} shows at most the canary"
    return Part(PartKind.CLEANUP, PartOutcome.SHOWN, said)


def _beside_the_canary(candidate: Candidate) -> list[str]:
    end = candidate.endpoint
    if end is None:
        return [f"{candidate.uri} can't be listed: {candidate.refused}"]
    canary = end.key_of(CANARY_NAME)
    try:
        found = [m.key for m in end.objects(end.key_of(_OURS)) if m.key != canary]
    except CloudError as err:
        return [f"{candidate.uri} can't be listed: {err.kind}: {err}"]
    return [f"{end.location.with_key(key)} is there" for key in found[:5]]
