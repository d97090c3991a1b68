"""Objects that are untouched for certain, some at a time, by the columns of pages.

What is not certain here is looked at one by one: see :func:`planning.untouched_by`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.adapters.digests import identifies
from airflow_multicloud.core.ledger.entries import Entry, Proof
from airflow_multicloud.core.replication import disputes
from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    ObjectFilter,
    ReplicationOptions,
)
from airflow_multicloud.core.replication.pages import Page
from airflow_multicloud.core.replication.run import Run


@dataclass(frozen=True, slots=True)
class Rows:
    """Some objects of a page that follow each other.

    :param at: the place of the first.
    """

    page: Page
    at: int


@dataclass(frozen=True, slots=True)
class Alike:
    """Tells how many objects are untouched for certain.

    :param run: what this very run has proven is never among them.
    :param attributes: whether they count, where the source's listing does not tell them.
    :param chosen: which objects take part; ``None``: all.
    """

    run: Run
    attributes: bool
    chosen: ObjectFilter | None

    def count(
        self, source: Rows, there: Sequence[Rows], known: Sequence[Sequence[Entry]], most: int
    ) -> int:
        """How many of the next objects are; after them comes one that may be.

        :param there: what each destination has; the names are the source's.
        :param known: what its ledger has; likewise.
        :param most: how many there are to be looked at.
        """
        if source.page.attributes:
            return 0
        for rows, entries in zip(there, known, strict=True):
            most = self._count_at(source, rows, entries[:most])
        if len(known) > 1:
            most = _agreeing(known, most)
        return most if self.chosen is None else self._admitted(self.chosen, source, most)

    def _admitted(self, chosen: ObjectFilter, source: Rows, most: int) -> int:
        names, columns, now = source.page.names, source.page.columns, self.run.started
        for n, at in enumerate(range(source.at, source.at + most)):
            if not chosen.admits(names[at], columns.sizes[at], columns.modified[at], now=now):
                return n
        return most

    def _count_at(self, source: Rows, there: Rows, entries: Sequence[Entry]) -> int:
        proofs = _current(entries)
        most = len(proofs)
        ours, theirs = _columns(source, most), _columns(there, most)
        names = source.page.names[source.at : source.at + most]
        rows = enumerate(zip(names, *ours[:3], *theirs, proofs, strict=True))
        for n, (name, size, etag, modified, its_size, its_etag, _, version, proof) in rows:
            origin = proof.origin
            if (
                not etag
                or not its_etag
                or origin.etag != etag
                or proof.etag != its_etag
                or proof.size != size
                or size != its_size
                or origin.uri != self.run.source + name
                or proof.run_id == self.run.run_id
                or proof.not_kept
                or not proof.proven
                or not identifies(proof.digests)
                or (version is not None and proof.version not in (None, version))
                or (self.attributes and (proof.attributes is None or proof.seen != modified))
            ):
                most = n
                break
        for rows_of in (source, there):
            most = _not_contradicted(rows_of, proofs[:most])
        return most


def alike_by(options: ReplicationOptions, run: Run, *, tags: bool) -> Alike | None:
    """What tells them, where options leave nothing else to be looked at.

    :param tags: whether the source's tags are looked at.
    """
    compare = options.compare_attributes
    if compare is CompareAttributes.ALWAYS or tags:
        return None
    chosen = None if options.filter == ObjectFilter() else options.filter
    return Alike(run, compare is not CompareAttributes.NEVER, chosen)


def _current(entries: Sequence[Entry]) -> list[Proof]:
    """The proofs of the first entries that have one, and nothing newer beside it."""
    found: list[Proof] = []
    for entry in entries:
        if entry.proof is None or entry.behind is not None or entry.gone is not None:
            break
        found.append(entry.proof)
    return found


def _columns(rows: Rows, count: int) -> tuple[Sequence[Any], ...]:
    columns, at, to = rows.page.columns, rows.at, rows.at + count
    versions = columns.versions[at:to] if columns.versions else (None,) * count
    return columns.sizes[at:to], columns.etags[at:to], columns.modified[at:to], versions


def _not_contradicted(rows: Rows, proofs: Sequence[Proof]) -> int:
    """How many of the first proofs have each digest that is listed; of more nothing is certain."""
    columns, most = rows.page.columns, len(proofs)
    for name, column in (
        ("md5", columns.md5s),
        ("md5", columns.declared_md5s),
        ("crc32c", columns.crc32cs),
        ("sha256", columns.sha256s),
    ):
        listed = column[rows.at : rows.at + most]
        own = [getattr(proof.digests, name) for proof in proofs[: len(listed)]]
        if listed != own:
            pairs = zip(listed, own, strict=True)
            most = next((n for n, (told, has) in enumerate(pairs) if told not in (None, has)), most)
    return most


def _agreeing(known: Sequence[Sequence[Entry]], most: int) -> int:
    """How many of the first objects the ledgers say the same of."""
    for n, entries in enumerate(zip(*known, strict=False)):
        if n == most:
            break
        first, *others = (entry.proof for entry in entries)
        if any(first.digests != other.digests for other in others) and (
            disputes.contradict_each_other([first, *others])
        ):
            return n
    return most
