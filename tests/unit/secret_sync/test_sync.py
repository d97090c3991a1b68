"""Secrets made equal: what is written, what is left, and what is told."""

from __future__ import annotations

import pickle
import re
from datetime import timedelta
from uuid import UUID

import pytest

from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.core.secret_sync.identity import COPY_TAG, FROM_TAG, Pair
from airflow_multicloud.core.secret_sync.outcomes import FindingKind, SyncOutcome
from airflow_multicloud.core.secret_sync.report import MOST_TOLD, SyncFailedError
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CredentialsError, ErrorKind, OverwrittenError, SecretsError
from airflow_multicloud.ports.secrets import SecretStore
from airflow_multicloud.testing.memory_cloud.secrets import Hook
from airflow_multicloud.testing.memory_cloud.secrets.space import NAMES
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind

from .lab import HOME, ONE, TWO, A, B, C, Watched


def _counts(report, conn_id=ONE):
    (one,) = (one for one in report.destinations if one.conn_id == conn_id)
    return {outcome: count for outcome in SyncOutcome if (count := getattr(one, outcome))}


def _findings(report):
    return [(one.name, one.finding, one.outcome) for one in report.findings]


@pytest.fixture
def copied(world):
    """One secret that is equal everywhere."""
    world.write(HOME, A, b"first")
    world.sync(ONE, TWO)
    return world


def test_what_is_absent_is_created_with_its_tags(world):
    world.write(HOME, A, b"one")
    world.tag(HOME, A, {"team": "data"})
    world.write(HOME, B, b"\x00\xff")
    world.write(HOME, "other", b"not meant")
    report = world.sync(ONE, TWO)
    assert report.succeeded
    assert not report.in_sync
    for conn_id in (ONE, TWO):
        assert world.values(conn_id) == {A: b"one", B: b"\x00\xff"}
        assert _counts(report, conn_id) == {"created": 2}
        assert world.tags(conn_id, A)["team"] == "data"
    assert world.sync(ONE, TWO).in_sync


def test_names_choose(world):
    for name in (A, B):
        world.write(HOME, name, b"x")
    assert _counts(world.sync(names=(B,))) == {"created": 1}
    assert world.values(ONE) == {B: b"x"}


def test_what_is_behind_is_replaced(copied):
    copied.write(HOME, A, b"second")
    copied.write(HOME, A, b"third")
    report = copied.sync(ONE)
    assert _counts(report) == {"replaced": 1}
    assert [(one.name, one.outcome) for one in report.changes] == [(A, "replaced")]
    assert copied.values(ONE) == {A: b"third"}


@pytest.mark.parametrize(
    ("policy", "outcome", "value"),
    [
        ("fail", "conflict", b"another's"),
        ("keep", "kept", b"another's"),
        ("overwrite", "replaced", b"first"),
    ],
)
def test_anothers_value_is_replaced_only_when_that_is_asked_for(copied, policy, outcome, value):
    copied.write(HOME, B, b"new")
    version = copied.write(ONE, A, b"another's")
    report = copied.sync(ONE, on_conflict=policy)
    assert _counts(report) == {outcome: 1, "created": 1}
    assert copied.values(ONE) == {A: value, B: b"new"}
    assert report.succeeded is (policy != "fail")
    (finding,) = report.findings
    assert finding.finding is FindingKind.UNKNOWN_VALUE
    assert version in finding.message
    assert "another" not in finding.message.replace("another's", "")
    assert copied.sync(ONE, on_conflict=policy).in_sync is (policy == "overwrite")


def test_an_earlier_value_that_is_written_back_is_a_conflict(copied):
    copied.write(HOME, A, b"second")
    copied.sync()
    copied.write(ONE, A, b"first")
    report = copied.sync()
    assert _findings(report) == [(A, "written_back", "conflict")]
    assert copied.values(ONE) == {A: b"first"}


