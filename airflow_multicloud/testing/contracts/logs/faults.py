"""What a log service refuses, loses and forgets is in the account."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with what it wrote

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest

from airflow_multicloud.errors import CredentialsError, ErrorKind, LogsError
from airflow_multicloud.testing.contracts.deliveries import check_wrong_credentials
from airflow_multicloud.testing.contracts.logs.rigs import LogsRig
from airflow_multicloud.testing.delivery_faults import (
    DeliveryCall,
    DeliveryFault,
    DeliveryFaultKind,
)


class FaultContract:
    """``given = accepted + rejected + unknown + dropped``, and each figure is true."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_some_are_rejected(self, logs_rig: LogsRig) -> None:
        """Exactly those; the others are there."""
        logs_rig.plant([DeliveryFault(kind=DeliveryFaultKind.REJECT, name="entry 3")])
        told = logs_rig.write(
            *(logs_rig.entry(f"entry {n}", after=timedelta(seconds=n)) for n in range(10))
        )
        assert (told.accepted, told.rejected, told.unknown, told.dropped) == (9, 1, 0, 0)
        assert all(refusal.samples for refusal in told.refusals)
        assert len(logs_rig.messages()) == 9

    @pytest.mark.parametrize(
        "kind", [DeliveryFaultKind.LOSE_ANSWER, DeliveryFaultKind.LOSE_REQUEST]
    )
    def test_no_answer_comes(self, logs_rig: LogsRig, kind: DeliveryFaultKind) -> None:
        """It is unknown, or was made sure of; nothing is there twice."""
        logs_rig.write(logs_rig.entry("before"))
        logs_rig.plant([DeliveryFault(kind=kind)])
        told = logs_rig.write(logs_rig.entry("lost", insert_id="i", after=timedelta(seconds=1)))
        assert told.accepted + told.unknown == 1
        found = logs_rig.messages(text="lost")
        assert len(found) <= 1
        if told.accepted or kind is DeliveryFaultKind.LOSE_ANSWER:
            assert found == ["lost"]

    @pytest.mark.parametrize("kind", [ErrorKind.PERMISSION_DENIED, ErrorKind.QUOTA])
    def test_refused_for_good(self, logs_rig: LogsRig, kind: ErrorKind) -> None:
        """All are accounted for by that kind, and none is there."""
        logs_rig.write(logs_rig.entry("before"))
        logs_rig.plant([DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=kind, times=100)])
        told = logs_rig.write(*(logs_rig.entry(f"refused {n}") for n in range(3)))
        assert (told.accepted, told.rejected) == (0, 3)
        assert {refusal.kind for refusal in told.refusals} == {kind}
        logs_rig.plant([])
        assert logs_rig.messages() == ["before"]

    def test_throttled_for_a_moment(self, logs_rig: LogsRig) -> None:
        """The client waits and sends again, as its SDK does."""
        fault = DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=ErrorKind.THROTTLED)
        logs_rig.plant([fault])
        told = logs_rig.write(logs_rig.entry())
        assert (told.accepted, told.refusals) == (1, ())
        assert len(logs_rig.query()) == 1

    def test_a_query_fails(self, logs_rig: LogsRig) -> None:
        """With an error of this area, that says its kind."""
        logs_rig.write(logs_rig.entry())
        fault = DeliveryFault(
            kind=DeliveryFaultKind.REFUSE,
            call=DeliveryCall.READ,
            error=ErrorKind.PERMISSION_DENIED,
            times=100,
        )
        logs_rig.plant([fault])
        with pytest.raises(LogsError) as caught:
            logs_rig.query()
        assert caught.value.kind is ErrorKind.PERMISSION_DENIED
        assert caught.value.cloud == logs_rig.spec.cloud


class RefusedCredentialsContract:
    """Credentials that the cloud refuses."""

    needs: ClassVar[tuple[type, ...]] = (CredentialsError,)

    def test_wrong_credentials(self, logs_rig: LogsRig) -> None:
        """An error of credentials, or an account of it: never a success."""
        hook = logs_rig.open_refused()
        check_wrong_credentials(
            lambda: hook.write_entries([logs_rig.entry()], log=logs_rig.log),
            cloud=logs_rig.spec.cloud,
        )
