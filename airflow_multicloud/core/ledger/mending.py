"""A ledger of which some segments can't be read: what else it says still counts.

What is gone is unproven, and nothing takes its place. An older entry of the same key is dropped
with it: it may be of an object that was replaced or deleted since, or is behind. Looks that were at
such keys are dropped too, since they vouch for what is not known any more. So whoever damages a
segment gains nothing but that these objects are compared again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from msgspec.structs import replace as replaced

from airflow_multicloud.core.ledger import segments
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.refs import SegmentRef
from airflow_multicloud.core.ledger.segments import Keys, Run
from airflow_multicloud.errors import CloudError, ErrorKind


def unreadable(head: Head, prefix: str) -> tuple[SegmentRef, ...]:
    """The segments that may have keys below a prefix, and that can't be read."""
    keys = Keys(prefix)
    named = [ref for run in head.commit.segments for ref in run if keys.may_have(ref)]
    return tuple(ref for ref in named if not _is_readable(head, ref))


def mended(head: Head, lost: Collection[SegmentRef], *, cut: bool = False) -> Head:
    """The state without some segments; the same if it has none of them.

    :param cut: where only a part of another segment is to be dropped, write the rest anew; else
        all of it is dropped.
    """
    holes: list[SegmentRef] = []
    runs: list[Run] = []
    for run in reversed(head.commit.segments):  # The newest first: it is older ones that are cut.
        holes += [ref for ref in run if ref in lost]
        runs.append(_cut(head, [ref for ref in run if ref not in lost], holes, cut=cut))
    if not holes:
        return head
    looks = tuple(
        look
        for look in head.commit.looks
        if not any(Keys(look.prefix).may_have(hole) for hole in holes)
    )
    kept = tuple(run for run in reversed(runs) if run)
    return replace(head, commit=replaced(head.commit, segments=kept, looks=looks))


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


def _cut(head: Head, run: Collection[SegmentRef], holes: list[SegmentRef], *, cut: bool) -> Run:
    """A run without what is older than what was lost.

    :param holes: what was lost; gets the segments that are not cut.
    """
    kept: list[SegmentRef] = []
    newer = tuple(holes)
    for ref in run:
        over = [one for one in newer if one.first <= ref.last and ref.first <= one.last]
        if not over:
            kept.append(ref)
        elif not any(one.first <= ref.first and ref.last <= one.last for one in over):
            if not cut or not _is_readable(head, ref):
                holes.append(ref)
                continue
            kept += segments.write(
                head.end,
                (
                    entry
                    for entry in segments.read(head.end, ref)
                    if not any(one.first <= entry.key <= one.last for one in over)
                ),
            )
    return tuple(kept)