def _roll_back(world, name):
    """The version before the current one is current again, as staging labels can have it."""
    versions = world.space(ONE).kept[NAMES.encode(name)].versions
    versions.append(versions.pop(-2))


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=2)])
@pytest.mark.parametrize("how", ["rolled back", "written"])
def test_what_is_put_back_after_a_write_is_a_conflict_by_any_clock(copied, how, ahead):
    copied.tick()
    copied.space(HOME).moment += ahead
    copied.space(HOME).write(NAMES.encode(A), b"second")
    copied.space(HOME).moment -= ahead
    assert _counts(copied.sync()) == {"replaced": 1}
    if how == "written":
        copied.write(ONE, A, b"first")
    else:
        _roll_back(copied, A)
    report = copied.sync()
    assert _findings(report) == [(A, "written_back", "conflict")]
    assert copied.values(ONE) == {A: b"first"}
    if how == "written":
        assert _counts(copied.sync(on_conflict="overwrite")) == {"replaced": 1}
        assert copied.values(ONE) == {A: b"second"}


@pytest.mark.parametrize("tagged", [False, True])
def test_what_was_put_back_stays_when_the_source_goes_on(copied, tagged):
    copied.write(HOME, A, b"second")
    copied.sync()
    if not tagged:
        copied.tag(ONE, A, {})  # As where tags are of versions: another's has none.
    _roll_back(copied, A)
    copied.write(HOME, A, b"third")
    assert _findings(copied.sync()) == [(A, "written_back", "conflict")]
    assert copied.values(ONE) == {A: b"first"}


def test_a_write_that_ended_before_its_tags_is_followed_and_gets_its_mark(copied):
    """As where tags are written after the value."""
    old = copied.tags(ONE, A)
    copied.write(HOME, A, b"second")
    copied.sync()
    done = copied.tags(ONE, A)
    copied.tag(ONE, A, old)
    assert _counts(copied.sync()) == {"tagged": 1}
    assert copied.tags(ONE, A) == done
    copied.tag(ONE, A, old)
    copied.write(HOME, A, b"third")
    assert _counts(copied.sync()) == {"replaced": 1}


def test_a_secret_that_was_made_without_a_version_gets_one(copied):
    """As where these are two steps, and a run ended in between."""
    copied.space(ONE).kept[NAMES.encode(A)].versions.clear()
    assert _counts(copied.sync(dry_run=True)) == {"created": 1}


def test_a_source_that_goes_back_to_an_earlier_value_is_followed(copied):
    copied.write(HOME, A, b"second")
    copied.sync()
    copied.write(HOME, A, b"first")
    assert _counts(copied.sync()) == {"replaced": 1}
    copied.write(HOME, A, b"second")
    assert _counts(copied.sync()) == {"replaced": 1}
    assert copied.history(ONE, A) == [b"first", b"second", b"first", b"second"]


def test_a_secret_that_was_there_before_is_followed_but_not_adopted(world):
    world.write(HOME, A, b"first")
    world.write(ONE, A, b"first")
    assert _counts(world.sync()) == {"unchanged": 1}
    assert COPY_TAG not in world.tags(ONE, A)
    world.write(HOME, A, b"second")
    assert _counts(world.sync()) == {"replaced": 1}
    assert COPY_TAG not in world.tags(ONE, A)
    assert FROM_TAG in world.tags(ONE, A)


def test_tags_alone_are_made_equal_and_those_of_the_destination_stay(copied):
    copied.tag(HOME, A, {"team": "data", COPY_TAG: "of another pair"})
    copied.tag(ONE, A, {**copied.tags(ONE, A), "cost": "7"})
    mark = copied.tags(ONE, A)[COPY_TAG]
    assert _counts(copied.sync(preserve_tags=False)) == {"unchanged": 1}
    assert _counts(copied.sync()) == {"tagged": 1}
    assert copied.tags(ONE, A) == {"team": "data", "cost": "7", COPY_TAG: mark}
    assert copied.history(ONE, A) == [b"first"]
    assert copied.sync().in_sync


def test_too_many_tags_cost_that_secret_alone(world):
    world.write(HOME, A, b"a")
    world.tag(HOME, A, {f"t{n}": "x" for n in range(10)})
    world.write(HOME, B, b"b")
    report = world.sync()
    assert _findings(report) == [(A, "tags", "failed")]
    assert world.values(ONE) == {B: b"b"}
    assert world.sync(preserve_tags=False).succeeded


