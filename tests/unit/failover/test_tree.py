"""A prefix whose primary is gone: what that costs for each of its objects."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud import api
from airflow_multicloud.core.failover.local_names import QUOTE, Among
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError, IncompleteFetchError
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget, TargetError
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.stores import candidates, put
from tests.unit.replication.memory import BUCKET, endpoint, endpoint_with

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.provenance import TreeProvenance
    from airflow_multicloud.core.failover.targets import StagedDirectory, StagedFile, Target
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectRef

OBJECTS = 40


@pytest.mark.parametrize("bucket", ["no such", BUCKET], ids=["no bucket", "an empty bucket"])
def test_a_primary_that_is_gone_is_not_asked_for_every_object(tmp_path: Path, bucket: str) -> None:
    primary, replica = endpoint(), endpoint()
    primary = replace(primary, location=replace(primary.location, bucket=bucket))
    for number in range(OBJECTS):
        put(replica, f"{number}")
    served = fetch_tree(candidates(primary, replica), FileTarget(tmp_path))
    assert served.served == {str(replica.location): OBJECTS}
    assert served.failed_over
    assert served.failed_attempts == 1
    assert [a.kind for a in served.attempts] == [ErrorKind.NOT_FOUND]


def fetched(primary: Endpoint, target: Target, lost: int) -> TreeProvenance:
    """What a fetch has done that could not do all."""
    with pytest.raises(IncompleteFetchError, match=rf"^{lost} of \d+ objects were not") as caught:
        fetch_tree(candidates(primary), target)
    done = caught.value.provenance
    assert done is not None
    assert done.unfit + done.failed == lost
    assert "all others are in place" in str(caught.value)
    return done


def tree(top: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(top)): None if path.is_dir() else path.read_bytes()
        for path in sorted(top.rglob("*"))
    }


@pytest.mark.parametrize(
    ("names", "lost"), [(("a", "a/b"), "a"), (("a", "a/"), "a/"), (("x/a", "x/a/b/c"), "x/a")]
)
def test_of_a_file_and_a_directory_of_one_name_one_is_lost(
    tmp_path: Path, names: tuple[str, str], lost: str
) -> None:
    contents = {n: b"" if n.endswith("/") else n.encode() for n in ("0", "z/y", *names)}
    primary = endpoint_with(contents)
    done = fetched(primary, FileTarget(tmp_path), 1)
    assert done.objects == 3
    assert list(done.unfit_names) == [lost]
    assert "a path can't be both a file's and a directory's" in done.unfit_names[lost]
    for name in contents.keys() - {lost}:
        assert (tmp_path / name).read_bytes() == contents[name]
    # A store has no such trouble.
    assert fetch_tree(candidates(primary), ObjectTarget(endpoint())).objects == 4


def test_a_key_that_the_target_store_refuses_costs_itself() -> None:
    class Picky(object_store.Hook):
        def why_not_key(self, key: str) -> str | None:
            return "too long" if key.endswith("long") else None

    there = endpoint()
    picky = Picky(there.location.conn_id or "")
    primary = endpoint_with({"0": b"0", "long": b"1"})
    done = fetched(primary, ObjectTarget(replace(there, store=picky)), 1)
    assert list(done.unfit_names) == ["long"]
    assert done.unfit_names["long"].endswith("can't be below " + done.target + ": too long")
    assert [found.key for found in there.store.list_objects("lab")] == ["data/0"]


def test_odd_keys_are_put_under_their_encoded_names(tmp_path: Path) -> None:
    contents = {
        "../out": b"1",
        "a//b": b"2",
        "./c": b"3",
        "d\0e": b"4",
        "plain": b"5",
        "with/content/": b"6",
        "without/": b"",
        "": b"7",
    }
    primary = endpoint_with(contents)
    top = tmp_path / "top"
    done = fetch_tree(candidates(primary), FileTarget(top))
    assert (done.objects, done.encoded, done.unfit) == (8, 6, 0)
    assert {p.name for p in tmp_path.iterdir()} == {"top"}
    assert done.encoded_names == {
        "../out": f"{top}/{QUOTE}../out",
        "a//b": f"{top}/a/{QUOTE}/b",
        "./c": f"{top}/{QUOTE}./c",
        "d\0e": f"{top}/d\u2400e",
        "with/content/": f"{top}/with/content/{QUOTE}",
        "": f"{top}/{QUOTE}",
    }
    for name, path in done.encoded_names.items():
        assert Path(path).read_bytes() == contents[name]
        assert api.name_of_path(Path(path).relative_to(top)) == name
    assert (top / "plain").read_bytes() == b"5"
    assert (top / "without").is_dir()
    assert fetch_tree(candidates(primary), FileTarget(top)) == done  # again, over what is there


@given(
    names=st.sets(
        st.lists(st.text("ab./\0\u2400" + QUOTE, max_size=3), min_size=1, max_size=3).map("/".join),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=25, deadline=None)
def test_what_was_fetched_is_named_by_its_paths(names: set[str]) -> None:
    contents = {name: f"of {name}".encode() for name in names}
    primary = endpoint_with(contents)
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch, "top")
        done: TreeProvenance | None
        try:
            done = fetch_tree(candidates(primary), FileTarget(top))
        except IncompleteFetchError as err:
            done = err.provenance
        assert done is not None
        found = {
            api.name_of_path(path): content
            for path, content in tree(top).items()
            if content is not None
        }
        assert [path.name for path in Path(scratch).iterdir()] == ["top"]
    assert found == {n: c for n, c in contents.items() if n not in done.unfit_names}
    assert done.objects + done.unfit == len(names)


def test_names_that_no_encoding_holds_cost_themselves(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    top = tmp_path / "top"
    (top / "is/a/directory").mkdir(parents=True)
    (top / "is/a/file").write_bytes(b"old")
    (top / "link").symlink_to(outside)
    lost = ["long/" + "x" * 256, "link/x", "is/a/directory", "is/a/file/below", "is/a/file/too"]
    primary = endpoint_with(dict.fromkeys(("0", "z", *lost), b"content"))
    done = fetched(primary, FileTarget(top), len(lost))
    assert done.objects == 2
    assert sorted(done.unfit_names) == sorted(lost)
    assert done.failed_attempts == 0  # of no candidate
    assert list(outside.iterdir()) == []
    assert (top / "is/a/file").read_bytes() == b"old"
    assert not [path for path in tree(top) if path.endswith(".part")]


def test_a_long_name_in_wide_characters_has_a_temporary_file(tmp_path: Path) -> None:
    name = "\u5b57" * 85  # 255 bytes
    primary = endpoint_with({name: b"content"})
    assert fetch_tree(candidates(primary), FileTarget(tmp_path)).objects == 1
    assert (tmp_path / name).read_bytes() == b"content"


class Picky(object_store.Hook):
    """Fails with the objects that have this in their keys."""

    bad = "bad"
    kind = ErrorKind.UNAVAILABLE

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        if self.bad in ref.key:
            raise StorageError(f"{ref.key} is out of reach", kind=self.kind)
        return super().get_object(ref, start=start, end=end, if_etag=if_etag)


@pytest.mark.parametrize(
    "kind", [ErrorKind.UNAVAILABLE, ErrorKind.NOT_FOUND, ErrorKind.PERMISSION_DENIED]
)
def test_an_object_that_nobody_serves_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: ErrorKind
) -> None:
    """Also one of which the error is no reason to fail over."""
    monkeypatch.setattr(Picky, "kind", kind)
    primary = endpoint_with({f"{n:02}": b"content" for n in range(40)})
    for number in range(25):
        put(primary, f"{number:02}-bad")
    picky = replace(primary, store=Picky(primary.location.conn_id or ""))
    with pytest.raises(IncompleteFetchError) as caught:
        fetch_tree(candidates(picky), FileTarget(tmp_path))
    err, done = caught.value, caught.value.provenance
    assert err.kind is kind
    assert done is not None
    assert (done.objects, done.failed, done.unfit) == (40, 25, 0)
    assert len(done.failed_names) == len(err.attempts) == 20
    assert all("is out of reach" in why for why in done.failed_names.values())
    assert {attempt.kind for attempt in err.attempts} == {kind}
    assert done.failed_attempts == 25
    told = str(err)
    assert told.startswith(
        f"25 of 65 objects were not fetched to {tmp_path}, all others are in place; "
        "25 were not served by any candidate: "
    )
    assert f" and 5 more: 1. {picky.location} after " in told
    assert len(tree(tmp_path)) == 40


def test_nothing_at_all_is_an_error_without_a_provenance(tmp_path: Path) -> None:
    primary = endpoint_with({"bad": b"content"})
    picky = replace(primary, store=Picky(primary.location.conn_id or ""))
    with pytest.raises(
        IncompleteFetchError, match=r"^1 of 1 objects were not fetched to"
    ) as caught:
        fetch_tree(candidates(picky), FileTarget(tmp_path))
    assert caught.value.provenance is None
    assert "in place" not in str(caught.value)
    assert [attempt.kind for attempt in caught.value.attempts] == [ErrorKind.UNAVAILABLE]


@pytest.mark.parametrize("order", [("00-bad", "x" * 256), ("x" * 256, "zz-bad")])
def test_the_kind_is_one_that_a_retry_may_mend(tmp_path: Path, order: tuple[str, str]) -> None:
    primary = endpoint_with(dict.fromkeys((*order, "good"), b"content"))
    picky = replace(primary, store=Picky(primary.location.conn_id or ""))
    with pytest.raises(IncompleteFetchError) as caught:
        fetch_tree(candidates(picky), FileTarget(tmp_path))
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert caught.value.retryable


def test_a_full_disk_ends_it_at_once(tmp_path: Path) -> None:
    asked: list[str] = []

    class Full(FileTarget):
        def below(self, name: str, among: Among | None = None) -> FileTarget:
            return Full(self.path / name)

        def stage(self, chunks: object) -> StagedFile | StagedDirectory:
            asked.append(self.path.name)
            raise TargetError("target: full", kind=ErrorKind.QUOTA)

    primary = endpoint_with({f"{n:03}": b"content" for n in range(200)})
    with pytest.raises(FailoverError, match=r"^target: full$") as caught:
        fetch_tree(candidates(primary), Full(tmp_path), concurrency=2)
    assert not isinstance(caught.value, IncompleteFetchError)
    assert caught.value.kind is ErrorKind.QUOTA
    assert len(asked) < 50


def test_the_deadline_ends_it_at_once(tmp_path: Path) -> None:
    asked: list[str] = []

    class Slow(object_store.Hook):
        def get_object(
            self,
            ref: ObjectRef,
            *,
            start: int = 0,
            end: int | None = None,
            if_etag: str | None = None,
        ) -> ObjectBody:
            if ref.key.startswith("data/"):
                asked.append(ref.key)
                time.sleep(0.1)
            return super().get_object(ref, start=start, end=end, if_etag=if_etag)

    primary = endpoint_with({f"{n:03}": b"content" for n in range(100)})
    slow = replace(primary, store=Slow(primary.location.conn_id or ""))
    policy = FailoverPolicy(deadline=timedelta(seconds=1))
    with pytest.raises(FailoverError, match=r"^deadline ") as caught:
        fetch_tree(candidates(slow), FileTarget(tmp_path), policy, concurrency=2)
    assert not isinstance(caught.value, IncompleteFetchError)
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert len(asked) < 50
