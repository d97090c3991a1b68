"""Reading a value, by version and by label, and versions that can't be read."""
# ruff: noqa: S101 - a test suite asserts, and compares with what it wrote

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretState, SecretVersionStates
from airflow_multicloud.testing.contracts.rigs import as_capable
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsRig, needed
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind

_ABSENT = "0123456789abcdef" * 2
_VALUES = {
    "text": b"first value",
    "unicode": "Größe, 日本 🔑".encode(),
    "json": b'{"user": "u", "password": "p\\n\\"q"}',
    "lines": b"\n line \r\n\tline\n\n",
    "zeros": b"\x00a\x00",
    "bytes": bytes(range(256)),
    "half": b"\xed\xa0\x80",
    "base64": b"c2VjcmV0",
    "byte": b"\xff",
    "space": b" ",
}


class ReadContract:
    """The port's ``read_secret``, ``describe_secret`` and ``list_secret_versions``."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("what", _VALUES)
    def test_every_value_is_itself(self, secrets_rig: SecretsRig, what: str) -> None:
        """Byte for byte, also when another hook reads it."""
        secrets_rig.write(value=_VALUES[what])
        assert secrets_rig.value() == _VALUES[what]
        assert secrets_rig.reopen().read_secret(secrets_rig.name()).value == _VALUES[what]

    def test_one_that_a_service_of_the_cloud_keeps(self, secrets_rig: SecretsRig) -> None:
        """It is told, by whom, and no other one is said to be such."""
        manage = needed(secrets_rig.outside.manage, "secrets of its services")
        secrets_rig.write()
        secrets_rig.write(secrets_rig.name("other"))
        manage(secrets_rig.cloud_name(secrets_rig.name()))
        found = secrets_rig.found()
        assert found[secrets_rig.name()].managed_by
        assert found[secrets_rig.name("other")].managed_by is None
        assert secrets_rig.describe().managed_by == found[secrets_rig.name()].managed_by
        assert secrets_rig.describe(secrets_rig.name("other")).managed_by is None

    def test_what_another_writer_wrote(self, secrets_rig: SecretsRig) -> None:
        """It is read as the cloud's own clients wrote it."""
        secrets_rig.write_outside("von anderen geschrieben: ß".encode())
        assert secrets_rig.value() == "von anderen geschrieben: ß".encode()

    @pytest.mark.parametrize("unit", [b"x", b"\xff", b"\0"])
    def test_the_largest_value(self, secrets_rig: SecretsRig, unit: bytes) -> None:
        """As the rules say, also of what is no text."""
        value = unit * secrets_rig.hook.describe_secret_rules().largest(text=unit == b"x")
        secrets_rig.write(value=value)
        assert secrets_rig.value() == value

    def test_versions(self, secrets_rig: SecretsRig) -> None:
        """Each has its value; the newest is current."""
        first = secrets_rig.write(value=b"first value")
        second = secrets_rig.write(value=b"second value", replaces=first.id)
        assert secrets_rig.value() == b"second value"
        assert secrets_rig.value(version=second.id) == b"second value"
        assert secrets_rig.value(version=first.id) == b"first value"
        listed = secrets_rig.versions()
        assert [version.id for version in listed] == [second.id, first.id]
        assert [version.is_current for version in listed] == [True, False]
        read = secrets_rig.hook.read_secret(secrets_rig.name()).version
        assert (read.id, read.is_current) == (second.id, True)
        older = secrets_rig.hook.read_secret(secrets_rig.name(), first.id).version
        assert (older.id, older.is_current) == (first.id, False)

    def test_many_versions(self, secrets_rig: SecretsRig) -> None:
        """All are listed, each once, the newest first."""
        count = secrets_rig.spec.versions_page + 2
        ids = [secrets_rig.write_outside(b"value %d" % number) for number in range(count)]
        assert [version.id for version in secrets_rig.versions()] == ids[::-1]

    def test_the_description(self, secrets_rig: SecretsRig) -> None:
        """It says which version is current, and when it was written."""
        written = secrets_rig.write()
        told = secrets_rig.describe()
        assert told.state is SecretState.ENABLED
        assert told.addressable
        assert told.id
        assert told.recoverable_until is None
        assert told.current is not None
        assert told.current.id == written.id
        assert told.current.is_current
        assert told.current.state is SecretState.ENABLED
        soon = datetime.now(UTC) + timedelta(minutes=5)
        for moment in (told.created_at, told.current.created_at):
            assert moment is not None
            assert moment.tzinfo is not None
            assert moment <= soon

    def test_the_listing_tells_the_same(self, secrets_rig: SecretsRig) -> None:
        """But for the current version, which would take a request for each secret.

        When the secret was made may be left out, where lists tell it of the current version only.
        """
        secrets_rig.write(tags=dict(secrets_rig.spec.tags))
        told, found = secrets_rig.describe(), secrets_rig.found()[secrets_rig.name()]
        assert (found.name, found.id, found.state) == (told.name, told.id, told.state)
        assert found.tags == told.tags
        assert found.created_at in (None, told.created_at)
        assert found.current is None

    def test_a_label(self, secrets_rig: SecretsRig) -> None:
        """A version is read by it, and lists it."""
        label = needed(secrets_rig.outside.label, "labels of versions")
        first = secrets_rig.write(value=b"first value")
        secrets_rig.write(value=b"second value", replaces=first.id)
        label(secrets_rig.cloud_name(secrets_rig.name()), first.id, "stable")
        read = secrets_rig.hook.read_secret(secrets_rig.name(), "stable")
        assert (read.value, read.version.id) == (b"first value", first.id)
        assert "stable" in read.version.labels
        labelled = {one.id for one in secrets_rig.versions() if "stable" in one.labels}
        assert labelled == {first.id}

    @pytest.mark.parametrize("version", [_ABSENT, "no-such-label", "99"])
    def test_no_such_version(self, secrets_rig: SecretsRig, version: str) -> None:
        """Neither an id nor a label: it is not there."""
        secrets_rig.write()
        with pytest.raises(SecretsError) as caught:
            secrets_rig.value(version=version)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        assert caught.value.cloud == secrets_rig.spec.cloud

    def test_no_such_secret(self, secrets_rig: SecretsRig) -> None:
        """Whatever is asked of it."""
        uses: tuple[Callable[[], object], ...] = (
            secrets_rig.describe,
            secrets_rig.value,
            secrets_rig.versions,
            lambda: secrets_rig.hook.tag_secret(secrets_rig.name(), {}, version=_ABSENT),
            lambda: secrets_rig.hook.remove_secret(secrets_rig.name(), version=_ABSENT),
        )
        for use in uses:
            with pytest.raises(SecretsError) as caught:
                use()
            assert caught.value.kind is ErrorKind.NOT_FOUND
            assert caught.value.cloud == secrets_rig.spec.cloud

    def test_a_destroyed_version(self, secrets_rig: SecretsRig) -> None:
        """It is listed as such and can't be read; others can."""
        destroy = needed(secrets_rig.outside.destroy, "destroying a version")
        first = secrets_rig.write()
        secrets_rig.write(value=b"second value", replaces=first.id)
        destroy(secrets_rig.cloud_name(secrets_rig.name()), first.id)
        with pytest.raises(SecretsError) as caught:
            secrets_rig.value(version=first.id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert secrets_rig.value() == b"second value"
        assert secrets_rig.versions()[-1].state is SecretState.DESTROYED

    def test_a_value_that_does_not_fit_its_checksum(self, secrets_rig: SecretsRig) -> None:
        """It is not given out."""
        damage = needed(secrets_rig.outside.damage, "checksums of values")
        secrets_rig.write()
        damage(secrets_rig.cloud_name(secrets_rig.name()))
        with pytest.raises(SecretsError) as caught:
            secrets_rig.value()
        assert caught.value.kind is ErrorKind.INTEGRITY

    @pytest.mark.parametrize("call", [SecretCall.READ, SecretCall.DESCRIBE, SecretCall.LIST])
    def test_a_refusal(self, secrets_rig: SecretsRig, call: SecretCall) -> None:
        """A permission that is missing is an error of this cloud's that no retry mends."""
        secrets_rig.write()
        uses: dict[SecretCall, Callable[[], object]] = {
            SecretCall.READ: secrets_rig.value,
            SecretCall.DESCRIBE: secrets_rig.describe,
            SecretCall.LIST: secrets_rig.found,
        }
        kind = ErrorKind.PERMISSION_DENIED
        secrets_rig.plant([SecretFault(kind=SecretFaultKind.REFUSE, call=call, error=kind)])
        with pytest.raises(SecretsError) as caught:
            uses[call]()
        assert caught.value.kind is kind
        assert caught.value.cloud == secrets_rig.spec.cloud
        assert caught.value.code


class VersionStateContract:
    """Versions that can be disabled one by one."""

    needs: ClassVar[tuple[type, ...]] = (SecretVersionStates,)

    def test_disabled_and_enabled(self, secrets_rig: SecretsRig) -> None:
        """It can't be read in between; the others can."""
        hook, name = as_capable(secrets_rig.hook, SecretVersionStates), secrets_rig.name()
        first = secrets_rig.write()
        second = secrets_rig.write(value=b"second value", replaces=first.id)
        for _ in range(2):
            told = hook.disable_secret_version(name, first.id)
            assert (told.id, told.state) == (first.id, SecretState.DISABLED)
        with pytest.raises(SecretsError) as caught:
            secrets_rig.value(version=first.id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert secrets_rig.value() == b"second value"
        assert [(one.id, one.state) for one in secrets_rig.versions()] == [
            (second.id, SecretState.ENABLED),
            (first.id, SecretState.DISABLED),
        ]
        for _ in range(2):
            told = hook.enable_secret_version(name, first.id)
            assert (told.id, told.state) == (first.id, SecretState.ENABLED)
        assert secrets_rig.value(version=first.id) == b"first value"

    def test_the_current_one(self, secrets_rig: SecretsRig) -> None:
        """An older one does not take its place silently."""
        hook, name = as_capable(secrets_rig.hook, SecretVersionStates), secrets_rig.name()
        first = secrets_rig.write()
        second = secrets_rig.write(value=b"second value", replaces=first.id)
        hook.disable_secret_version(name, second.id)
        with pytest.raises(SecretsError) as caught:
            secrets_rig.value()
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        hook.enable_secret_version(name, second.id)
        assert secrets_rig.value() == b"second value"

    def test_no_such_version(self, secrets_rig: SecretsRig) -> None:
        """Neither can be done to it."""
        hook, name = as_capable(secrets_rig.hook, SecretVersionStates), secrets_rig.name()
        secrets_rig.write()
        for use in (hook.disable_secret_version, hook.enable_secret_version):
            with pytest.raises(SecretsError) as caught:
                use(name, _ABSENT)
            assert caught.value.kind is ErrorKind.NOT_FOUND

    def test_a_destroyed_version(self, secrets_rig: SecretsRig) -> None:
        """It can't be enabled again."""
        destroy = needed(secrets_rig.outside.destroy, "destroying a version")
        hook, name = as_capable(secrets_rig.hook, SecretVersionStates), secrets_rig.name()
        first = secrets_rig.write()
        secrets_rig.write(value=b"second value", replaces=first.id)
        destroy(secrets_rig.cloud_name(name), first.id)
        for use in (hook.disable_secret_version, hook.enable_secret_version):
            with pytest.raises(SecretsError) as caught:
                use(name, first.id)
            assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
