"""Writers at the same time: none overwrites another unnoticed."""
# ruff: noqa: S101, PT017 - a test suite asserts, and where nobody came between there is no error

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind, OverwrittenError, SecretsError
from airflow_multicloud.ports.secrets import SecretVersion
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsRig
from airflow_multicloud.testing.secret_faults import (
    MEANWHILE_VALUE,
    SecretFault,
    SecretFaultKind,
)

_WRITERS = 4


class RaceContract:
    """What ``write_secret`` replaces is what it was told to, or an error says what was there."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("after", [0, 1, 2])
    def test_somebody_writes_meanwhile(self, secrets_rig: SecretsRig, after: int) -> None:
        """Before any of the requests: the error names what was written, which is still there."""
        first = secrets_rig.write()
        secrets_rig.plant([SecretFault(kind=SecretFaultKind.MEANWHILE, after=after)])
        try:
            written = secrets_rig.write(value=b"second value", replaces=first.id)
        except SecretsError as err:
            assert err.kind is ErrorKind.PRECONDITION_FAILED
            other = self._version_of_other(secrets_rig)
            assert other.id in str(err)
            if isinstance(err, OverwrittenError):
                assert not secrets_rig.spec.atomic
                assert err.others == (other.id,)
                assert err.is_current
                assert secrets_rig.value(version=err.written) == b"second value"
            if secrets_rig.spec.atomic:
                assert other.is_current
                assert secrets_rig.value() == MEANWHILE_VALUE
        else:
            # It wrote before, or never: as far as this writer's requests go, nobody was between.
            assert after > 0
            ids = [version.id for version in secrets_rig.versions()]
            assert ids.index(written.id) == ids.index(first.id) - 1

    @pytest.mark.parametrize("after", [0, 1])
    def test_somebody_makes_it_meanwhile(self, secrets_rig: SecretsRig, after: int) -> None:
        """What they wrote is still there, and the error says that there is something."""
        secrets_rig.plant([SecretFault(kind=SecretFaultKind.MEANWHILE, after=after)])
        try:
            written = secrets_rig.write(value=b"second value")
        except SecretsError as err:
            assert err.kind in (ErrorKind.ALREADY_EXISTS, ErrorKind.PRECONDITION_FAILED)
            other = self._version_of_other(secrets_rig)
            if secrets_rig.spec.atomic:
                assert other.is_current
                assert secrets_rig.value() == MEANWHILE_VALUE
        else:
            assert after > 0
            assert secrets_rig.versions()[-1].id == written.id

    @pytest.mark.parametrize("there", [False, True], ids=["made", "replaced"])
    def test_many_at_once(self, secrets_rig: SecretsRig, *, there: bool) -> None:
        """At most one of them replaces the version; the others are told that they did not."""
        replaces = secrets_rig.write().id if there else None

        def write(number: int) -> SecretVersion | SecretsError:
            try:
                return secrets_rig.write(value=b"of writer %d" % number, replaces=replaces)
            except SecretsError as err:
                return err

        with ThreadPoolExecutor(_WRITERS) as pool:
            results = list(pool.map(write, range(_WRITERS)))
        won = [one for one in results if isinstance(one, SecretVersion)]
        lost = [one for one in results if isinstance(one, SecretsError)]
        kinds = {ErrorKind.PRECONDITION_FAILED, ErrorKind.ALREADY_EXISTS}
        assert {err.kind for err in lost} <= kinds, lost
        assert len(won) <= 1
        if secrets_rig.spec.atomic:
            (winner,) = won
            told = secrets_rig.describe()
            assert told.current is not None
            assert told.current.id == winner.id

    def _version_of_other(self, secrets_rig: SecretsRig) -> SecretVersion:
        (found,) = (
            version
            for version in secrets_rig.versions()
            if secrets_rig.value(version=version.id) == MEANWHILE_VALUE
        )
        return found