def test_what_a_destination_cant_have_costs_itself(world, monkeypatch):
    world.write(HOME, A, b"x" * 20_001)
    world.write(HOME, C, b"c")
    world.write(HOME, B, b"b")

    def check(_, name):
        if name == C:
            raise SecretsError("name: too long here", kind=ErrorKind.INVALID_ARGUMENT)
        return name

    monkeypatch.setattr(Watched, "check_secret_name", check)
    report = world.sync()
    assert _findings(report) == [(A, "too_large", "failed"), (C, "name", "failed")]
    assert world.values(ONE) == {B: b"b"}
    with pytest.raises(SyncFailedError, match="20001 bytes, at most 20000") as err:
        report.raise_if_failed()
    assert not err.value.retryable


@pytest.mark.parametrize(
    ("value", "tags", "finding", "message"),
    [
        (
            b"\xff" * 15_001,
            {},
            "too_large",
            "15001 bytes.* for values that are not text",
        ),
        (b"\0" * 15_001, {}, "too_large", "15001 bytes, at most 15000"),
        (b"", {}, "empty", "its value is empty"),
        (b"a", {"Team (old)": "a,b"}, "tags", "tags: 'Team"),
    ],
)
def test_a_dry_run_tells_of_what_would_be_refused(world, value, tags, finding, message):
    world.write(HOME, A, value)
    world.tag(HOME, A, tags)
    world.write(HOME, B, b"b")
    for dry_run in (True, False):
        report = world.sync(dry_run=dry_run)
        assert _findings(report) == [(A, finding, "failed")]
        assert re.search(message, report.findings[0].message)
        assert _counts(report) == {"created": 1, "failed": 1}
    assert world.values(ONE) == {B: b"b"}
    if finding == "tags":
        assert world.sync(preserve_tags=False).succeeded


class TestManaged:
    @pytest.mark.parametrize("named", [False, True])
    def test_what_a_service_keeps_is_neither_read_nor_copied(self, copied, named, monkeypatch):
        copied.write(HOME, B, b"private key")
        copied.space(HOME).manage(NAMES.encode(B))
        read = Watched.read_secret

        def checked(self, name, version=None):
            assert name != B
            return read(self, name, version)

        monkeypatch.setattr(Watched, "read_secret", checked)
        report = copied.sync(**({"names": (A, B)} if named else {}))
        assert _findings(report) == [(B, "managed", "skipped")]
        assert report.succeeded
        assert report.in_sync
        assert (report.destinations[0].managed, report.destinations[0].secrets) == (1, 2)
        assert copied.values(ONE) == {A: b"first"}

    def test_one_with_a_name_of_its_own_is_not_to_be_renamed(self, copied):
        copied.space(HOME).write("app--61", b"x")
        copied.space(HOME).manage("app--61")
        assert _findings(copied.sync(prefix="app")) == [("app--61", "managed", "skipped")]

    @pytest.mark.parametrize("policy", ["fail", "overwrite"])
    def test_at_a_destination_it_is_never_written(self, copied, policy):
        copied.write(HOME, A, b"second")
        copied.space(ONE).manage(NAMES.encode(A))
        report = copied.sync(on_conflict=policy)
        assert _findings(report) == [(A, "managed", "failed")]
        assert copied.values(ONE) == {A: b"first"}

    def test_it_is_never_removed(self, copied):
        copied.write(HOME, B, b"b")
        copied.remove(HOME, A)
        copied.space(ONE).manage(NAMES.encode(A))
        report = copied.sync(deletion_policy="remove")
        assert (A, "not_ours", "kept") in _findings(report)
        assert A in copied.values(ONE)


class TestInSync:
    def test_what_was_not_compared_is_not_equal(self, copied):
        copied.write(HOME, B, b"b")
        copied.sync()
        assert copied.sync().in_sync
        copied.disable(HOME, B)
        report = copied.sync()
        assert report.succeeded
        assert not report.in_sync

    def test_a_name_that_cant_be_asked_for_is_not_equal(self, copied):
        copied.space(HOME).write("app--61", b"x")
        assert not copied.sync(prefix="app").in_sync

    def test_nothing_compared_is_nothing_equal(self, world):
        world.write(HOME, A, b"a")
        world.space(HOME).manage(NAMES.encode(A))
        assert not world.sync().in_sync


