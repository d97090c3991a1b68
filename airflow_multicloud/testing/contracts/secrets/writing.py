"""Writing: what is replaced, writing again, and what is refused before anything is sent."""
# ruff: noqa: S101, PT017 - a test suite asserts, and some clouds refuse where others know

from __future__ import annotations

import uuid
from typing import ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsRig
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind

_ABSENT = "0123456789abcdef" * 2


class WriteContract:
    """The port's ``write_secret``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_makes_a_secret(self, secrets_rig: SecretsRig) -> None:
        """What comes back is the version that is there."""
        written = secrets_rig.write()
        assert written.is_current
        told = secrets_rig.describe()
        assert told.current is not None
        assert told.current.id == written.id
        assert secrets_rig.value() == b"first value"
        assert [version.id for version in secrets_rig.versions()] == [written.id]

    def test_replaces(self, secrets_rig: SecretsRig) -> None:
        """The version named is the one before."""
        first = secrets_rig.write()
        second = secrets_rig.write(value=b"second value", replaces=first.id)
        assert second.is_current
        assert second.id != first.id
        third = secrets_rig.write(value=b"first value", replaces=second.id)
        assert [v.id for v in secrets_rig.versions()] == [third.id, second.id, first.id]
        assert secrets_rig.value() == b"first value"

    def test_the_token_tells_whose_a_version_is(self, secrets_rig: SecretsRig) -> None:
        """Of the current version; another writer's never has one that was given here."""
        tokens = [str(uuid.uuid4()) for _ in range(2)]
        first = secrets_rig.write(token=tokens[0], tags=dict(secrets_rig.spec.tags))
        assert first.token == tokens[0]
        assert self._token(secrets_rig) == tokens[0]
        second = secrets_rig.write(value=b"second value", token=tokens[1], replaces=first.id)
        assert second.token == tokens[1]
        assert self._token(secrets_rig) == tokens[1]
        assert secrets_rig.versions()[0].token == tokens[1]
        assert secrets_rig.versions()[1].token in (tokens[0], None)
        secrets_rig.write_outside(b"by another")
        assert self._token(secrets_rig) not in tokens
        assert secrets_rig.versions()[0].token not in tokens

    def test_a_writer_that_ended_before_its_value_is_not_told_of(
        self, secrets_rig: SecretsRig
    ) -> None:
        """The version and the tags that are there are those of the write before."""
        token, tags = str(uuid.uuid4()), dict(secrets_rig.spec.tags)
        first = secrets_rig.write(token=token, tags=tags)
        refusal = SecretFault(
            kind=SecretFaultKind.REFUSE, error=ErrorKind.PERMISSION_DENIED, times=20
        )
        secrets_rig.plant([refusal])
        with pytest.raises(SecretsError):
            secrets_rig.write(value=b"second value", replaces=first.id, tags={"other": "1"})
        secrets_rig.plant([])
        assert self._token(secrets_rig) == token
        assert secrets_rig.describe().tags == tags

    def test_replaces_what_another_writer_wrote(self, secrets_rig: SecretsRig) -> None:
        """When that is what is named."""
        secrets_rig.write()
        other = secrets_rig.write_outside(b"by another")
        secrets_rig.write(value=b"second value", replaces=other)
        assert secrets_rig.value() == b"second value"

    def test_is_there_already(self, secrets_rig: SecretsRig) -> None:
        """A secret that should not be there is not replaced."""
        first = secrets_rig.write()
        with pytest.raises(SecretsError) as caught:
            secrets_rig.write(value=b"second value")
        assert caught.value.kind is ErrorKind.ALREADY_EXISTS
        assert caught.value.cloud == secrets_rig.spec.cloud
        assert [version.id for version in secrets_rig.versions()] == [first.id]

    def test_is_not_there(self, secrets_rig: SecretsRig) -> None:
        """A secret that should be there is not made."""
        with pytest.raises(SecretsError) as caught:
            secrets_rig.write(replaces=_ABSENT)
        assert caught.value.kind in (ErrorKind.NOT_FOUND, ErrorKind.PRECONDITION_FAILED)
        assert secrets_rig.found() == {}

    def test_another_version_is_current(self, secrets_rig: SecretsRig) -> None:
        """The error names it, and nothing has changed."""
        first = secrets_rig.write()
        other = secrets_rig.write_outside(b"by another")
        with pytest.raises(SecretsError) as caught:
            secrets_rig.write(value=b"second value", replaces=first.id)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert other in str(caught.value)
        told = secrets_rig.describe()
        assert told.current is not None
        assert told.current.id == other
        assert secrets_rig.value() == b"by another"
        # What was not written may be there as a version that nobody is given by default.
        assert other in [version.id for version in secrets_rig.versions()]

    def test_the_same_again(self, secrets_rig: SecretsRig) -> None:
        """A retry writes nothing and gives back what the first wrote."""
        tokens = [str(uuid.uuid4()) for _ in range(2)]
        for _ in range(2):
            first = secrets_rig.write(token=tokens[0])
            assert [version.id for version in secrets_rig.versions()] == [first.id]
        for _ in range(2):
            second = secrets_rig.write(value=b"second value", token=tokens[1], replaces=first.id)
            assert second.is_current
            assert [v.id for v in secrets_rig.versions()] == [second.id, first.id]

    def test_the_same_again_after_another(self, secrets_rig: SecretsRig) -> None:
        """A late retry undoes nothing that was written since."""
        token = str(uuid.uuid4())
        first = secrets_rig.write(token=token)
        other = secrets_rig.write_outside(b"by another")
        try:
            again = secrets_rig.write(token=token)
        except SecretsError as err:
            assert err.kind in (ErrorKind.PRECONDITION_FAILED, ErrorKind.ALREADY_EXISTS)
        else:
            assert (again.id, again.is_current) == (first.id, False)
        assert [version.id for version in secrets_rig.versions()] == [other, first.id]
        assert secrets_rig.value() == b"by another"

    def test_another_value_with_the_token(self, secrets_rig: SecretsRig) -> None:
        """It is not taken for the first."""
        token = str(uuid.uuid4())
        first = secrets_rig.write()
        second = secrets_rig.write(value=b"second value", token=token, replaces=first.id)
        with pytest.raises(SecretsError) as caught:
            secrets_rig.write(value=b"another value", token=token, replaces=first.id)
        assert caught.value.kind in (
            ErrorKind.ALREADY_EXISTS,
            ErrorKind.PRECONDITION_FAILED,
            ErrorKind.INVALID_ARGUMENT,
        )
        assert secrets_rig.versions()[0].id == second.id
        assert secrets_rig.value() == b"second value"

    @pytest.mark.parametrize("after", [0, 1, 2])
    @pytest.mark.parametrize("there", [False, True], ids=["made", "replaced"])
    def test_a_lost_answer(self, secrets_rig: SecretsRig, after: int, *, there: bool) -> None:
        """Of any request: the next try with the token ends where the first would have."""
        replaces = secrets_rig.write(tags=dict(secrets_rig.spec.tags)).id if there else None
        token, tags = str(uuid.uuid4()), {"team": "web"}
        secrets_rig.plant([SecretFault(kind=SecretFaultKind.LOSE_ANSWER, after=after)])
        try:
            written = secrets_rig.write(
                value=b"second value", token=token, replaces=replaces, tags=tags
            )
        except SecretsError as err:
            assert err.retryable
            secrets_rig.plant([])
            written = secrets_rig.write(
                value=b"second value", token=token, replaces=replaces, tags=tags
            )
        assert written.is_current
        expected = [written.id] if replaces is None else [written.id, replaces]
        assert [version.id for version in secrets_rig.versions()] == expected
        assert secrets_rig.value() == b"second value"
        assert secrets_rig.describe().tags == tags

    @pytest.mark.parametrize("after", [0, 1, 2])
    def test_a_killed_writer(self, secrets_rig: SecretsRig, after: int) -> None:
        """Whatever was done before it ended, another process with the token ends it."""
        first = secrets_rig.write()
        token = str(uuid.uuid4())
        refusal = SecretFault(
            kind=SecretFaultKind.REFUSE, error=ErrorKind.PERMISSION_DENIED, after=after
        )
        secrets_rig.plant([refusal])
        try:
            secrets_rig.write(value=b"second value", token=token, replaces=first.id)
        except SecretsError as err:
            assert err.kind is ErrorKind.PERMISSION_DENIED
        secrets_rig.plant([])
        written = secrets_rig.reopen().write_secret(
            secrets_rig.name(), b"second value", token=token, replaces=first.id
        )
        assert written.is_current
        assert [version.id for version in secrets_rig.versions()] == [written.id, first.id]
        assert secrets_rig.value() == b"second value"

    @pytest.mark.parametrize("kind", [ErrorKind.PERMISSION_DENIED, ErrorKind.UNAVAILABLE])
    def test_a_refusal(self, secrets_rig: SecretsRig, kind: ErrorKind) -> None:
        """It is an error of this cloud's, and nothing has changed."""
        first = secrets_rig.write()
        refusal = SecretFault(kind=SecretFaultKind.REFUSE, error=kind, times=20)
        secrets_rig.plant([refusal])
        with pytest.raises(SecretsError) as caught:
            secrets_rig.write(value=b"second value", replaces=first.id)
        assert caught.value.kind is kind
        assert caught.value.cloud == secrets_rig.spec.cloud
        assert caught.value.code
        secrets_rig.plant([])
        assert [version.id for version in secrets_rig.versions()] == [first.id]

    def test_values_that_can_not_be(self, secrets_rig: SecretsRig) -> None:
        """One that is too large is refused before anything is sent."""
        rules = secrets_rig.hook.describe_secret_rules()
        before = secrets_rig.asked()
        for unit, text in ((b"x", True), (b"\xff", False), (b"\0", False)):
            with pytest.raises(SecretsError, match="value") as caught:
                secrets_rig.write(value=unit * (rules.largest(text=text) + 1))
            assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert secrets_rig.asked() == before

    def test_an_empty_value(self, secrets_rig: SecretsRig) -> None:
        """It is kept, or refused before anything is sent."""
        before = secrets_rig.asked()
        try:
            secrets_rig.write(value=b"")
        except SecretsError as err:
            assert err.kind is ErrorKind.INVALID_ARGUMENT
            assert "value" in str(err)
            assert secrets_rig.asked() == before
            assert not secrets_rig.hook.describe_secret_rules().takes_empty
        else:
            assert secrets_rig.hook.describe_secret_rules().takes_empty
            assert secrets_rig.value() == b""

    @pytest.mark.parametrize("token", ["", "again", "1"])
    def test_tokens_that_can_not_be(self, secrets_rig: SecretsRig, token: str) -> None:
        """What is no UUID is refused before anything is sent."""
        before = secrets_rig.asked()
        with pytest.raises(SecretsError, match="token") as caught:
            secrets_rig.hook.write_secret(secrets_rig.name(), b"value", token=token, replaces=None)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert secrets_rig.asked() == before

    def test_throttled_for_a_moment(self, secrets_rig: SecretsRig) -> None:
        """It passes: by the SDK's own retries, or as an error that says so."""
        refusal = SecretFault(
            kind=SecretFaultKind.REFUSE, call=SecretCall.WRITE, error=ErrorKind.THROTTLED
        )
        secrets_rig.plant([refusal])
        token = str(uuid.uuid4())
        try:
            secrets_rig.write(token=token)
        except SecretsError as err:
            assert err.kind is ErrorKind.THROTTLED
            secrets_rig.write(token=token)
        assert secrets_rig.value() == b"first value"

    def _token(self, secrets_rig: SecretsRig) -> str | None:
        current = secrets_rig.describe().current
        assert current is not None
        return current.token
