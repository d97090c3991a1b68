"""A value is shown to nobody who did not ask for it."""
# ruff: noqa: S101, S301 - a test suite asserts, and pickles its own errors

from __future__ import annotations

import base64
import logging
import pickle
import traceback
import uuid
from collections.abc import Callable
from typing import ClassVar

import pytest

from airflow_multicloud.errors import CredentialsError, ErrorKind, SecretsError
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsRig
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind

_CALLS = (SecretCall.READ, SecretCall.WRITE)


class SecrecyContract:
    """Neither logs nor errors have it, and Airflow's masker knows it."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_no_repr_has_it(self, secrets_rig: SecretsRig) -> None:
        """Neither of what was read, nor of the hook."""
        canary = _canary()
        secrets_rig.write(value=canary.encode())
        read = secrets_rig.hook.read_secret(secrets_rig.name())
        assert read.value == canary.encode()
        for shown in (repr(read), str(read), repr(secrets_rig.hook), repr(secrets_rig.describe())):
            assert canary not in shown

    @pytest.mark.parametrize("form", ["text", "bytes"])
    def test_no_log_has_it(
        self, secrets_rig: SecretsRig, caplog: pytest.LogCaptureFixture, form: str
    ) -> None:
        """Whatever the SDK logs of its requests and answers, also at DEBUG."""
        canary = _canary()
        value = canary.encode() if form == "text" else b"\xff" + canary.encode()
        with caplog.at_level(logging.DEBUG):
            first = secrets_rig.write(value=value)
            secrets_rig.write(value=value + b"2", replaces=first.id)
            secrets_rig.value()
            secrets_rig.value(version=first.id)
            with pytest.raises(SecretsError):
                secrets_rig.write(value=value + b"3")
        logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
        assert canary not in logged
        assert not [text for text in _encoded(value) if text in logged]

    @pytest.mark.parametrize("call", _CALLS)
    def test_no_error_has_it(self, secrets_rig: SecretsRig, call: SecretCall) -> None:
        """Neither its text, nor its causes, nor what a process hands to another."""
        canary = _canary()
        first = secrets_rig.write(value=canary.encode())
        secrets_rig.plant(
            [
                SecretFault(
                    kind=SecretFaultKind.REFUSE,
                    call=call,
                    error=ErrorKind.PERMISSION_DENIED,
                    times=20,
                )
            ]
        )
        uses: dict[SecretCall, Callable[[], object]] = {
            SecretCall.READ: secrets_rig.value,
            SecretCall.WRITE: lambda: secrets_rig.write(
                value=canary.encode() + b"2", replaces=first.id
            ),
        }
        with pytest.raises(SecretsError) as caught:
            uses[call]()
        again = pickle.loads(pickle.dumps(caught.value))
        assert (str(again), again.kind) == (str(caught.value), caught.value.kind)
        assert canary.encode() not in pickle.dumps(caught.value)
        assert canary not in "".join(traceback.format_exception(caught.value))

    def test_no_refusal_shows_it(self, secrets_rig: SecretsRig) -> None:
        """What can't be written is not told in the error."""
        canary = _canary()
        rules = secrets_rig.hook.describe_secret_rules()
        with pytest.raises(SecretsError) as caught:
            secrets_rig.write(value=canary.encode() + b"x" * rules.value_bytes)
        assert canary not in str(caught.value)
        assert canary not in repr(caught.value)

    @pytest.mark.parametrize("use", ["read", "write"])
    def test_the_masker_knows_it(self, secrets_rig: SecretsRig, use: str) -> None:
        """The whole, and the parts of a JSON object or of several lines."""
        # Imported here and not above: Airflow must not load before pytest is configured.
        from airflow.providers.common.compat.sdk import redact

        canaries = [_canary() for _ in range(4)]
        whole, inner, first, second = canaries
        for number, text in enumerate(
            (whole, f'{{"user": "u", "keys": ["{inner}"]}}', f"{first}\n{second}\n")
        ):
            name = secrets_rig.name(str(number))
            if use == "write":
                secrets_rig.write(name, text.encode())
            else:
                secrets_rig.write_outside(text.encode(), name)
                assert text in str(redact(text))
                assert secrets_rig.value(name) == text.encode()
            assert text.strip() not in str(redact(text))
        shown = str(redact(f"one {whole} two {inner} three {first} four {second}"))
        assert shown == "one *** two *** three *** four ***"


class RefusedCredentialsContract:
    """Credentials that the cloud refuses."""

    needs: ClassVar[tuple[type, ...]] = (CredentialsError,)

    def test_says_so(self, secrets_rig: SecretsRig) -> None:
        """An error of this cloud's, about credentials, that a retry can't mend."""
        hook = secrets_rig.open_refused()
        name = secrets_rig.name()
        for use in (
            hook.describe_store,
            lambda: list(hook.find_secrets()),
            lambda: hook.describe_secret(name),
            lambda: hook.read_secret(name),
            lambda: list(hook.list_secret_versions(name)),
            lambda: hook.write_secret(name, b"value", token=str(uuid.uuid4()), replaces=None),
            lambda: hook.remove_secret(name, version="1" * 32),
        ):
            with pytest.raises(CredentialsError) as caught:
                use()
            assert caught.value.kind in (ErrorKind.UNAUTHENTICATED, ErrorKind.PERMISSION_DENIED)
            assert caught.value.cloud == secrets_rig.spec.cloud
            assert not caught.value.retryable


def _canary() -> str:
    return f"canary{uuid.uuid4().hex}"


def _encoded(value: bytes) -> list[str]:
    """The middle of its base64, wherever the value begins in what was encoded."""
    return [base64.b64encode(value[start:])[4:-8].decode() for start in range(3)]
