"""What the rigs of metrics and logs share: faults, and credentials that a cloud refuses."""
# ruff: noqa: S101, PT017 - a test suite asserts

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import pytest

from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.accounting import Accounting
from airflow_multicloud.testing.contracts.rigs import parametrize
from airflow_multicloud.testing.delivery_faults import DeliveryFault

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRigSpec(Generic[P]):
    """How to get at one cloud's service.

    :param name: shown in the tests' ids; no hyphen.
    :param cloud: whose errors come.
    :param hook: the hook's class.
    :param open: gives a new hook, starting what it needs.
    :param plant: plants these faults and no others: those of before are taken away.
    :param open_refused: gives a hook whose credentials the cloud refuses; left out where there
        are no credentials.
    :param gaps: a test's name → why it must fail here; it is a strict xfail.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], P]
    plant: Callable[[pytest.FixtureRequest, Sequence[DeliveryFault]], None]
    open_refused: Callable[[pytest.FixtureRequest], P] | None = None
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRig(Generic[P]):
    """One account, for one test.

    :param request: of the fixture.
    :param now: a moment some minutes ago.
    """

    spec: DeliveryRigSpec[P]
    hook: P
    request: pytest.FixtureRequest
    now: datetime

    def plant(self, faults: Sequence[DeliveryFault]) -> None:
        """Plant these faults, and take away those of before."""
        self.spec.plant(self.request, faults)

    def open_refused(self) -> P:
        """A hook whose credentials the cloud refuses."""
        if self.spec.open_refused is None:
            raise TypeError(f"rig {self.spec.name} has no open_refused")
        return self.spec.open_refused(self.request)


S = TypeVar("S", bound=DeliveryRigSpec[Any])


def parametrize_delivery_rigs(metafunc: pytest.Metafunc, fixture: str, specs: Sequence[S]) -> None:
    """Run a test that takes the fixture on every rig that has what its class needs."""
    parametrize(
        metafunc,
        fixture,
        specs,
        able=lambda spec, needs: CredentialsError not in needs or spec.open_refused is not None,
    )


def check_wrong_credentials(send: Callable[[], Accounting], *, cloud: str) -> None:
    """They are an error of credentials, or an account of it: never a success.

    :param send: sends something with credentials that the cloud refuses.
    """
    try:
        told = send()
    except CredentialsError as err:
        assert err.cloud == cloud
        assert not err.retryable
    else:
        assert told.accepted == 0
        assert {refusal.kind for refusal in told.refusals} <= {
            ErrorKind.UNAUTHENTICATED,
            ErrorKind.PERMISSION_DENIED,
        }