def test_two_names_that_would_be_one_are_refused(world, monkeypatch):
    world.write(HOME, A, b"a")
    world.write(HOME, B, b"b")
    world.write(HOME, C, b"c")
    monkeypatch.setattr(
        Watched, "check_secret_name", lambda _, name: "one" if name in (A, B) else name
    )
    report = world.sync()
    assert _findings(report) == [(A, "name", "failed"), (B, "name", "failed")]
    assert f"{A}, {B} would all be one" in report.findings[0].message
    assert world.values(ONE) == {C: b"c"}


def test_a_name_that_cant_be_asked_for_is_told_and_left(world):
    world.write(HOME, "app", b"a")
    world.space(HOME).write("app--61", b"no name is written so")
    report = world.sync(prefix="app")
    assert report.succeeded
    assert _findings(report) == [("app--61", "not_addressable", "skipped")]
    assert world.values(ONE) == {"app": b"a"}


def test_a_disabled_source_is_skipped_and_never_removed(copied):
    copied.write(HOME, B, b"b")
    copied.disable(HOME, A)
    report = copied.sync(deletion_policy="remove")
    assert _findings(report) == [(A, "source_not_readable", "skipped")]
    assert report.succeeded
    assert copied.values(ONE) == {A: b"first", B: b"b"}


def test_a_disabled_destination_is_a_conflict(copied):
    copied.disable(ONE, A)
    assert _findings(copied.sync()) == [(A, "not_readable", "conflict")]
    assert _counts(copied.sync(on_conflict="overwrite")) == {"replaced": 1}
    assert copied.sync().in_sync


def test_what_was_removed_at_the_destination_is_recovered_only_by_overwrite(copied):
    copied.remove(ONE, A)
    report = copied.sync()
    assert _findings(report) == [(A, "removed", "conflict")]
    assert _counts(copied.sync(on_conflict="keep")) == {"kept": 1}
    assert copied.values(ONE) == {}
    copied.write(HOME, A, b"second")
    assert _counts(copied.sync(on_conflict="overwrite")) == {"replaced": 1}
    assert copied.values(ONE) == {A: b"second"}


def test_too_many_replacements_are_refused_before_the_first_write(world):
    for name in (A, B, C):
        world.write(HOME, name, b"1")
    world.sync()
    for name in (A, B, C):
        world.write(HOME, name, b"2")
    world.write(HOME, "app/d", b"new")
    with pytest.raises(SyncFailedError, match="max_replace: 3 secrets would be replaced") as err:
        world.sync(max_replace=2).raise_if_failed()
    assert err.value.report.refused
    assert err.value.report.dry_run
    assert not err.value.retryable
    assert world.values(ONE) == {A: b"1", B: b"1", C: b"1"}
    assert _counts(world.sync(max_replace=3)) == {"replaced": 3, "created": 1}


def test_a_dry_run_writes_nothing_and_tells_the_same(copied):
    copied.write(HOME, A, b"second")
    copied.write(HOME, B, b"b")
    before = copied.values(ONE)
    report = copied.sync(dry_run=True)
    assert _counts(report) == {"replaced": 1, "created": 1}
    assert copied.values(ONE) == before
    assert _counts(copied.sync()) == _counts(report)


