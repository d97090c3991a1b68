"""What a run would do, in numbers and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.replication import reach
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.parts import choose_part_size
from airflow_multicloud.core.replication.planning import extraneous
from airflow_multicloud.ports.object_store import PartUploads
from airflow_multicloud.text import printable


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do at one destination.

    :param settled: objects that nothing is to be done for.
    :param failed: objects that nothing can be done for.
    :param requests: writes to the destination; reads and listings are not in it.
    :param replaces: the first keys below the prefix that would be replaced.
    :param compares: the first that would be compared, and replaced where they differ.
    :param deletes: the first that would be deleted.
    :param findings: why nothing can be written there, and the first objects that can't be copied.
    """

    uri: str
    copy: int
    replace: int
    compare: int
    settled: int
    failed: int
    delete: int
    bytes: int
    requests: int
    replaces: tuple[str, ...] = ()
    compares: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


#: How many keys of each kind a plan names: it goes to XCom.
NAMED_PLANNED = 20


def summarise(
    catalog: Catalog,
    destinations: Sequence[Endpoint],
    options: ReplicationOptions,
    bases: Sequence[Base],
    *,
    named: int = NAMED_PLANNED,
) -> tuple[Plan, ...]:
    """The plan in numbers. ``compare`` objects may turn out to be identical already.

    :param bases: what the ledgers are at.
    :param named: how many keys of each kind to name.
    """
    refused = reach.refused(bases)
    findings = [[reach.finding(err)] if (err := refused.get(n)) else [] for n in range(len(bases))]
    names: list[dict[str, list[str]]] = [{"replace": [], "compare": []} for _ in destinations]
    settled = catalog.untouched().objects
    counts = [
        {"copy": 0, "replace": 0, "compare": 0, "settled": settled, "failed": 0}
        for _ in destinations
    ]
    sizes, requests = [0] * len(destinations), [0] * len(destinations)
    for item in catalog.items():
        for index, state in enumerate(item.replicas):
            if state.outcome is not None:
                failed = state.outcome.owed and not state.outcome.sound
                counts[index]["failed" if failed else "settled"] += 1
                if failed and index not in refused and len(findings[index]) < named:
                    findings[index].append(f"{item.name!r}: {state.reason}")
                continue
            looked_at = state.doubtful or state.inspect
            new = "copy" if state.prior is None else "compare" if looked_at else "replace"
            counts[index][new] += 1
            if (naming := names[index].get(new)) is not None and len(naming) < named:
                naming.append(item.name)
            if state.inspect:  # Its content is proven, so most likely nothing is copied.
                continue
            sizes[index] += item.size
            requests[index] += _requests(item.size, destinations[index], options)
    plans: list[Plan] = []
    for index, destination in enumerate(destinations):
        deleted = extraneous(catalog, index, options)
        deletes = tuple(listed.name for listed in islice(deleted, named))
        plans.append(
            Plan(
                uri=str(destination.location),
                delete=len(deletes) + sum(1 for _ in deleted),
                bytes=sizes[index],
                requests=requests[index],
                replaces=tuple(names[index]["replace"]),
                compares=tuple(names[index]["compare"]),
                deletes=deletes,
                findings=tuple(map(printable, findings[index])),
                **counts[index],
            )
        )
    return tuple(plans)


def _requests(size: int, destination: Endpoint, options: ReplicationOptions) -> int:
    if size <= options.parts_above or not has_capability(destination.store, PartUploads):
        return 1
    part_size = choose_part_size(size, options.part_size, destination.store.part_limits)
    return 2 + -(-size // part_size)
