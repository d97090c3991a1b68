"""A verification during a run goes by the state before it or after it, and never by a mixture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.under_way import Clock
from airflow_multicloud.core.replication.verification import VerificationReport, verify
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import commit, draft

from .memory import SMALL, World, conn_of, fill, ledger, own, world

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta

TREE = {"a": b"1", "b": b"2", "x/c": b"3"}
BEGIN = draft("second", Step.BEGIN, prefix="copy/")


@dataclass
class Fake:
    """A clock that nobody waits for: something happens instead."""

    later: timedelta = timedelta(0)
    happens: list[Callable[[], object]] = field(default_factory=list)
    slept: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self.happens:
            self.happens.pop(0)()

    def clock(self) -> Clock:
        return Clock(
            now=lambda: datetime.now(UTC) + self.later + timedelta(seconds=self.slept),
            monotonic=lambda: self.slept,
            sleep=self.sleep,
        )


@pytest.fixture
def lab() -> World:
    made = world(TREE)
    replicate(made.replication(), run_id="first")
    return made


def put(there: Endpoint, name: str, content: bytes) -> str:
    return there.store.put_object(there.ref(there.key_of(name)), content).etag


def new_entry(there: Endpoint, name: str, content: bytes, etag: str) -> Entry:
    known = ledger(there).entry(there.key_of(name))
    assert known is not None
    assert known.proof is not None
    proof = changed(known.proof, size=len(content), etag=etag, digests=digests_of(content))
    return Entry(known.key, changed(proof, version=None))


def record(there: Endpoint, step: Step, *entries: Entry) -> None:
    known = ledger(there).entry
    this = draft("second", step, prefix="copy/")
    commit(there, sorted(entries, key=lambda one: one.key), this=this, known=known)


def seen(report: VerificationReport) -> dict[str, int]:
    assert sum(report.findings.values()) == report.objects
    return {str(finding): count for finding, count in report.findings.items()}


def test_what_a_run_replaces_is_judged_by_what_it_records(lab: World) -> None:
    (there,) = lab.destinations
    commit(there, [], this=BEGIN)
    etags = [put(there, name, b"new") for name in ("a", "b")]
    one, other = (new_entry(there, n, b"new", e) for n, e in zip("ab", etags, strict=True))
    fake = Fake(
        happens=[
            lambda: None,
            lambda: record(there, Step.PROGRESS, one),
            lambda: record(there, Step.PROGRESS, other),
        ]
    )
    before = ledger(there).commit.number
    report = verify(there, clock=fake.clock())
    assert seen(report) == {"verified": 3}
    assert (report.proven, report.commit, report.newer_commit) == (True, before, before + 2)
    assert fake.slept == 3
    assert "run run-second, since 2026-01-01T12:00:00+00:00" in report.open_runs[0]


class Meanwhile(object_store.Hook):
    """Something happens between the look at the ledger and the listing."""

    happens: Callable[[], object] | None = None

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        if not prefix.startswith(".airflow") and self.happens is not None:
            happens, self.happens = self.happens, None
            happens()
        return super().list_objects(bucket, prefix)


def while_listed(there: Endpoint, happens: Callable[[], object]) -> Endpoint:
    store = Meanwhile(conn_of(there))
    store.happens = happens
    return replace(there, store=store)


def test_a_whole_run_in_between_is_no_damage_and_nothing_is_waited_for(lab: World) -> None:
    (there,) = lab.destinations

    def run() -> None:
        fill(lab.source, {"a": b"new", "new": b"4"})
        lab.source.store.delete_object(lab.source.ref(lab.source.key_of("b")))
        replicate(lab.replication(replace(SMALL, delete_extraneous=True, max_delete=1)))

    fake = Fake()
    report = verify(while_listed(there, run), clock=fake.clock())
    assert seen(report) == {"verified": 2}
    assert (report.extraneous, fake.slept) == (0, 0)


def test_an_earlier_run_is_not_judged_by_later_ones(lab: World) -> None:
    (there,) = lab.destinations
    commit(there, [], this=BEGIN)
    put(there, "a", b"new")
    fake = Fake()
    assert seen(verify(there, run_id="first", clock=fake.clock())) == {"changed": 1, "verified": 2}
    assert fake.slept == 0


def test_what_stays_unexplained_while_a_run_writes_is_neither_proven_nor_damaged(
    lab: World,
) -> None:
    (there,) = lab.destinations
    commit(there, [], this=BEGIN)
    put(there, "a", b"new")
    there.store.delete_object(there.ref(there.key_of("b")))
    fake = Fake()
    report = verify(there, clock=fake.clock())
    assert seen(report) == {"unverifiable": 2, "verified": 1}
    for found in report.found:
        assert found.reason.startswith("being replaced by run run-second, since 2026-01-01T12:00")
    assert 30 <= fake.slept <= 90
    assert not report.proven


def test_news_that_never_ends_is_not_waited_for_for_ever(lab: World) -> None:
    (there,) = lab.destinations
    commit(there, [], this=BEGIN)
    put(there, "a", b"new")
    fake = Fake(happens=[lambda: record(there, Step.PROGRESS)] * 1000)
    assert seen(verify(there, clock=fake.clock())) == {"unverifiable": 1, "verified": 2}
    assert fake.slept <= 200


@pytest.mark.parametrize(
    ("later", "finding"), [(timedelta(minutes=5), "unverifiable"), (timedelta(hours=7), "changed")]
)
def test_a_run_that_was_killed_is_not_waited_for(
    lab: World, later: timedelta, finding: str
) -> None:
    (there,) = lab.destinations
    commit(there, [], this=BEGIN)
    put(there, "a", b"new")
    fake = Fake(later=later)
    assert seen(verify(there, clock=fake.clock())) == {finding: 1, "verified": 2}
    assert fake.slept == 0


def test_a_run_elsewhere_explains_nothing(lab: World) -> None:
    (there,) = lab.destinations
    commit(there, [], this=draft("second", Step.BEGIN, prefix="copy/x/"))
    put(there, "a", b"new")
    put(there, "x/c", b"new")
    fake = Fake()
    report = verify(there, clock=fake.clock())
    assert seen(report) == {"changed": 1, "unverifiable": 1, "verified": 1}
    assert [found.name for found in report.found] == ["a", "x/c"]
    one = replace(there, location=there.location.with_key("copy/a"))
    fake = Fake()
    assert seen(verify(one, clock=fake.clock())) == {"changed": 1}
    assert fake.slept == 0


def test_damage_is_damage_once_the_run_has_ended(lab: World) -> None:
    (there,) = lab.destinations
    commit(there, [], this=BEGIN)
    put(there, "a", b"new")
    there.store.delete_object(there.ref(there.key_of("b")))
    gone = changed(new_entry(there, "x/c", b"3", "e"), gone=datetime.now(UTC))
    fake = Fake(happens=[lambda: None, lambda: record(there, Step.END, gone)])
    report = verify(there, clock=fake.clock())
    assert seen(report) == {"changed": 1, "missing": 1, "verified": 1}
    assert fake.slept == 2


def test_what_the_run_deletes_is_owed_no_more(lab: World) -> None:
    (there,) = lab.destinations
    commit(there, [], this=BEGIN)
    key = there.key_of("a")
    there.store.delete_object(there.ref(key))
    fake = Fake(happens=[lambda: record(there, Step.END, Entry(key, removed=True))])
    assert seen(verify(there, clock=fake.clock())) == {"verified": 2}


def test_a_ledger_that_is_written_anew_meanwhile_is_refused(lab: World) -> None:
    (there,) = lab.destinations

    def rewrite() -> None:
        for key in own(there):
            there.store.delete_object(there.ref(key))
        replicate(world(TREE).with_destination(there.store).replication())
        put(there, "a", b"theirs")

    with pytest.raises(StorageError, match="somebody writes the ledger anew") as err:
        verify(while_listed(there, rewrite), clock=Fake().clock())
    assert err.value.kind is ErrorKind.INTEGRITY
