"""The end of a run: what it deletes, when it has failed, a close that is killed at any point."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.replication import shards
from airflow_multicloud.core.replication.closing import ReplicationFailedError, check_failures
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.report import (
    DestinationReport,
    Failure,
    ReplicationReport,
)
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.errors import ErrorKind, RetentionError, StorageError
from airflow_multicloud.ports.object_store import IfUnchanged
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import BUCKET, SMALL, World, conn_of, fill, ledger, tree_of, world

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import ObjectRef

TREE = {f"k{number}": bytes([number]) * 40 for number in range(6)}
RUNS = f"{RESERVED_PREFIX}runs/"


class Killed(BaseException):
    """The process is gone; nothing catches this."""


class Dying(object_store.Hook):
    """Dies before the n-th deletion of what a plan has left."""

    left: int

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        if ref.key.startswith(RUNS):
            if self.left == 0:
                raise Killed
            self.left -= 1
        super().delete_object(ref, condition=condition)


@pytest.mark.parametrize("deleted", range(9))
def test_a_close_killed_while_it_tidies_up_is_closed_by_the_next_try(deleted: int) -> None:
    lab = world(TREE, destinations=2)
    replication = lab.replication()
    home = lab.destinations[0]
    plan = shards.plan_shards(replication, shards=2, run_id="r")
    for uri in plan.shards:
        shards.replicate_shard(replication, run_id="r", shard=uri)
    leftovers = len([*home.store.list_objects(home.bucket, RUNS)])
    dying = Dying(conn_of(home))
    dying.left = deleted
    if deleted < leftovers:
        with pytest.raises(Killed):
            shards.close_shards(lab.with_destination(dying).replication(), run_id="r")
    else:  # Killed after it had tidied up, before anybody was told.
        shards.close_shards(lab.with_destination(dying).replication(), run_id="r")

    report = shards.close_shards(replication, run_id="r")
    assert (report.objects, report.bytes) == (len(TREE), sum(map(len, TREE.values())))
    assert report.newest_source is not None
    for destination, there in zip(report.destinations, lab.destinations, strict=True):
        assert {str(o): n for o, n in destination.outcomes.items()} == {"copied": len(TREE)}
        assert destination.commit == ledger(there).commit.number
        assert tree_of(there) == TREE
        assert verify(there).proven
        assert destination.content == report.root is not None
        assert ledger(there).commit.open_runs == ()
    assert [*home.store.list_objects(home.bucket, RUNS)] == []


def test_a_run_closed_again_still_says_what_it_deleted() -> None:
    lab = world(TREE)
    there = lab.destinations[0]
    there.store.put_object(there.ref(there.location.key + "extraneous"), b"1")
    options = replace(SMALL, delete_extraneous=True, max_delete=1)
    plan = shards.plan_shards(lab.replication(options), shards=1, run_id="r")
    for uri in plan.shards:
        shards.replicate_shard(lab.replication(options), run_id="r", shard=uri)

    reports = [shards.close_shards(lab.replication(options), run_id="r") for _ in range(2)]

    assert [report.destinations[0].deleted for report in reports] == [1, 1]
    assert tree_of(there) == TREE


def test_a_run_that_was_never_planned_is_not_found() -> None:
    lab = world(TREE)
    for run_id in ("never", "neither"):
        with pytest.raises(StorageError) as caught:
            shards.close_shards(lab.replication(), run_id=run_id)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        plan = shards.plan_shards(lab.replication(), shards=1, run_id="another")
        for uri in plan.shards:
            shards.replicate_shard(lab.replication(), run_id="another", shard=uri)
        shards.close_shards(lab.replication(), run_id="another")


class Refusing(object_store.Hook):
    """Deletes nothing that is called so."""

    kind = ErrorKind.PRECONDITION_FAILED
    named = "copy/old"

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        if ref.key.startswith(self.named):
            self.meanwhile(ref)
            raise StorageError(f"{ref.key}: not now", kind=self.kind)
        super().delete_object(ref, condition=condition)

    def meanwhile(self, ref: ObjectRef) -> None:
        """What another has done to the object by then."""


class Retaining(Refusing):
    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        try:
            super().delete_object(ref, condition=condition)
        except StorageError as err:
            raise RetentionError(str(err), kind=ErrorKind.PERMISSION_DENIED) from err


class Overtaken(Refusing):
    def meanwhile(self, ref: ObjectRef) -> None:
        self.put_object(ref, b"of another writer")


class Gone(Refusing):
    def meanwhile(self, ref: ObjectRef) -> None:
        super(Refusing, self).delete_object(ref)


class Missing(Gone):
    kind = ErrorKind.NOT_FOUND


def extraneous(refusing: type[Refusing], old: int = 1) -> World:
    """A source of one object; at the destination one that is deleted, and some that are not."""
    lab = world({"a": b"1"})
    fill(lab.destinations[0], {f"old {number:02}": b"x" for number in range(old)} | {"z": b"x"})
    return lab.with_destination(refusing(conn_of(lab.destinations[0])))


DELETING = replace(SMALL, delete_extraneous=True, max_delete=100)


class TestDeleting:
    @pytest.mark.parametrize("refusing", [Refusing, Retaining])
    def test_what_is_kept_is_said_and_the_rest_deleted(self, refusing: type[Refusing]) -> None:
        lab = extraneous(refusing, 2)
        (told,) = replicate(lab.replication(DELETING)).destinations
        assert told.retained == ("copy/old 00: not now", "copy/old 01: not now")
        assert told.deleted == 1
        assert tree_of(lab.destinations[0]).keys() == {"a", "old 00", "old 01"}

    @pytest.mark.parametrize(("old", "more"), [(20, ()), (22, ("2 more objects",))])
    def test_twenty_are_named_and_the_others_counted(self, old: int, more: tuple[str, ...]) -> None:
        (told,) = replicate(extraneous(Refusing, old).replication(DELETING)).destinations
        assert told.retained[:20] == tuple(f"copy/old {n:02}: not now" for n in range(20))
        assert tuple(left[:14] for left in told.retained[20:]) == more

    @pytest.mark.parametrize("refusing", [Overtaken, Gone, Missing])
    def test_what_is_another_object_by_now_or_gone_is_neither_kept_nor_deleted(
        self, refusing: type[Refusing]
    ) -> None:
        lab = extraneous(refusing)
        (told,) = replicate(lab.replication(DELETING)).destinations
        assert (told.retained, told.deleted) == ((), 1)
        assert ("old 00" in tree_of(lab.destinations[0])) is (refusing is Overtaken)

    def test_only_the_object_that_was_listed_is_deleted(self) -> None:
        conditions: list[IfUnchanged | None] = []

        class Noting(Refusing):
            named = "copy/none"

            def delete_object(
                self, ref: ObjectRef, *, condition: IfUnchanged | None = None
            ) -> None:
                if ref.key.startswith("copy/"):
                    conditions.append(condition)
                super().delete_object(ref, condition=condition)

        lab = extraneous(Noting, 0)
        (there,) = lab.destinations[0].store.list_objects(BUCKET, "copy/z")
        replicate(lab.replication(DELETING))
        assert conditions == [IfUnchanged(there.etag, there.version)]

    @pytest.mark.parametrize(
        ("options", "kept", "stays"),
        [(SMALL, False, True), (DELETING, True, True), (DELETING, False, False)],
    )
    def test_the_record_of_what_neither_side_has_goes_once_all_is_deleted(
        self, options: ReplicationOptions, kept: bool, stays: bool
    ) -> None:
        class Denying(Refusing):
            kind = ErrorKind.PERMISSION_DENIED
            named = "copy/z"

        lab = world({"a": b"1", "b": b"2"})
        (there,) = lab.destinations
        replicate(lab.replication())
        for end in (lab.source, there):
            end.store.delete_object(end.ref(f"{end.location.key}b"))
        if kept:
            fill(there, {"z": b"x"})
        lab = lab.with_destination(Denying(conn_of(there)))
        with pytest.raises(ReplicationFailedError) if kept else nullcontext():
            replicate(lab.replication(options))
        known = {entry.key for entry in ledger(there).entries()}
        assert known == {"copy/a", *(["copy/b"] if stays else [])}

    def test_other_failures_end_it_and_what_was_deleted_is_recorded(self) -> None:
        class Denying(Refusing):
            kind = ErrorKind.PERMISSION_DENIED
            named = "copy/z"

        lab = world({"a": b"1"}, destinations=2)
        for end in lab.destinations:
            fill(end, {"old": b"x", "z": b"x"})
        lab = lab.with_destination(Denying(conn_of(lab.destinations[0])))
        with pytest.raises(ReplicationFailedError, match="not now") as err:
            replicate(lab.replication(DELETING))
        assert str(err.value).startswith("the run could not be recorded: ")
        assert err.value.kind is ErrorKind.PERMISSION_DENIED
        assert [told.deleted for told in err.value.report.destinations] == [1, 2]
        assert ledger(lab.destinations[0]).commit.deleted == 1
        assert tree_of(lab.destinations[0]).keys() == {"a", "z"}


def finished(sound: int, *kinds: ErrorKind | None, reserved: int = 0) -> ReplicationReport:
    """A run of which so many copies are sound, and one for each kind failed."""
    failed = len(kinds)
    outcomes = {Outcome.COPIED: sound, Outcome.FAILED: failed, Outcome.RESERVED: reserved}
    failures = tuple(
        Failure(f"k{number}", "mem://a", Outcome.FAILED, kind, "so")
        for number, kind in enumerate(kinds)
    )
    told = (DestinationReport("mem://a", outcomes, 0, 0, {}),)
    size = sound + failed
    return ReplicationReport("r", "mem://s", size, size, size, None, None, 0.0, told, failures)


def demanding(share: float) -> ReplicationOptions:
    return replace(SMALL, min_success_ratio=share)


BUSY, DENIED = ErrorKind.BUSY, ErrorKind.PERMISSION_DENIED


class TestFailing:
    @pytest.mark.parametrize(
        ("report", "share"),
        [
            (finished(2), 1.0),
            (finished(0), 1.0),
            (finished(3, DENIED), 0.75),
            (finished(1, reserved=9), 1.0),
            (finished(0, DENIED), 0.0),
        ],
    )
    def test_a_run_that_is_good_enough(self, report: ReplicationReport, share: float) -> None:
        check_failures(report, demanding(share))

    @pytest.mark.parametrize(
        ("kinds", "kind"),
        [
            ((DENIED,), DENIED),
            ((DENIED, BUSY), BUSY),  # Another try may bring these at least.
            ((None, DENIED, ErrorKind.UNSUPPORTED), DENIED),
            ((None,), ErrorKind.UNAVAILABLE),
        ],
    )
    def test_its_kind_is_of_a_failure_that_may_pass(
        self, kinds: tuple[ErrorKind | None, ...], kind: ErrorKind
    ) -> None:
        with pytest.raises(ReplicationFailedError) as raised:
            check_failures(finished(3, *kinds), demanding(1.0))
        assert raised.value.kind is kind

    def test_three_are_named(self) -> None:
        for failed, end in ((2, "(busy): so"), (3, "(busy): so"), (4, "(busy): so; …")):
            report = finished(4, *[BUSY] * failed)
            with pytest.raises(ReplicationFailedError) as raised:
                check_failures(report, demanding(0.9))
            share = f"{4 / (4 + failed):.1%}"
            said = str(raised.value)
            start = f"{failed} of {4 + failed} copies failed ({share} sound, "
            assert said.startswith(f"{start}min_success_ratio is 90.0%): 'k0' at mem://a")
            assert said.endswith(end)
            assert said.count("mem://a") == min(failed, 3)
            assert raised.value.report is report


def test_a_report_says_how_long_the_run_took_and_the_root_where_all_have_one() -> None:
    lab = world(TREE, destinations=2)
    report = replicate(lab.replication())
    assert 0 < report.seconds < 60
    assert {told.content for told in report.destinations} == {report.root}
    assert report.root is not None
    fill(lab.source, {"new": b"x"})
    failing = lab.with_destination(Full(conn_of(lab.destinations[0])))
    report = replicate(failing.replication(replace(SMALL, min_success_ratio=0)))
    assert len({told.content for told in report.destinations}) == 2
    assert report.root is None


class Full(object_store.Hook):
    """Takes no more objects, other than this package's own."""

    def put_object(self, ref: ObjectRef, *given, **named):  # type: ignore[no-untyped-def]
        if not ref.key.startswith(RESERVED_PREFIX):
            raise StorageError("full", kind=ErrorKind.QUOTA)
        return super().put_object(ref, *given, **named)
