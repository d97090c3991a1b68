"""What a cloud says of what the caller may do."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from typing import ClassVar

import pytest

from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, PermissionChecks
from airflow_multicloud.testing.contracts.identity.permission_rigs import PermissionsRig


class PermissionsContract:
    """The port's ``PermissionChecks``."""

    needs: ClassVar[tuple[type, ...]] = (PermissionChecks,)

    def test_says_what_is_allowed(self, permissions_rig: PermissionsRig) -> None:
        """With the call that told it, and why."""
        case = permissions_rig.case
        (check,) = permissions_rig.hook.check_permissions([case.allowed], case.resource)
        assert check.decision is Decision.ALLOW, check.reason
        assert (check.action, check.resource) == (case.allowed, case.resource)
        assert check.reason
        assert check.asked

    def test_says_what_is_denied(self, permissions_rig: PermissionsRig) -> None:
        """Likewise."""
        case = permissions_rig.case
        (check,) = permissions_rig.hook.check_permissions([case.denied], case.resource)
        assert check.decision is Decision.DENY, check.reason
        assert check.reason

    def test_what_cannot_be_known_is_unknown(self, permissions_rig: PermissionsRig) -> None:
        """And never allowed."""
        case = permissions_rig.case
        (check,) = permissions_rig.hook.check_permissions([case.unknown], case.resource)
        assert check.decision is Decision.UNKNOWN, check.reason
        assert check.reason

    def test_one_answer_for_each_in_order(self, permissions_rig: PermissionsRig) -> None:
        """Also for one that is asked twice; what can't be known costs no other."""
        case = permissions_rig.case
        asked = [case.unknown, case.allowed, case.denied, case.allowed, case.unknown]
        found = permissions_rig.hook.check_permissions(asked, case.resource)
        assert [check.action for check in found] == asked
        assert [check.decision for check in found] == [
            Decision.UNKNOWN,
            Decision.ALLOW,
            Decision.DENY,
            Decision.ALLOW,
            Decision.UNKNOWN,
        ]

    def test_says_the_same_again(self, permissions_rig: PermissionsRig) -> None:
        """Also another hook on the same connection."""
        case = permissions_rig.case
        asked = [case.allowed, case.denied, case.unknown]
        found = permissions_rig.hook.check_permissions(asked, case.resource)
        assert permissions_rig.hook.check_permissions(asked, case.resource) == found
        assert permissions_rig.reopen().check_permissions(asked, case.resource) == found

    def test_what_is_there_already_need_not_be_made(self, permissions_rig: PermissionsRig) -> None:
        """Who would make it is answered the same."""
        case = permissions_rig.case
        asked = [case.allowed, case.denied, case.unknown]
        found = permissions_rig.hook.check_permissions(asked, case.resource, to_be_made=True)
        assert found == permissions_rig.hook.check_permissions(asked, case.resource)

    def test_nothing_is_changed_by_asking(self, permissions_rig: PermissionsRig) -> None:
        """The cloud gets no request that could change anything."""
        case = permissions_rig.case
        before = permissions_rig.changes()
        asked = [case.allowed, case.denied, case.unknown]
        permissions_rig.hook.check_permissions(asked, case.resource)
        assert permissions_rig.changes() == before

    @pytest.mark.parametrize("wrong", ["", "no action", "*"])
    def test_what_is_no_action_is_refused(
        self, permissions_rig: PermissionsRig, wrong: str
    ) -> None:
        """Before anything is asked, with the parameter's name."""
        case = permissions_rig.case
        with pytest.raises(CredentialsError, match="actions") as caught:
            permissions_rig.hook.check_permissions([case.allowed, wrong], case.resource)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert caught.value.cloud == permissions_rig.cloud

    def test_no_action_at_all_is_refused(self, permissions_rig: PermissionsRig) -> None:
        """Nothing to say of nothing."""
        with pytest.raises(CredentialsError, match="actions") as caught:
            permissions_rig.hook.check_permissions([], permissions_rig.case.resource)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    @pytest.mark.parametrize(
        "wrong",
        [
            "",
            "bucket",
            "arn:aws:s3:::bucket",
            "//storage.googleapis.com/projects/_/buckets/bucket",
            "/subscriptions/33333333-3333-4333-8333-333333333333",
            "//memory/object_store/bucket",
        ],
    )
    def test_a_resource_of_another_cloud_is_refused(
        self, permissions_rig: PermissionsRig, wrong: str
    ) -> None:
        """As are words that name none; its own are answered."""
        case = permissions_rig.case
        if case.is_own(wrong):
            assert len(permissions_rig.hook.check_permissions([case.allowed], wrong)) == 1
            return
        with pytest.raises(CredentialsError, match="resource") as caught:
            permissions_rig.hook.check_permissions([case.allowed], wrong)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert caught.value.cloud == permissions_rig.cloud
