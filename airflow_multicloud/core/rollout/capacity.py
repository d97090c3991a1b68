"""Where to go on when a cloud has no room: at the narrowest scope that its answer rules out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from airflow_multicloud.core.rollout.plans import Candidate
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import LaunchSpec

#: What another place or size can mend.
SCARCE = frozenset({ErrorKind.CAPACITY, ErrorKind.QUOTA, ErrorKind.UNSUPPORTED})


@dataclass(frozen=True, slots=True)
class Block:
    """What has been ruled out: a size, in a zone or in a whole region.

    :param zone: ``None``: the whole region.
    """

    region: str
    zone: str | None
    size: str

    def rules_out(self, spec: LaunchSpec) -> bool:
        """Whether a candidate need not be tried."""
        return (
            spec.region == self.region
            and spec.size.name == self.size
            and self.zone in (None, spec.zone)
        )


def block_of(kind: ErrorKind, spec: LaunchSpec) -> Block:
    """What a refusal of this kind rules out.

    A zone without capacity, or without the size, says nothing of the region's other zones. A quota
    is the region's, and no other zone helps; of another size there may be some left, for quotas are
    by family.

    :param kind: one of :data:`SCARCE`.
    """
    zone = None if kind is ErrorKind.QUOTA else spec.zone
    return Block(spec.region, zone, spec.size.name)


def next_candidate(
    candidates: Sequence[Candidate], after: int, blocks: Collection[Block]
) -> int | None:
    """The first candidate after one of them that nothing rules out."""
    for index in range(after + 1, len(candidates)):
        if not any(block.rules_out(candidates[index].spec) for block in blocks):
            return index
    return None
