"""Removing a secret so that it can be recovered, and recovering it."""
# ruff: noqa: S101, PT017 - a test suite asserts

from __future__ import annotations

from typing import ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import Secret, SecretRecovery, SecretState
from airflow_multicloud.testing.contracts.rigs import as_capable
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsRig
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind

_LOST = SecretFault(kind=SecretFaultKind.LOSE_ANSWER, call=SecretCall.REMOVE)


class RemoveContract:
    """The port's ``remove_secret``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_removed(self, secrets_rig: SecretsRig) -> None:
        """It is told of, and neither listed nor read."""
        written = secrets_rig.write()
        removed = secrets_rig.hook.remove_secret(secrets_rig.name(), version=written.id)
        told = secrets_rig.describe()
        for secret in (removed, told):
            assert secret.name == secrets_rig.name()
            assert secret.state is SecretState.REMOVED
            until = secret.recoverable_until
            assert until is None or until > written.created_at
        assert secrets_rig.found() == {}
        for version in (None, written.id):
            with pytest.raises(SecretsError) as caught:
                secrets_rig.value(version=version)
            assert caught.value.kind is ErrorKind.PRECONDITION_FAILED

    def test_others_stay(self, secrets_rig: SecretsRig) -> None:
        """Also one whose name begins with the removed one's."""
        other = secrets_rig.name("one-more")
        written = secrets_rig.write()
        secrets_rig.write(other)
        secrets_rig.hook.remove_secret(secrets_rig.name(), version=written.id)
        assert list(secrets_rig.found()) == [other]

    def test_again(self, secrets_rig: SecretsRig) -> None:
        """It changes nothing, also not until when it can be recovered."""
        written = secrets_rig.write()
        first = secrets_rig.hook.remove_secret(secrets_rig.name(), version=written.id)
        again = secrets_rig.hook.remove_secret(secrets_rig.name(), version=written.id)
        assert again.state is SecretState.REMOVED
        assert again.recoverable_until == first.recoverable_until

    def test_another_version_is_current(self, secrets_rig: SecretsRig) -> None:
        """It stays, and the error names what is current."""
        first = secrets_rig.write()
        other = secrets_rig.write_outside(b"by another")
        with pytest.raises(SecretsError) as caught:
            secrets_rig.hook.remove_secret(secrets_rig.name(), version=first.id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert other in str(caught.value)
        assert secrets_rig.value() == b"by another"

    def test_its_name_is_taken(self, secrets_rig: SecretsRig) -> None:
        """Nothing is written over what can be recovered."""
        written = secrets_rig.write()
        removed = secrets_rig.hook.remove_secret(secrets_rig.name(), version=written.id)
        with pytest.raises(SecretsError) as caught:
            secrets_rig.write(value=b"second value")
        assert caught.value.kind is ErrorKind.ALREADY_EXISTS
        with pytest.raises(SecretsError) as caught:
            secrets_rig.write(value=b"second value", replaces=written.id)
        assert caught.value.kind in (ErrorKind.ALREADY_EXISTS, ErrorKind.PRECONDITION_FAILED)
        told = secrets_rig.describe()
        assert told.state is SecretState.REMOVED
        assert told.recoverable_until == removed.recoverable_until

    def test_gone_for_good(self, secrets_rig: SecretsRig) -> None:
        """Its name is free then."""
        written = secrets_rig.write()
        secrets_rig.hook.remove_secret(secrets_rig.name(), version=written.id)
        secrets_rig.outside.purge(secrets_rig.cloud_name(secrets_rig.name()))
        with pytest.raises(SecretsError) as caught:
            secrets_rig.describe()
        assert caught.value.kind is ErrorKind.NOT_FOUND
        secrets_rig.write(value=b"second value")
        assert secrets_rig.value() == b"second value"

    def test_a_lost_answer(self, secrets_rig: SecretsRig) -> None:
        """The next try finds it removed."""
        written = secrets_rig.write()
        secrets_rig.plant([_LOST])
        try:
            removed = secrets_rig.hook.remove_secret(secrets_rig.name(), version=written.id)
        except SecretsError as err:
            assert err.retryable
            removed = secrets_rig.hook.remove_secret(secrets_rig.name(), version=written.id)
        assert removed.state is SecretState.REMOVED


class RecoveryContract:
    """To take back a removal."""

    needs: ClassVar[tuple[type, ...]] = (SecretRecovery,)

    def test_recovered(self, secrets_rig: SecretsRig) -> None:
        """It is as it was, with its versions and tags."""
        first = secrets_rig.write(tags=dict(secrets_rig.spec.tags))
        second = secrets_rig.write(value=b"second value", replaces=first.id)
        secrets_rig.hook.remove_secret(secrets_rig.name(), version=second.id)
        told = self._recover(secrets_rig)
        assert told.state is SecretState.ENABLED
        assert told.recoverable_until is None
        assert told.current is not None
        assert told.current.id == second.id
        assert secrets_rig.describe().tags == secrets_rig.spec.tags
        assert secrets_rig.value() == b"second value"
        assert secrets_rig.value(version=first.id) == b"first value"
        assert list(secrets_rig.found()) == [secrets_rig.name()]
        secrets_rig.write(value=b"third value", replaces=second.id)
        assert secrets_rig.value() == b"third value"

    def test_one_that_is_not_removed(self, secrets_rig: SecretsRig) -> None:
        """It is given back as it is."""
        written = secrets_rig.write()
        told = self._recover(secrets_rig)
        assert told.state is SecretState.ENABLED
        assert told.current is not None
        assert told.current.id == written.id

    def test_one_that_is_not_there(self, secrets_rig: SecretsRig) -> None:
        """Nothing comes back."""
        with pytest.raises(SecretsError) as caught:
            self._recover(secrets_rig)
        assert caught.value.kind is ErrorKind.NOT_FOUND

    def test_a_lost_answer(self, secrets_rig: SecretsRig) -> None:
        """The next try finds it recovered."""
        written = secrets_rig.write()
        secrets_rig.hook.remove_secret(secrets_rig.name(), version=written.id)
        secrets_rig.plant([_LOST])
        try:
            told = self._recover(secrets_rig)
        except SecretsError as err:
            assert err.retryable
            told = self._recover(secrets_rig)
        assert told.state is SecretState.ENABLED
        assert secrets_rig.value() == b"first value"

    def _recover(self, secrets_rig: SecretsRig) -> Secret:
        hook = as_capable(secrets_rig.hook, SecretRecovery)
        return hook.recover_secret(secrets_rig.name())
