"""What is told of an instance."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from airflow_multicloud.errors import CredentialsError, DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
    FromPointInTime,
    FromSnapshot,
)
from airflow_multicloud.testing.contracts.database.rigs import (
    LABEL,
    DatabaseRig,
    RefusedDatabaseRig,
)


class DescribeContract:
    """The port's ``describe_database``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_describes(self, database_rig: DatabaseRig) -> None:
        """A primary, with all that the port has."""
        ref = database_rig.standing()
        found = database_rig.hook.describe_database(ref)
        assert found.ref.id == ref.id
        assert found.ref.region
        assert found.name in ref.id
        assert found.state is DatabaseState.AVAILABLE
        assert found.role is DatabaseRole.PRIMARY
        assert found.engine == database_rig.spec.engine
        assert found.engine_version.partition(".")[0].isdecimal()
        assert found.account_id
        assert found.endpoint is not None
        assert found.endpoint.port > 0
        assert found.size
        assert found.lag is None
        assert found.replica_of is None
        assert found.replicas == ()
        assert not found.deletion_protected
        assert found.error is None
        assert found.created_at is not None
        assert found.created_at <= datetime.now(UTC)
        assert found.console_url is not None
        assert found.console_url.startswith("https://")

    def test_tells_which_moments_can_be_restored(self, database_rig: DatabaseRig) -> None:
        """From the first backup on; aware, and in order."""
        ref = database_rig.standing()
        database_rig.restored(database_rig.restore_order(FromPointInTime(ref)))
        found = database_rig.hook.describe_database(ref)
        assert found.restorable_from is not None
        assert found.restorable_until is not None
        assert found.restorable_from.tzinfo is not None
        assert found.restorable_from <= found.restorable_until <= datetime.now(UTC)

    def test_takes_a_name(self, database_rig: DatabaseRig) -> None:
        """Where the cloud has them."""
        if not database_rig.spec.has_named_instances:
            pytest.skip(f"{database_rig.spec.cloud} has no plain names")
        ref = database_rig.standing()
        found = database_rig.hook.describe_database(ref)
        again = database_rig.hook.describe_database(DatabaseRef(found.name))
        assert again.ref == found.ref

    def test_one_that_is_not_there(self, database_rig: DatabaseRig) -> None:
        """It is not found."""
        ref = database_rig.standing()
        missing = DatabaseRef(f"{ref.id}-none", ref.region)
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.describe_database(missing)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        assert caught.value.cloud == database_rig.spec.cloud

    @pytest.mark.parametrize("given", ["", "no name", "/a//b"])
    def test_a_reference_that_is_none(self, database_rig: DatabaseRig, given: str) -> None:
        """It names what was given."""
        with pytest.raises(DatabaseError, match="database") as caught:
            database_rig.hook.describe_database(DatabaseRef(given))
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert caught.value.cloud == database_rig.spec.cloud


class ListContract:
    """The port's ``list_databases``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_lists_by_labels(self, database_rig: DatabaseRig) -> None:
        """All of them must fit; ``None`` fits any value."""
        source = FromSnapshot(database_rig.taken(database_rig.standing()).ref)
        orders = [database_rig.restore_order(source, labels={"order": text}) for text in "12"]
        begun = [database_rig.hook.restore_database(order) for order in orders]
        first, second = [database_rig.succeeded(one).resource for one in begun]
        hook, mark = database_rig.hook, database_rig.mark

        def found(**labels: str | None) -> set[str]:
            return {one.ref.id for one in hook.list_databases({LABEL: mark, **labels})}

        assert found() == {first, second}
        assert found(order="2") == {second}
        assert found(order=None) == {first, second}
        assert found(order="3") == set()
        assert found(other=None) == set()

    def test_lists_those_of_nobody(self, database_rig: DatabaseRig) -> None:
        """Without labels all instances are meant, and only there."""
        ref = database_rig.standing()
        region = database_rig.hook.describe_database(ref).ref.region
        place = replace(database_rig.hook.database_place(ref), region=region)
        everything = list(database_rig.hook.list_databases({}))
        assert ref.id in {one.ref.id for one in everything}
        here = list(database_rig.hook.list_databases({}, place))
        assert ref.id in {one.ref.id for one in here}
        assert {one.ref.region for one in here} == {region}

    def test_lists_without_lags(self, database_rig: DatabaseRig) -> None:
        """Which would be a request for each."""
        replica = database_rig.lab.replica(database_rig.standing(), database_rig.name())
        (found,) = [one for one in database_rig.hook.list_databases({}) if one.ref.id == replica.id]
        assert found.role is DatabaseRole.REPLICA
        assert found.lag is None


class RefusedCredentialsContract:
    """Credentials that the cloud refuses."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_says_so(self, refused_database_rig: RefusedDatabaseRig) -> None:
        """An error about credentials, also of a listing, when it is read."""
        hook = refused_database_rig.hook
        for ask in (
            lambda: list(hook.list_databases({})),
            lambda: list(hook.list_snapshots(None, {})),
        ):
            with pytest.raises(CredentialsError) as caught:
                ask()
            assert caught.value.kind is ErrorKind.UNAUTHENTICATED
            assert caught.value.cloud == refused_database_rig.cloud
            assert not caught.value.retryable