class TestRemoval:
    def test_only_what_these_runs_made_is_removed_and_can_be_recovered(self, copied):
        copied.write(HOME, B, b"b")
        copied.write(ONE, C, b"not ours")
        copied.remove(HOME, A)
        assert _counts(copied.sync()) == {"created": 1}
        report = copied.sync(deletion_policy="remove")
        assert _counts(report) == {"removed": 1, "unchanged": 1}
        assert copied.values(ONE) == {B: b"b", C: b"not ours"}
        Watched(copied, ONE).recover_secret(A)
        assert copied.values(ONE)[A] == b"first"

    @pytest.mark.parametrize("named", [False, True])
    def test_what_somebody_else_wrote_into_a_copy_stays(self, copied, named):
        copied.write(HOME, B, b"b")
        version = copied.write(ONE, A, b"another's")
        copied.remove(HOME, A)
        meant = {"names": (A, B)} if named else {}
        report = copied.sync(deletion_policy="remove", **meant)
        assert _findings(report) == [(A, "not_ours", "kept")]
        assert f"its current version ({version}) was not written by these runs" in str(
            report.findings[0]
        )
        assert copied.values(ONE) == {A: b"another's", B: b"b"}

    def test_what_somebody_writes_before_the_removal_stays(self, copied):
        copied.write(HOME, B, b"b")
        copied.remove(HOME, A)
        copied.moments = 0
        copied.sync(deletion_policy="remove", dry_run=True)
        looked, copied.moments = copied.moments, 0
        copied.at[looked] = lambda: copied.write(ONE, A, b"another's")
        report = copied.sync(deletion_policy="remove")
        assert (A, "not_ours", "kept") in _findings(report)
        assert copied.values(ONE)[A] == b"another's"

    def test_a_copy_that_another_source_has_replaced_is_its_copy_no_more(self, copied):
        other = Pair(source="memory:other", destination="memory:memory_one", name=A)
        copied.tag(ONE, A, {COPY_TAG: other.mark("1", "t")})
        copied.write(HOME, A, b"second")
        assert _counts(copied.sync()) == {"replaced": 1}
        assert {*copied.tags(ONE, A)} == {FROM_TAG}

    def test_a_tag_of_another_store_or_name_is_none(self, copied):
        copied.write(HOME, B, b"b")
        pairs = [
            Pair(source="memory:other", destination="memory:memory_one", name=C),
            Pair(source="memory:memory_home", destination="memory:memory_two", name=C),
            Pair(source="memory:memory_home", destination="memory:memory_one", name=B),
        ]
        for pair in pairs:
            copied.write(ONE, C, b"forged")
            copied.tag(ONE, C, {COPY_TAG: pair.mark("1", "t")})
            assert "removed" not in _counts(copied.sync(deletion_policy="remove"))
        assert copied.values(ONE)[C] == b"forged"

    def test_nothing_is_removed_when_anything_failed(self, copied):
        copied.write(HOME, B, b"b")
        copied.write(TWO, B, b"another's")
        copied.remove(HOME, A)
        report = copied.sync(ONE, TWO, deletion_policy="remove")
        assert _counts(report, ONE) == {"created": 1, "skipped": 1}
        assert (A, "not_removed", "skipped") in _findings(report)
        assert A in copied.values(ONE)

    def test_an_empty_or_failed_source_removes_nothing(self, copied):
        copied.remove(HOME, A)
        for options in ({}, {"names": (A,)}):
            with pytest.raises(SecretsError, match="has none of") as err:
                copied.sync(deletion_policy="remove", **options)
            assert err.value.kind is ErrorKind.NOT_FOUND
        copied.space(HOME).faults.plant(
            [SecretFault(kind=SecretFaultKind.REFUSE, call=SecretCall.LIST)]
        )
        with pytest.raises(SecretsError, match="as planted"):
            copied.sync(deletion_policy="remove")
        assert copied.values(ONE) == {A: b"first"}

    def test_too_many_are_refused(self, copied):
        copied.write(HOME, B, b"b")
        copied.write(HOME, C, b"c")
        copied.sync()
        copied.remove(HOME, A)
        copied.remove(HOME, B)
        copied.write(HOME, C, b"c2")
        report = copied.sync(deletion_policy="remove", max_remove=1)
        with pytest.raises(SyncFailedError, match="max_remove: 2 secrets would be removed"):
            report.raise_if_failed()
        assert copied.values(ONE) == {A: b"first", B: b"b", C: b"c"}

    def test_of_names_those_that_are_gone_are_removed(self, copied):
        copied.write(HOME, B, b"b")
        copied.write(ONE, C, b"not ours")
        copied.remove(HOME, A)
        names = (A, B, C, "app/nowhere")
        report = copied.sync(names=names, deletion_policy="remove")
        assert _counts(report) == {"removed": 1, "created": 1, "kept": 1, "unchanged": 1}
        assert _findings(report) == [(C, "not_ours", "kept")]
        retained = copied.sync(names=names)
        assert [one.outcome for one in retained.findings] == ["failed"] * 3

    def test_a_secret_that_is_back_before_its_copy_goes_keeps_it(self, copied):
        copied.write(HOME, B, b"b")
        copied.remove(HOME, A)
        copied.moments = 0
        copied.sync(deletion_policy="remove", dry_run=True)
        looked = copied.moments
        copied.moments = 0
        copied.at[looked + 1] = lambda: (
            copied.write(HOME, A, b"first")
            and setattr(copied.space(HOME).kept[NAMES.encode(A)], "removed_until", None)
        )
        report = copied.sync(deletion_policy="remove")
        assert "removed" not in _counts(report)
        assert copied.values(ONE)[A] == b"first"


