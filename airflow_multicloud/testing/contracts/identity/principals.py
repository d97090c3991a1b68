"""Whom a cloud takes the caller for."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from typing import ClassVar

import pytest

from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Principal
from airflow_multicloud.testing.contracts.identity.rigs import IdentityRig, RefusedRig


class IdentityContract:
    """The port's ``Identity``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_says_who(self, identity_rig: IdentityRig) -> None:
        """An account and a principal, and the region of the connection if it has one."""
        found = identity_rig.hook.who_am_i()
        assert isinstance(found, Principal)
        assert found.account_id
        assert found.principal
        assert found.region != ""
        if identity_rig.principal is not None:
            assert found == identity_rig.principal

    def test_says_the_same_again(self, identity_rig: IdentityRig) -> None:
        """Also another hook on the same connection, as in another process."""
        found = identity_rig.hook.who_am_i()
        assert identity_rig.hook.who_am_i() == found
        assert identity_rig.reopen().who_am_i() == found


class RefusedCredentialsContract:
    """Credentials that the cloud refuses."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_says_so(self, refused_rig: RefusedRig) -> None:
        """An error of this cloud's, about credentials, that a retry can't mend."""
        with pytest.raises(CredentialsError) as caught:
            refused_rig.hook.who_am_i()
        assert caught.value.kind in (ErrorKind.UNAUTHENTICATED, ErrorKind.PERMISSION_DENIED)
        assert caught.value.cloud == refused_rig.cloud
        assert not caught.value.retryable
