"""Ledgers in the in-memory cloud, and entries to put into them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger import writing
from airflow_multicloud.core.ledger.base import Base, base_of
from airflow_multicloud.core.ledger.commits import Identity, Look, Selection, Step
from airflow_multicloud.core.ledger.entries import Entry, Origin, Proof
from airflow_multicloud.core.ledger.state import Draft
from airflow_multicloud.core.replication.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_multicloud.core.endpoints import Endpoint

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(minutes=minutes)


def proof(
    content: bytes = b"1", *, etag: str = "e", minutes: float = 0, source: str = "s"
) -> Proof:
    """A proven object."""
    return Proof(
        size=len(content),
        etag=etag,
        digests=digests_of(content),
        origin=Origin(f"mem://lab/{source}", etag=f"s-{etag}", modified=at(minutes)),
        outcome=Outcome.COPIED,
        run_id="run",
        at=at(minutes),
        as_of=at(minutes),
        confirmed="sha256",
    )


def entry(key: str, content: bytes = b"1", *, etag: str = "e", minutes: float = 0) -> Entry:
    """An entry that proves an object."""
    return Entry(key, proof(content, etag=etag, minutes=minutes, source=key))


def look(
    prefix: str = "",
    minutes: float = 0,
    *,
    selection: Selection = Selection(),
    source: str | None = None,
    behind: int = 0,
    since: datetime | None = None,
    objects: int = 10,
    strangers: int = 0,
) -> Look:
    """A look that a run has had; the source has the same keys unless it is named."""
    return Look(
        prefix=prefix,
        source=f"mem://lab/{prefix}" if source is None else source,
        selection=selection,
        as_of=at(minutes),
        run_id=f"run-{minutes}",
        started=at(minutes),
        finished=at(minutes + 60),
        objects=objects,
        proven=objects - behind,
        behind=behind,
        since=since,
        strangers=strangers,
    )


def draft(
    token: str = "token",
    step: Step = Step.PROGRESS,
    *,
    prefix: str = "",
    found: Look | None = None,
    task: str = "",
    map_index: int | None = -1,
    tried: int | None = 1,
) -> Draft:
    """What a commit is to say."""
    return Draft(
        identity=Identity(
            f"run-{token}", token, task_id=task, map_index=map_index, try_number=tried
        ),
        step=step,
        prefix=prefix,
        source="mem://lab/",
        started=NOON,
        look=lambda: found,
    )


def commit(
    end: Endpoint,
    changes: Sequence[Entry],
    base: Base | None = None,
    *,
    this: Draft | None = None,
    known: Callable[[str], Entry | None] = lambda _: None,
) -> Base:
    """Commit changes upon what is there, or upon what a run has seen earlier."""
    return writing.commit(
        end,
        this or draft(),
        lambda: iter(changes),
        base=base or base_of(end),
        known=known,
    )
