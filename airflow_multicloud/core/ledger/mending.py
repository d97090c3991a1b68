"""A ledger of which some segments can't be read: what else it says still counts.

What is gone is unproven, and nothing takes its place. An older entry of the same key is dropped
with it: it may be of an object that was replaced or deleted since, or is behind. Looks that were at
such keys are dropped too, since they vouch for what is not known any more. So whoever damages a
segment gains nothing but that these objects are compared again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import islice

from msgspec.structs import replace as replaced

from airflow_multicloud.core.ledger import segments
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.refs import SegmentRef
from airflow_multicloud.core.ledger.segments import Keys, Run
from airflow_multicloud.errors import CloudError, ErrorKind

#: Segments that may be lost; with more, nothing of the state counts any more.
MOST = 500


def unreadable(head: Head, prefix: str) -> tuple[SegmentRef, ...]:
    """The segments that may have keys below a prefix, and that can't be read.

    No more than :data:`MOST` and one: then nobody needs to know the others.
    """
    keys = Keys(prefix)
    named = (ref for run in head.commit.segments for ref in run if keys.may_have(ref))
    return tuple(islice((ref for ref in named if not _is_readable(head, ref)), MOST + 1))


def mended(head: Head, lost: Collection[SegmentRef], *, cut: bool = False) -> Head | None:
    """The state without some segments; the same if it has none of them.

    :param cut: where only a part of another segment is to be dropped, write the rest again; else
        all of it is dropped.
    :return: ``None`` if too much is lost.
    """
    gone = frozenset(lost)
    holes = Holes()
    runs: list[Run] = []
    for run in reversed(head.commit.segments):  # The newest first: it is older ones that are cut.
        holes = holes.with_more(ref for ref in run if ref in gone)
        kept, grown = _cut(head, [ref for ref in run if ref not in gone], holes, cut=cut)
        holes = holes.with_more(grown)
        if holes.count > MOST:
            return None
        runs.append(kept)
    if not holes.count:
        return head
    looks = tuple(look for look in head.commit.looks if not holes.may_be_below(look.prefix))
    segments_left = tuple(run for run in reversed(runs) if run)
    return replace(head, commit=replaced(head.commit, segments=segments_left, looks=looks))


def text(lost: Collection[SegmentRef], why: str) -> str:
    """What was lost, for readers."""
    ranges = "; ".join(f"from {ref.first!r} to {ref.last!r}" for ref in list(lost)[:3])
    more = f" and of {len(lost) - 3} more ranges" if len(lost) > 3 else ""  # noqa: PLR2004
    return f"what it said of keys {ranges}{more} is lost: {why}"


def _is_readable(head: Head, ref: SegmentRef) -> bool:
    try:
        next(segments.read(head.end, ref))
    except CloudError as err:
        if err.kind is not ErrorKind.INTEGRITY:
            raise
        return False
    return True


def _cut(
    head: Head, run: Collection[SegmentRef], holes: Holes, *, cut: bool
) -> tuple[Run, list[SegmentRef]]:
    """A run without what is older than what was lost, and its segments that were not cut."""
    kept: list[SegmentRef] = []
    grown: list[SegmentRef] = []
    for ref in run:
        if not holes.meet(ref):
            kept.append(ref)
        elif not holes.has(ref.first, ref.last):
            if not cut or len(grown) > MOST or not _is_readable(head, ref):
                grown.append(ref)
                continue
            found = segments.read(head.end, ref)
            kept += segments.write(
                head.end, (entry for entry in found if not holes.has(entry.key, entry.key))
            )
    return tuple(kept), grown


@dataclass(frozen=True, slots=True)
class Holes:
    """Ranges of keys that were lost.

    :param count: how many segments they are of.
    :param firsts: the first keys of ranges that do not meet, in their order, and
    :param lasts: the last ones.
    """

    count: int = 0
    firsts: tuple[str, ...] = ()
    lasts: tuple[str, ...] = ()

    def with_more(self, refs: Iterable[SegmentRef]) -> Holes:
        """These and the ranges of more segments."""
        more = [(ref.first, ref.last) for ref in refs]
        firsts, lasts = list[str](), list[str]()
        for first, last in sorted([*zip(self.firsts, self.lasts, strict=True), *more]):
            if lasts and first <= lasts[-1]:
                lasts[-1] = max(lasts[-1], last)
            else:
                firsts.append(first)
                lasts.append(last)
        return Holes(self.count + len(more), tuple(firsts), tuple(lasts))

    def meet(self, ref: SegmentRef) -> bool:
        """Whether a segment may have some of these keys."""
        place = bisect_left(self.lasts, ref.first)
        return place < len(self.firsts) and self.firsts[place] <= ref.last

    def has(self, first: str, last: str) -> bool:
        """Whether all keys from one to another are lost."""
        place = bisect_left(self.lasts, last)
        return place < len(self.firsts) and self.firsts[place] <= first

    def may_be_below(self, prefix: str) -> bool:
        """Whether a key below a prefix may be lost."""
        place = bisect_left(self.lasts, prefix)
        return place < len(self.firsts) and self.firsts[place][: len(prefix)] <= prefix
