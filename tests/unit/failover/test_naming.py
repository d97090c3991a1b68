"""Names and ledgers of a great many objects are streamed, and looked up in bounded memory."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.failover.copies import Copies
from airflow_multicloud.core.failover.names import Names
from airflow_multicloud.core.failover.naming import names_of
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.ledger import segments
from airflow_multicloud.core.ledger.entries import Entry, Origin, Proof
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectMeta
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.ledgers import write
from tests.unit.failover.stores import candidates, replicas
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint

MANY = 30_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MB = 1 << 20


def name_of(number: int) -> str:
    return f"a/rather/long/{number // 1000:05}/name{'x' * 150}/{number:09}"


@contextmanager
def bounded(most: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
        assert peak < most
    finally:
        tracemalloc.stop()


def later(seconds: float = 60) -> float:
    return time.monotonic() + seconds


class Large(object_store.Hook):
    """Lists more than anybody should hold."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        if prefix != "data/":
            return
        for number in range(MANY):
            yield ObjectMeta(
                bucket=bucket, key=prefix + name_of(number), size=1, etag="e", last_modified=NOW
            )


def test_a_long_listing_is_not_held(tmp_path: Path) -> None:
    end = endpoint(hook=Large)
    copies = Copies(candidates(end), FailoverPolicy())
    target = FileTarget(tmp_path)
    with bounded(2 * MB):  # All names at once have more than 6.
        naming, _ = names_of(copies, later())
        with closing(naming.names) as names:
            assert len(names) == MANY
            for number, name in enumerate(names):
                if number % 100 == 0:
                    target.below(name, names)


def large_ledger(end: Endpoint) -> None:
    """A ledger of so many objects, in segments."""

    def entries() -> Iterator[Entry]:
        for number in range(MANY):
            key = end.key_of(name_of(number))
            digests = Digests(sha256=f"{number:064x}")
            origin = Origin(f"s3://p/{key}", "e", None, NOW)
            proof = Proof(1, "e", digests, origin, Outcome.COPIED, "run", NOW, NOW)
            yield Entry(key, proof)

    write(end, segments=(segments.write(end, entries()),))


def test_a_large_ledger_is_not_held() -> None:
    """Neither its names nor what it says of each object."""
    end = endpoint()
    large_ledger(end)
    copies = Copies(replicas(end), FailoverPolicy())
    replica = copies.all[1]
    with bounded(24 * MB):  # A segment or two; all of them have more than 60.
        naming, failed = names_of(copies, later())
        assert [attempt.kind for attempt in failed] == [ErrorKind.UNAVAILABLE]
        with closing(naming.names) as names:
            assert len(names) == MANY
            for number, name in enumerate(names):
                if number % 500 == 0:
                    proof = replica.reference(name).proof
                    assert proof is not None
                    assert proof.digests.sha256 == f"{number:064x}"


def test_each_segment_is_read_once_where_names_come_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = endpoint()
    monkeypatch.setattr(segments, "ENTRIES", 10)
    monkeypatch.setattr("tests.unit.failover.test_naming.MANY", 100)
    large_ledger(end)
    read: list[str] = []
    real = segments.read
    monkeypatch.setattr(segments, "read", lambda e, ref: read.append(ref.first) or real(e, ref))
    _, copy = Copies(replicas(end), FailoverPolicy()).all
    for number in range(100):
        assert copy.reference(name_of(number)).proof is not None
    assert len(read) == len(set(read)) == 10
    assert copy.reference("zzz").proof is None
    assert copy.reference(name_of(5) + "x").proof is None


def test_a_listing_that_breaks_half_way_is_taken_from_the_next() -> None:
    class Breaking(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            yield from super().list_objects(bucket, prefix)
            if prefix == "data/":
                raise StorageError("the second page", kind=ErrorKind.UNAVAILABLE)

    broken, good = endpoint(hook=Breaking), endpoint()
    for end in (broken, good):
        end.store.put_object(end.ref("data/a"), b"a")
    good.store.put_object(good.ref("data/b"), b"b")
    naming, failed = names_of(Copies(candidates(broken, good), FailoverPolicy()), later())
    with closing(naming.names) as names:
        assert list(names) == ["a", "b"]
    assert [attempt.uri for attempt in failed] == [str(broken.location)]


def test_names_of_who_is_given_up_are_forgotten() -> None:
    """A connection to a database that nobody closes is an error in Python 3.13."""

    class Slow(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            time.sleep(0.3)
            return super().list_objects(bucket, prefix)

    slow = endpoint(hook=Slow)
    policy = FailoverPolicy(attempt_timeout=timedelta(seconds=0.1))
    with pytest.raises(FailoverError, match="attempt_timeout"):
        names_of(Copies(candidates(slow), policy), later())
    time.sleep(1)


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]))), st.text(max_size=3))
def test_names_are_in_order_and_found(some: set[str], least: str) -> None:
    least = least.encode(errors="ignore").decode()
    with closing(Names()) as names:
        assert (len(names), list(names), names.first_from("")) == (0, [], None)
        names.add(sorted(some, reverse=True))
        names.add(some)
        assert len(names) == len(some)
        assert list(names) == sorted(some)
        assert all(name in names for name in some)
        assert (least in names) == (least in some)
        assert names.first_from(least) == min((n for n in some if n >= least), default=None)
