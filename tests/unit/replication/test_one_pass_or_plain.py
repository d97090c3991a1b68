"""Whatever is listed and known, in whatever order: one pass ends as storing everything does."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from operator import lt
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from airflow_multicloud.adapters.listed_pages import page_of
from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin, Proof
from airflow_multicloud.core.replication import following, one_pass, planning
from airflow_multicloud.core.replication.alike import alike_by
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.coverage import Coverage
from airflow_multicloud.core.replication.last_changes import LastChanges
from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    ObjectFilter,
    ReplicationOptions,
)
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.pages import Known, Page
from airflow_multicloud.ports.object_store import Digests, ObjectMeta
from tests.unit.ledger.made import at

from .memory import endpoint
from .runs import a_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMES = "abcdefgh"
OPTIONS = ReplicationOptions(
    compare_attributes=CompareAttributes.NEVER, filter=ObjectFilter(exclude=("d",), max_size=3)
)
ENDS = (endpoint("one/"), endpoint("two/"))
FROM = endpoint("data/")
RUN = a_run(minutes=60)

# What there may be under one name: mostly what is proven.
KINDS = st.sampled_from(["same"] * 12 + ["other", "larger", "refuted", "declared", "crc", "newer"])
KNOWN = st.sampled_from(
    ["same"] * 14 + ["gone", "behind", "unkept", "ours", "moved", "forged", "weak", "versioned"]
)


def listed(name: str, side: int, kind: str) -> Listed:
    size = 9 if kind == "larger" else 1
    etag = "other" if kind == "other" else f"e{side}"
    md5 = {"refuted": "f" * 32, "declared": None}.get(kind, name * 32)
    digests = Digests(md5=md5, crc32c="0" * 8 if kind == "crc" else None)
    declared = "f" * 32 if kind == "declared" else None
    version = "2" if kind == "newer" else None
    return Listed(name, size, etag, version, at(ord(name)), digests, None, declared)


def known(name: str, side: int, kind: str) -> tuple[str, Entry]:
    digest = "0" if kind == "forged" else name
    proof = Proof(
        size=1,
        etag=f"e{side}",
        digests=Digests(crc32c=name * 8)
        if kind == "weak"
        else Digests(sha256=digest * 64, md5=name * 32),
        origin=Origin(f"{'mem://moved/' if kind == 'moved' else RUN.source}{name}", "e-1"),
        outcome=Outcome.COPIED,
        run_id=RUN.run_id if kind == "ours" else "before",
        at=at(0),
        as_of=at(0),
        version="1" if kind == "versioned" else None,
        confirmed="md5",
        not_kept=("tags",) if kind == "unkept" else (),
    )
    late = Behind(Outcome.FAILED, "before", proof.origin, 1, at(1)) if kind == "behind" else None
    gone = at(1) if kind == "gone" else None
    return name, Entry(ENDS[side].key_of(name), proof, late, gone)


def listing(side: int) -> st.SearchStrategy[list[Listed]]:
    """Mostly all names in order; perhaps some are missing, come twice, or in another order."""
    ordered = st.lists(st.sampled_from(NAMES), min_size=4, unique=True).map(sorted)
    names = st.one_of(st.just([*NAMES]), ordered, st.lists(st.sampled_from(NAMES), max_size=12))
    return names.flatmap(
        lambda found: st.tuples(
            *(st.builds(listed, st.just(n), st.just(side), KINDS) for n in found)
        )
    ).map(list)


def ledger(side: int) -> st.SearchStrategy[list[tuple[str, Entry]]]:
    names = st.one_of(st.just([*NAMES]), st.lists(st.sampled_from(NAMES), unique=True).map(sorted))
    return names.flatmap(
        lambda found: st.tuples(
            *(st.builds(known, st.just(n), st.just(side), KNOWN) for n in found)
        )
    ).map(list)


def in_pages(found: Sequence[Listed], most: int) -> Iterator[Page]:
    """A listing as pages of so many objects."""
    for n in range(0, len(found), most):
        some = found[n : n + most]
        names = [one.name for one in some]
        metas = [
            ObjectMeta(
                bucket="b",
                key=one.name,
                size=one.size,
                etag=one.etag,
                version=one.version,
                last_modified=one.modified,
                digests=one.digests,
                declared=Digests(md5=one.declared),
            )
            for one in some
        ]
        ordered = all(map(lt, names, names[1:]))
        yield Page(names, page_of(metas), attributes=False, ordered=ordered)


def in_parts(found: Sequence[tuple[str, Entry]], most: int) -> Iterator[Known]:
    """A ledger likewise."""
    for n in range(0, len(found), most):
        some = found[n : n + most]
        yield Known([name for name, _ in some], [entry for _, entry in some], ordered=True)


def ended(
    catalog: Catalog, sides: int, deleted: Sequence[str]
) -> tuple[tuple[Any, ...], list[Any]]:
    """All that is made of a catalog once it is filled."""
    planning.decide_all(catalog, FROM, ENDS[:sides], OPTIONS, RUN)
    untouched = catalog.untouched()
    counts = untouched.objects, untouched.bytes, untouched.newest, catalog.totals()
    names = [catalog.is_untouched(name) for name in NAMES]
    found: list[Any] = []
    for side in range(sides):
        whole = Coverage(RUN, ENDS[side], Base(), untouched)
        changes = LastChanges(
            run=RUN,
            catalog=catalog,
            index=side,
            destination=ENDS[side],
            known=(),
            deleted=deleted,
            tidy=True,
            whole=whole,
        )
        for _ in range(2):  # As another try of the commit has it.
            entries = [_timeless(entry) for entry in changes.entries()]
            look = whole.look()
            assert look is not None
            found.append((entries, replace(look, finished=at(0)), whole.root))
        found.append([one.name for one in catalog.extraneous(side)])
        with suppress(StopIteration):
            next(catalog.open_items())
    return (counts, names, list(catalog.items())), found


def _timeless(entry: Entry) -> Entry:
    if entry.proof is None:
        return entry
    moment: datetime = at(0)
    return replace(entry, proof=replace(entry.proof, at=moment))


@settings(max_examples=300, deadline=None)
@given(
    data=st.data(),
    sides=st.sampled_from([1, 2]),
    batch=st.sampled_from([1, 2, 512]),
    together=st.booleans(),
)
def test_one_pass_ends_as_storing_all_does(
    data: st.DataObject, sides: int, batch: int, *, together: bool
) -> None:
    source = data.draw(listing(SOURCE))
    theirs = [data.draw(listing(side)) for side in range(sides)]
    ledgers = [data.draw(ledger(side)) for side in range(sides)]
    deleted = data.draw(st.lists(st.sampled_from("xyz"), unique=True))
    with Catalog() as plain, Catalog() as quick:
        plain.add_listing(SOURCE, source)
        for side in range(sides):
            plain.add_listing(side, theirs[side])
            plain.add_known(side, ledgers[side])
        test = planning.untouched_by(FROM, OPTIONS, RUN)
        following._BATCH, before = batch, following._BATCH
        try:
            alike = alike_by(OPTIONS, RUN, tags=False) if together else None
            by_page = [in_pages(found, batch) for found in (source, *theirs)]
            by_part = [in_parts(found, batch + 1) for found in ledgers]
            one_pass.settle(quick, by_page, by_part, test, lambda _: 1000, alike)
        except following.UnfinishedError:
            sequences = [[one.name for one in found] for found in (source, *theirs)]
            assert any(len(set(names)) < len(names) for names in sequences)
            return  # Then all is stored.
        finally:
            following._BATCH = before
        assert ended(quick, sides, deleted) == ended(plain, sides, deleted)