class TestStores:
    def test_a_destination_that_is_the_source_is_refused(self, world, monkeypatch):
        world.write(HOME, A, b"a")
        monkeypatch.setattr(Watched, "describe_store", lambda _: SecretStore(id="memory:same"))
        with pytest.raises(SecretsError, match="leads to memory:same, as 'memory_home' does"):
            world.sync()
        assert world.space(HOME).asked == 0

    @pytest.mark.parametrize("conn_id", [HOME, ONE])
    def test_another_account_than_expected_is_refused_before_anything_is_read(self, world, conn_id):
        world.write(HOME, A, b"a")
        with pytest.raises(SecretsError, match=r"accounts: connection .* expected 123") as err:
            world.sync(accounts={conn_id: "123"})
        assert err.value.kind is ErrorKind.PRECONDITION_FAILED
        assert world.space(HOME).asked == world.space(ONE).asked == 0
        assert world.sync(accounts={HOME: "memory_home", ONE: "memory:memory_one"}).succeeded

    def test_an_account_of_no_connection_is_refused(self, world):
        with pytest.raises(SecretsError, match="accounts: elsewhere given"):
            world.sync(accounts={"elsewhere": "1"})

    def test_a_destination_that_cant_be_used_costs_itself(self, world, monkeypatch):
        world.write(HOME, A, b"a")
        bad = CredentialsError("no such connection", kind=ErrorKind.NOT_FOUND)
        place = world.place
        monkeypatch.setattr(
            world,
            "place",
            lambda conn: (
                Destination(conn_id=conn, cloud="", error=bad) if conn == TWO else place(conn)
            ),
        )
        report = world.sync(ONE, TWO)
        assert _counts(report, ONE) == {"created": 1}
        assert _counts(report, TWO) == {"failed": 1}
        with pytest.raises(SyncFailedError, match="memory_two: not_found: no such") as err:
            report.raise_if_failed()
        assert err.value.kind is ErrorKind.NOT_FOUND


def test_an_error_costs_one_secret_and_decides_whether_a_retry_helps(world):
    world.write(HOME, A, b"a")
    world.write(HOME, B, b"b")
    world.space(ONE).faults.plant(
        [SecretFault(kind=SecretFaultKind.REFUSE, error=ErrorKind.THROTTLED, name=NAMES.encode(A))]
    )
    report = world.sync()
    assert _counts(report) == {"failed": 1, "created": 1}
    with pytest.raises(SyncFailedError) as err:
        report.raise_if_failed()
    assert err.value.retryable
    again = pickle.loads(pickle.dumps(err.value))
    assert again.report == report
    assert world.sync().succeeded


def test_a_lost_answer_is_no_second_version(world):
    world.write(HOME, A, b"a")
    world.space(ONE).faults.plant([SecretFault(kind=SecretFaultKind.LOSE_ANSWER)])
    assert _counts(world.sync()) == {"failed": 1}
    assert world.sync().in_sync
    assert world.history(ONE, A) == [b"a"]


def test_one_who_writes_at_the_same_time_is_not_overwritten(copied):
    copied.write(HOME, A, b"second")
    copied.space(ONE).faults.plant([SecretFault(kind=SecretFaultKind.MEANWHILE)])
    report = copied.sync()
    assert _counts(report) == {"conflict": 1}
    assert copied.history(ONE, A) == [b"first", b"written meanwhile"]


