"""Where instances and snapshots lie."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import DatabaseRef, FromPointInTime, FromSnapshot
from airflow_multicloud.testing.contracts.database.rigs import LABEL, DatabaseRig


class PlaceContract:
    """The port's places, and what lies elsewhere than the connection says."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_a_restore_lies_where_its_source_does(self, database_rig: DatabaseRig) -> None:
        """Its full id alone tells; it is listed there, and only there, and can be removed."""
        hook, mark = database_rig.hook, database_rig.mark
        ref = database_rig.lab.abroad(database_rig.name())
        source = DatabaseRef(ref.id)
        place = hook.database_place(source)
        snapshot = DatabaseRef(database_rig.taken(ref).ref.id)
        assert hook.database_place(snapshot) == place
        orders = [
            database_rig.restore_order(one)
            for one in (FromPointInTime(source), FromSnapshot(snapshot))
        ]
        made = [database_rig.restored(order) for order in orders]
        for one in made:
            assert one.ref.region == ref.region
            assert place.region in (None, one.ref.region)
            assert place.account_id in (None, one.account_id)
            assert hook.database_place(DatabaseRef(one.ref.id)) == place
        ids = {one.ref.id for one in made}
        assert {one.ref.id for one in hook.list_databases({LABEL: mark}, place)} == ids
        home = hook.database_place(None)
        found = {one.ref.id for one in hook.list_databases({LABEL: mark}, home)}
        # The connection's own place has every kind of instance.
        assert found == (ids if home == replace(place, kind=home.kind) else set())
        assert {one.ref.id for one in hook.list_databases({LABEL: mark})} == found
        for order, one in zip(orders, made, strict=True):
            begun = hook.remove_database(
                DatabaseRef(one.ref.id), token=order.token, final_snapshot=None
            )
            database_rig.succeeded(begun)
        assert list(hook.list_databases({LABEL: mark}, place)) == []

    def test_the_place_of_what_is_not_there(self, database_rig: DatabaseRig) -> None:
        """It asks nobody."""
        ref = database_rig.standing()
        known = database_rig.hook.database_place(DatabaseRef(ref.id))
        assert database_rig.hook.database_place(DatabaseRef(f"{ref.id}-none")) == known

    def test_the_account_of_a_place(self, database_rig: DatabaseRig) -> None:
        """That of what lies there, also where nothing does."""
        hook, ref = database_rig.hook, database_rig.standing()
        account = hook.describe_database(ref).account_id
        for one in (None, DatabaseRef(ref.id), DatabaseRef(f"{ref.id}-none")):
            assert hook.database_account(hook.database_place(one)) == account

    def test_describes_a_snapshot(self, database_rig: DatabaseRig) -> None:
        """As it is listed, by its full id alone."""
        ref = database_rig.standing()
        order = database_rig.snapshot_order(ref)
        found = database_rig.taken(ref, order)
        again = database_rig.hook.describe_snapshot(DatabaseRef(found.ref.id))
        assert again == found
        removed = database_rig.hook.remove_snapshot(found.ref, token=order.token)
        database_rig.succeeded(removed)
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.describe_snapshot(found.ref)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        assert caught.value.cloud == database_rig.spec.cloud

    @pytest.mark.parametrize("given", ["", "no name", "/a//b"])
    def test_a_snapshot_that_is_none(self, database_rig: DatabaseRig, given: str) -> None:
        """It names what was given."""
        with pytest.raises(DatabaseError, match="snapshot") as caught:
            database_rig.hook.describe_snapshot(DatabaseRef(given))
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
