"""What a ledger says of an object once a run is done with it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from airflow_multicloud.core.ledger import looks, selections
from airflow_multicloud.core.ledger.commits import Look
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin, Proof
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import Run
from airflow_multicloud.text import printable

#: A reason is for readers; a store may say a lot.
_REASON = 500


def entry_of(
    run: Run,
    key: str,
    item: Item,
    index: int,
    before: Entry | None,
    known: Sequence[Look],
) -> Entry | None:
    """What a ledger says of an object once a run is done with it.

    :param index: of the destination whose ledger it is.
    :param before: what it said.
    :param known: the looks that were known when the run began.
    """
    state = item.replicas[index]
    outcome = state.outcome
    if outcome is None:
        return before
    origin = Origin(run.origin_of(item.name), item.etag, item.version, item.modified)
    if outcome is Outcome.UNCHANGED and before is not None and before.proof is not None:
        proof = replace(
            before.proof,
            attributes=state.attributes,
            tags=state.tags,
            seen=state.seen,
            not_kept=state.not_kept,
        )
        return replace(before, proof=proof, behind=None, gone=None)
    if outcome.sound and (kept := _recorded_before(run, state, origin, before)) is not None:
        return kept
    if outcome.sound:
        return Entry(
            key,
            Proof(
                size=item.size,
                etag=state.etag or "",
                digests=item.digests_at(index),
                origin=origin,
                outcome=outcome,
                run_id=run.run_id,
                at=datetime.now(UTC),
                as_of=run.as_of,
                version=state.version,
                confirmed=state.confirmed,
                not_kept=state.not_kept,
                attributes=state.attributes,
                tags=state.tags,
                seen=state.seen,
            ),
        )
    behind = Behind(
        outcome=outcome,
        run_id=run.run_id,
        origin=origin,
        size=item.size,
        at=run.as_of,
        kind=state.kind,
        reason=printable(state.reason or "")[:_REASON] or None,
        since=_since(run, key, item.name, before, known),
    )
    return Entry(key, before.proof if before else None, behind)


def as_recorded(state: Replica, proof: Proof) -> Replica:
    """A replica as a ledger has it: what :func:`entry_of` has made of one."""
    return replace(
        state,
        outcome=proof.outcome,
        etag=proof.etag,
        version=proof.version,
        confirmed=proof.confirmed,
        digests=proof.digests,
        not_kept=proof.not_kept,
        attributes=proof.attributes,
        tags=proof.tags,
        seen=proof.seen,
    )


def _recorded_before(
    run: Run, state: Replica, origin: Origin, before: Entry | None
) -> Entry | None:
    """What this very run has recorded of the object already, in another task or try."""
    proof = before.proof if before else None
    if before is None or proof is None or proof.run_id != run.run_id or not proof.etag:
        return None
    if (proof.etag, proof.outcome, proof.origin) != (state.etag, state.outcome, origin):
        return None
    return replace(before, behind=None, gone=None)


def _since(
    run: Run, key: str, name: str, before: Entry | None, known: Sequence[Look]
) -> datetime | None:
    """Until when a destination was up to date with an object that it is behind with now."""
    if before is not None:
        about = before.behind or before.proof
        # With what another source has put there it was never up to date.
        ours = about is not None and about.origin.uri == run.origin_of(name)
        return looks.as_of(before, known) if ours else None
    # It knew that there was none.
    seen = [
        look.as_of
        for look in known
        if look.selection == looks.ALL
        and key.startswith(look.prefix)
        and not look.strangers
        and not look.displaced
        and look.source + key[len(look.prefix) :] == run.origin_of(name)
    ]
    return max(seen, default=None)


def entry_of_absent(run: Run, name: str, before: Entry, *, there: bool, deleted: bool) -> Entry:
    """What a ledger says of a name that the source does not have.

    :param before: what it said.
    :param there: whether the destination has it.
    :param deleted: whether the run has deleted it there.
    """
    if deleted:
        return Entry(before.key, removed=True)
    about = before.proof or before.behind
    ours = about is not None and about.origin.uri == run.origin_of(name)
    if not ours or not selections.admits(run.selection, name):
        return before  # Another source's, or none that this run was to look at.
    if before.behind is not None and before.behind.origin.uri != run.origin_of(name):
        return Entry(before.key, behind=before.behind)  # Another source's is still to come.
    if before.proof is None or not (there or before.owed):
        return Entry(before.key, removed=True)
    if before.gone is not None:
        return before
    return replace(before, gone=run.as_of, behind=None)