@pytest.mark.parametrize("stale", [False, True])
def test_what_a_cloud_let_be_overwritten_is_told(copied, monkeypatch, stale):
    """Where a cloud can't check and write in one step, the refusal comes after the write."""
    copied.write(HOME, A, b"second")
    write = Watched.write_secret

    def loose(self, name, value, *, replaces, **kwargs):
        other = copied.write(ONE, name, b"another's")
        made = write(self, name, value, replaces=other, **kwargs)
        raise OverwrittenError("meanwhile", written=made.id, others=(other,))

    monkeypatch.setattr(Watched, "write_secret", loose)
    if stale:
        # For minutes, the cloud tells of what was there before the other writer's version.
        seen = Watched(copied, ONE).describe_secret(A)
        monkeypatch.setattr(
            Watched,
            "describe_secret",
            lambda self, name: (
                seen if self.memory_conn_id == ONE else Hook.describe_secret(self, name)
            ),
        )
        monkeypatch.setattr(
            Watched,
            "list_secret_versions",
            lambda self, name: (
                iter([seen.current])
                if self.memory_conn_id == ONE
                else Hook.list_secret_versions(self, name)
            ),
        )
    report = copied.sync()
    assert _findings(report) == [(A, "overwritten", "conflict")]
    assert not report.succeeded
    assert copied.history(ONE, A) == [b"first", b"another's", b"second"]


def test_anothers_same_value_at_the_same_time_is_no_conflict(copied, monkeypatch):
    copied.write(HOME, A, b"second")
    write = Watched.write_secret

    def loose(self, name, value, *, replaces, **kwargs):
        other = copied.write(ONE, name, b"second")
        made = write(self, name, value, replaces=other, **kwargs)
        raise OverwrittenError("meanwhile", written=made.id, others=(other,))

    monkeypatch.setattr(Watched, "write_secret", loose)
    report = copied.sync()
    assert report.succeeded
    assert _counts(report) == {"replaced": 1}


def test_who_comes_after_a_write_of_the_same_time_is_told_by_what_is_current(copied, monkeypatch):
    copied.write(HOME, A, b"second")
    write = Watched.write_secret

    def loose(self, name, value, **kwargs):
        made = write(self, name, value, **kwargs)
        other = copied.write(ONE, name, b"another's")
        raise OverwrittenError("meanwhile", written=made.id, others=(other,), is_current=False)

    monkeypatch.setattr(Watched, "write_secret", loose)
    report = copied.sync()
    assert _findings(report) == [(A, "unknown_value", "conflict")]
    assert copied.history(ONE, A) == [b"first", b"second", b"another's"]


def test_a_big_report_is_counts_and_the_first_of_all(world):
    for number in range(MOST_TOLD + 20):
        world.write(HOME, f"app/{number:03}", b"x")
        world.write(ONE, f"app/{number:03}", b"y")
    report = world.sync()
    assert (len(report.findings), report.findings_count) == (MOST_TOLD, MOST_TOLD + 20)
    document = to_document(report)
    assert document["destinations"][0]["conflict"] == MOST_TOLD + 20
    assert document["destinations"][0]["secrets"] == MOST_TOLD + 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": (), "prefix": ""}, "neither given"),
        ({"names": (A,), "prefix": "x"}, "both given"),
        ({"names": (A, A)}, "app/a given more than once"),
        ({"prefix": "{{ x }}"}, "template"),
        ({"prefix": "x", "max_replace": -1}, "max_replace: -1 given"),
        ({"prefix": "x", "workers": 0}, "workers: 0 given"),
    ],
)
def test_options_are_checked(world, options, message):
    with pytest.raises(SecretsError, match=message):
        world.sync(**options)


def test_a_token_that_is_no_text_is_of_no_write_of_ours() -> None:
    """As JSON can have it, half of a character."""
    pair = Pair(source="a", destination="b", name="c")
    tags = {COPY_TAG: pair.mark("1", "token")}
    assert pair.is_last(tags, "token")
    assert not pair.is_last(tags, "\ud800")


def test_tokens_and_marks_are_of_one_thing():
    one = Pair(source="a", destination="b", name="c")
    assert UUID(one.token("1", None)) == UUID(one.token("1", None))
    others = [
        Pair(source="ab", destination="", name="c"),
        Pair(source="a", destination="b", name="d"),
    ]
    tokens = {
        one.token("1", None),
        one.token("2", None),
        one.token("1", "x"),
        *(other.token("1", None) for other in others),
    }
    assert len(tokens) == 5
    assert len({one.identity, *(other.identity for other in others)}) == 3
    assert len(one.mark("1", "t")) <= 63
    assert one.made({COPY_TAG: one.mark("1", "t")})
    assert not one.made({FROM_TAG: one.mark("1", "t")})
    assert not one.made({COPY_TAG: others[0].mark("1", "t")})
