"""Where a restore lies is where its source does; whoever removes looks there, and says where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_multicloud.core.database.identity import OrderIdentity, Requester, token_beginning
from airflow_multicloud.core.database.removals import (
    DatabaseRemoval,
    OneDatabase,
    ScratchOf,
    advance_removal,
)
from airflow_multicloud.core.database.restores import RestoreWish
from airflow_multicloud.core.database.restoring import begin_restore
from airflow_multicloud.core.database.snapshots import SnapshotWish
from airflow_multicloud.core.database.wanted_snapshots import one_snapshot
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CredentialsError, DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabasePlace,
    DatabaseRef,
    DatabaseState,
    FromPointInTime,
    FromSnapshot,
)
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.memory_cloud.database import Hook

from .lab import RUN, Death, Killed, Lab

HOME, AWAY = DatabasePlace(region="mem-1"), DatabasePlace(region="mem-2")
TASK = Requester(run=RUN, readable="dag")


class Abroad(Lab):
    """A lab with a second shop in another region than the connection's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.till = self.space.create("till", {"orders": [(7, "z")]}, region="mem-2")

    @property
    def wish(self) -> RestoreWish:
        """By the full id alone."""
        return RestoreWish(source=FromPointInTime(DatabaseRef(self.till.id)))


def scratch(*sources: DatabaseRef, region: str | None = None) -> ScratchOf:
    return ScratchOf.by(TASK, region, None, sources)


def test_a_restore_elsewhere_is_removed_by_what_it_was_restored_from() -> None:
    lab = Abroad()
    made = lab.restore(wish=lab.wish)
    assert made.region == "mem-2"
    nothing = lab.remove(scratch())
    assert (nothing.removed, nothing.searched) == ((), (HOME,))
    assert made.name in lab.space.servers
    gone = lab.remove(scratch(DatabaseRef(lab.till.id)))
    assert [one.id for one in gone.removed] == [made.id]
    assert gone.searched == (HOME, AWAY)
    assert read_document(DatabaseRemoval, to_document(gone), what="it") == gone


def test_a_region_that_is_named_is_looked_in() -> None:
    lab = Abroad()
    made = lab.restore(wish=lab.wish)
    gone = lab.remove(scratch(region="mem-2"))
    assert ([one.id for one in gone.removed], gone.searched) == ([made.id], (AWAY,))


def test_the_source_may_be_gone() -> None:
    lab = Abroad()
    taken = lab.snapshot(wish=SnapshotWish(database=lab.till))
    snapshot = DatabaseRef(taken.id)
    made = lab.restore(wish=RestoreWish(source=FromSnapshot(snapshot)))
    assert (made.region, made.restored_moment) == ("mem-2", _milliseconds(taken.taken_at))
    lab.space.snapshots.clear()
    again = lab.restore(wish=RestoreWish(source=FromSnapshot(snapshot)))
    assert (again.id, again.found) == (made.id, True)
    assert [one.id for one in lab.remove(scratch(snapshot)).removed] == [made.id]


