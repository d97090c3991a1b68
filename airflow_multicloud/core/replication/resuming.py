"""Sharded runs that go on where an earlier try was cut off, or that were closed before."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import compare
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.ledger import looks, selections
from airflow_multicloud.core.ledger.base import Base, base_or_refusal
from airflow_multicloud.core.ledger.chain import chain
from airflow_multicloud.core.ledger.commits import Look, Step
from airflow_multicloud.core.ledger.entries import Entry, Proof
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.replication import pages, run_files
from airflow_multicloud.core.replication.catalog import Catalog, Listed
from airflow_multicloud.core.replication.facts import as_recorded
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.looking import look_up
from airflow_multicloud.core.replication.merkle import MerkleTree
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.report import (
    NAMED_FAILURES,
    DestinationReport,
    Failure,
    ReplicationReport,
)
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.run import Run
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, IfUnchanged

#: So many commits are looked through for the end of a run.
_LOOKED_THROUGH = 1000


def resume(catalog: Catalog, replication: Replication, run: Run, bases: Sequence[Base]) -> None:
    """Bring to an end what an earlier try of this run has brought to one, as far as that holds.

    The ledgers know of it; each object is looked at, since much may have happened since. Others are
    looked for besides: a try that was killed has not recorded what it wrote last.
    """
    names = (item.name for item in catalog.items())
    first = next(names, None)
    if first is None:
        return
    last = next(iter(deque(names, maxlen=1)), first)
    _add_known(catalog, replication, bases, first, last)
    for index in range(len(replication.destinations)):
        catalog.put_items(_resumed(catalog, replication, run, index))


def _resumed(catalog: Catalog, replication: Replication, run: Run, index: int) -> Iterator[Item]:
    """Items of which one destination has what an earlier try wrote."""
    end = replication.destinations[index]
    # On the first try there is hardly anything to find: only what is dear to send is looked for.
    first = run.identity.try_number == 1

    def looked_at() -> Iterator[tuple[Item, Proof | None]]:
        for item in catalog.open_items():
            if item.replicas[index].outcome is not None:
                continue
            proof = _earlier(catalog.entry(index, item.name), run, item)
            if proof is not None or not first or item.size > replication.options.parts_above:
                yield item, proof

    there = Follow(_there(end, (item.name for item, _ in looked_at())))
    for item, proof in looked_at():
        cancellation.check()
        state, found = item.replicas[index], there.at(item.name)
        if proof is not None:
            looked = _looked_at(end, item.name, state, proof, found)
        else:
            looked = state if found is None else _ours(state, item, found)
        if looked is not state:
            yield item.with_replica(index, looked)


def _there(end: Endpoint, names: Iterable[str]) -> Iterator[tuple[str, Listed]]:
    try:
        yield from look_up(end, names)
    except CloudError:
        return  # What was planned holds; copying will say what is the matter.


def _add_known(
    catalog: Catalog, replication: Replication, bases: Sequence[Base], first: str, last: str
) -> None:
    """What the ledgers know of the names from one to another."""
    for index, end in enumerate(replication.destinations):
        least, most = end.key_of(first), end.key_of(last)
        known = bases[index].entries(end.location.key, least=least, most=most)
        try:
            catalog.add_known(index, ((e.key[len(end.location.key) :], e) for e in known))
        except CloudError as err:
            if err.kind is not ErrorKind.INTEGRITY:
                raise
            catalog.forget_known(index)  # Each object is looked at then.


def _earlier(entry: Entry | None, run: Run, item: Item) -> Proof | None:
    """What an earlier try has recorded of the very object that is to be copied."""
    proof = entry.proof if entry else None
    if proof is None or proof.run_id != run.run_id or not proof.etag:
        return None
    same = proof.is_about(run.origin_of(item.name), item.etag, item.size)
    return proof if same else None


def _looked_at(
    end: Endpoint, name: str, state: Replica, proof: Proof, there: Listed | None
) -> Replica:
    """A replica that a ledger proves.

    :param there: what is known to be there.
    """
    try:
        there = there or pages.one(end, name)
    except CloudError as err:
        # Lost since; or copying it will say what is the matter.
        return replace(state, prior=None) if err.kind is ErrorKind.NOT_FOUND else state
    if (there.etag, there.size) != (proof.etag, proof.size):
        return replace(state, prior=IfUnchanged(there.etag, there.version), doubtful=True)
    return as_recorded(state, proof)


def _ours(state: Replica, item: Item, there: Listed) -> Replica:
    """A replica that is to be compared before it is sent, if it seems to be what was to be.

    What anybody may have declared is reason enough to compare, and proves nothing.
    """
    declared = Digests(md5=there.declared)
    compared = compare(item.digests, there.digests) or compare(item.digests, declared)
    if there.size != item.size or compared is None or not compared.identical:
        return state  # Perhaps another writer's: what was planned holds.
    return replace(state, prior=IfUnchanged(there.etag, there.version), doubtful=True)


def closed_before(replication: Replication, run_id: str, err: CloudError) -> ReplicationReport:
    """The report of a run that has no plan because it was closed, by what the ledgers say.

    :param err: that there is no plan.
    :raises StorageError: kind ``not_found``, with what to do, when it was not closed.
    """
    newest = [base_or_refusal(end).head for end in replication.destinations]
    heads = [_end_of(head, run_id) if head else None for head in newest]
    if not any(heads) or any(_is_open(head, run_id) for head in newest if head):
        home = replication.destinations[0]
        raise StorageError(
            f"{run_files.uri(home, run_id, '')}: the run has no plan: planning it failed, was "
            "skipped or has not come to an end, or cleanup removed it; clear the task that "
            "plans, and what follows it",
            kind=ErrorKind.NOT_FOUND,
            cloud=home.cloud,
        ) from err
    found = [look for head in heads if head for look in head.commit.looks if look.run_id == run_id]
    objects = max((look.objects for look in found), default=0)
    failures: list[Failure] = []
    left_out: list[Failure] = []
    reported = tuple(
        _reported(end, head, run_id, failures, left_out) if head else _not_recorded(end, objects)
        for end, head in zip(replication.destinations, heads, strict=True)
    )
    contents = {one.content for one in reported}
    return ReplicationReport(
        run_id=run_id,
        source=str(replication.source.location),
        objects=objects,
        bytes=max((look.bytes for look in found), default=0),
        bytes_read=0,
        root=contents.pop() if len(contents) == 1 else None,
        newest_source=max((look.newest for look in found if look.newest), default=None),
        seconds=0.0,
        destinations=reported,
        failures=tuple(failures),
        left_out=tuple(left_out),
    )


def _is_open(head: Head, run_id: str) -> bool:
    """Whether a run was planned again."""
    return any(run.identity.run_id == run_id for run in head.commit.open_runs)


def _not_recorded(end: Endpoint, objects: int) -> DestinationReport:
    """What is told of a destination that was out of reach when a run was closed."""
    why = "the run was closed without this destination, which could not be written to"
    return DestinationReport(
        str(end.location), {Outcome.FAILED: objects}, 0, 0, {}, findings=(why,)
    )


def _end_of(head: Head, run_id: str) -> Head | None:
    """The commit that ended a run."""
    for one in islice(chain(head, 1), _LOOKED_THROUGH):
        if one.commit.identity.run_id == run_id and one.commit.step is Step.END:
            return one
    return None


def _took_part(entry: Entry, name: str, head: Head, look: Look | None) -> bool:
    """Whether an object was among those that a run was to copy, as far as a ledger tells."""
    about = entry.behind or entry.proof
    if about is None or about.origin.uri != f"{head.commit.source}{name}":
        return False  # A replica of something else that lies within this one.
    if look is None:
        return True
    if entry.behind is not None or entry.proof is None:
        return selections.admits(look.selection, name)
    return looks.within(entry.proof, entry.key, look)


def _reported(
    end: Endpoint, head: Head, run_id: str, failures: list[Failure], left_out: list[Failure]
) -> DestinationReport:
    outcomes: Counter[Outcome] = Counter()
    not_kept: Counter[str] = Counter()
    written, tree = 0, MerkleTree()
    look = next((one for one in head.commit.looks if one.run_id == run_id), None)
    for entry in head.entries(end.location.key):
        proof, behind = entry.proof, entry.behind
        name = entry.key[len(end.location.key) :]
        if entry.current and proof is not None:
            tree.add(name, proof.size, proof.digests)
        if not _took_part(entry, name, head, look):
            continue
        if behind is not None:
            outcomes[behind.outcome] += 1
            named = failures if behind.outcome.owed else left_out
            if len(named) < NAMED_FAILURES:
                uri = str(end.location)
                named.append(Failure(name, uri, behind.outcome, behind.kind, behind.reason))
        elif proof is not None and entry.owed:
            this = proof.run_id == run_id
            outcomes[proof.outcome if this else Outcome.UNCHANGED] += 1
            not_kept.update(proof.not_kept)
            written += proof.size if this and proof.outcome.written else 0
    return DestinationReport(
        str(end.location),
        dict(outcomes),
        written,
        head.commit.deleted,
        dict(not_kept),
        commit=head.commit.number,
        ledger_root=head.root,
        commit_uri=head.uri,
        content=tree.root(),
    )
