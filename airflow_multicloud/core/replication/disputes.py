"""Ledgers of destinations that contradict each other: neither is believed by its word alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import compare
from airflow_multicloud.core.ledger.entries import Proof
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.items import Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: How many objects a warning names.
_NAMED = 3


def contradict_each_other(proofs: Sequence[Proof | None]) -> bool:
    """Whether ledgers say different things of one version of an object at the source. Pure.

    One of them is wrong then; which one, they can't tell.

    :param proofs: what each destination's ledger proves of the object, if it does.
    """
    cited = [proof for proof in proofs if proof is not None and proof.origin.etag]
    return any(
        (one.origin.uri, one.origin.etag, one.size)
        == (other.origin.uri, other.origin.etag, other.size)
        and (compared := compare(one.digests, other.digests)) is not None
        and not compared.equal
        for one, other in combinations(cited, 2)
    )


def doubted(listed: Listed, state: Replica, prior: Listed | None, proof: Proof | None) -> Replica:
    """A replica whose ledger another one contradicts: to be compared again. Pure.

    Unless the listing of the source, or of its own store, shows the digest that is recorded.

    :param listed: the object at the source.
    :param state: what was decided by its ledger.
    :param prior: what has its key at the destination now.
    :param proof: what its ledger proves.
    """
    believed = state.outcome is Outcome.UNCHANGED or state.inspect
    if proof is None or prior is None or not believed:
        return state
    shown = (compare(proof.digests, one.digests) for one in (listed, prior))
    if any(one is not None and one.identical for one in shown):
        return state
    return replace(state, outcome=None, inspect=False, doubtful=True, digests=Digests())


@dataclass
class Disputes:
    """The objects that ledgers contradict each other about, some by name."""

    count: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Note one, by its name below the source's prefix."""
        self.count += 1
        if len(self.named) < _NAMED:
            self.named.append(name)

    def warn(self) -> None:
        """Say so, if there are any."""
        if self.count:
            _log.warning(
                "the ledgers of the destinations contradict each other about the content of %d "
                "objects (%s): at least one of the ledgers was changed, so these objects are "
                "compared again wherever no listing confirms what is recorded",
                self.count,
                printable(", ".join(self.named)),
            )