def _milliseconds(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
def test_a_restore_elsewhere_that_is_killed_is_one_instance_and_removed(*, after: bool) -> None:
    lab = Abroad()
    lab.death = Death()
    lab.restore(wish=lab.wish)
    calls = lab.death.calls
    for at in range(1, calls + 1):
        for is_retried in (True, False):
            lab = Abroad()
            lab.death = Death(at=at, after=after)
            with pytest.raises(Killed):
                lab.restore(wish=lab.wish)
            if is_retried:
                made = lab.restore(wish=lab.wish)
                assert {*lab.restored()} == {made.name, "till"}
            lab.death = Death()
            lab.remove(scratch(lab.till))
            assert lab.restored() == ["till"], f"killed at call {at}"


class Homeless(Hook):
    """Of a connection without a region, or without a project."""

    error: type[DatabaseError | CredentialsError] = DatabaseError

    def database_place(self, ref: DatabaseRef | None) -> DatabasePlace:
        if ref is None:
            raise self.error("region: none", kind=ErrorKind.INVALID_ARGUMENT)
        return super().database_place(ref)


@pytest.mark.parametrize("error", [DatabaseError, CredentialsError])
def test_a_connection_without_a_place_of_its_own(
    error: type[DatabaseError | CredentialsError],
) -> None:
    lab = Abroad()
    made = lab.restore(wish=lab.wish)
    hook: Any = type("It", (Homeless,), {"error": error})(lab.conn_id)
    removal = DatabaseRemoval(certain_from=datetime.now(UTC))
    with pytest.raises(error):
        advance_removal(hook, scratch(), removal, now=datetime.now(UTC))
    for wanted in (scratch(lab.till), scratch(region="mem-2")):
        begun = advance_removal(hook, wanted, removal, now=datetime.now(UTC))
        assert ([one.id for one in begun.removed], begun.searched) == ([made.id], (AWAY,))


class Several(Hook):
    """Of a cloud whose connections see several accounts."""

    def database_place(self, ref: DatabaseRef | None) -> DatabasePlace:
        return replace(super().database_place(ref), account_id="own")


def test_an_account_that_is_named_is_looked_in_where_a_connection_sees_several() -> None:
    lab = Lab()
    wanted = ScratchOf.by(TASK, None, "other")
    assert wanted.places(Several(lab.conn_id)) == (replace(HOME, account_id="other"),)
    assert wanted.places(lab.service) == (HOME,)


@pytest.mark.parametrize("account", ["999999999999", "memory-database-lab"])
def test_nothing_is_said_of_another_account_than_was_looked_in(account: str) -> None:
    lab = Lab()
    shop = replace(lab.shop, id=f"{lab.shop.id}-none")
    everything: list[Callable[[], object]] = [
        lambda: lab.remove(OneDatabase(ref=shop, account=account)),
        lambda: lab.remove(ScratchOf.by(Requester(run="another"), None, account)),
        lambda: one_snapshot(
            "none", region=None, confirm="none", allow=["none"], account=account
        ).listed(lab.service),
    ]
    for remove in everything:
        if account == lab.space.account_id:
            remove()
            continue
        with pytest.raises(DatabaseError, match="account: nothing was found") as caught:
            remove()
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_what_was_removed_shows_in_whose_account_it_was() -> None:
    lab = Lab()
    lab.restore()
    account = lab.space.account_id
    assert len(lab.remove(ScratchOf.by(TASK, None, account)).removed) == 1


def test_one_that_is_not_there_was_looked_for_by_its_id() -> None:
    lab = Abroad()
    gone = lab.remove(OneDatabase(ref=DatabaseRef(f"{lab.till.id}-none")))
    assert (gone.removed, gone.searched) == ((), (AWAY,))


def test_what_has_no_labels_yet_is_known_by_its_run_and_map_index() -> None:
    identity = OrderIdentity(
        kind="restore", run=TASK.run_digest, map_index="3", order="0" * 40, source="1" * 40
    ).named(None, "dag")
    beginning = token_beginning(identity.name, run=TASK.run_digest, map_index=None)
    assert beginning is not None
    assert beginning.replace("-", "")[:16] == identity.token.replace("-", "")[:16]
    assert token_beginning(identity.name, run=TASK.run_digest, map_index="3") == beginning
    assert token_beginning(identity.name, run=TASK.run_digest, map_index="4") is None
    assert token_beginning(identity.name, run="f" * 40, map_index=None) is None
    for name in ("shop", f"{identity.name}-2", f"x{identity.name}", "mc-"):
        assert token_beginning(name, run=TASK.run_digest, map_index=None) is None


def test_a_mapped_removal_leaves_the_others_unlabelled_ones() -> None:
    ordered_at = _calls_until_ordered()
    lab = Lab()
    lab.space.labels_follow = True
    for index in (0, 1):
        lab.death = Death(at=ordered_at)
        with pytest.raises(Killed):
            lab.restore(Requester(run=RUN, map_index=index))
    lab.death = Death()
    assert len(lab.restored()) == 2
    assert len(lab.remove(ScratchOf.by(Requester(run=RUN, map_index=0), None, None)).removed) == 1
    assert len(lab.restored()) == 1
    assert len(lab.remove().removed) == 1


def _calls_until_ordered() -> int:
    lab = Lab()
    lab.space.labels_follow = True
    for at in range(1, 20):
        lab.death = Death(at=at)
        try:
            lab.restore()
        except Killed:
            if lab.restored():
                return at
    raise AssertionError("it orders nothing")


def test_a_killed_restore_of_the_latest_does_not_claim_a_later_moment() -> None:
    ordered_at = _calls_until_ordered()
    lab = Lab()
    lab.space.labels_follow = True
    lab.death = Death(at=ordered_at)
    with pytest.raises(Killed):
        lab.restore()
    (name,) = lab.restored()
    made_at = lab.space.servers[name].created_at
    lab.death = Death()
    lab.space.advance(timedelta(hours=1))
    found = lab.restore()
    assert (found.name, found.found) == (name, True)
    assert found.restored_moment is not None
    assert found.restored_moment <= made_at


def test_who_takes_labels_off_to_keep_an_instance_is_not_overruled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of one that has been there for a day the name is no proof."""
    lab = Lab()
    lab.space.labels_follow = True
    made = lab.restore()
    server = lab.space.servers[made.name]
    server.labels, server.coming_labels = {"keep": "for-the-audit"}, {}
    lab.space.advance(timedelta(days=1))
    assert lab.remove().removed == ()
    assert lab.restored() == [made.name]
    assert f"left alone, it does not carry the full identity of a scratch instance: {made.id}" in (
        caplog.text
    )
    again = lab.restore()
    assert again.name != made.name


@pytest.mark.parametrize("state", [DatabaseState.CREATING, DatabaseState.FAILED])
def test_what_was_never_there_is_known_by_its_name_for_good(state: DatabaseState) -> None:
    lab = Lab()
    lab.space.labels_follow = True
    lab.death = Death(at=_calls_until_ordered())
    with pytest.raises(Killed):
        lab.restore()
    lab.death = Death()
    (name,) = lab.restored()
    server = lab.space.servers[name]
    server.state, server.going_to = state, None
    lab.space.advance(timedelta(days=9))
    assert len(lab.remove().removed) == 1


def test_a_clone_that_is_labelled_between_a_listing_and_its_removal_is_removed() -> None:
    """Somebody still polls the restore; the next look knows it by its labels."""
    lab = Lab()
    lab.space.labels_follow = True
    begun = begin_restore(lab.service, TASK, RestoreWish(source=FromPointInTime(lab.shop)))
    server = lab.space.servers[begun.identity.name]
    while server.going_to is not None:
        lab.space.look(server)
    assert server.labels == {}

    class Polled(Hook):
        def remove_database(
            self, ref: DatabaseRef, *, token: str, final_snapshot: str | None
        ) -> Operation:
            self.describe_operation(begun.operation)
            return super().remove_database(ref, token=token, final_snapshot=final_snapshot)

    service, now = Polled(lab.conn_id), datetime.now(UTC)
    so_far = DatabaseRemoval(certain_from=now)
    busy = advance_removal(service, scratch(), so_far, now=now)
    assert (busy.removed, busy.waits_for, busy.done) == ((), (), False)
    then = advance_removal(service, scratch(), busy, now=now)
    assert [one.name for one in then.removed] == [begun.identity.name]
