"""Rigs of the identity contract: a connection, and one whose credentials the cloud refuses.

::

    RIG = IdentityRigSpec(
        name="moto",
        cloud="aws",
        hook=Hook,
        open=connected(Identity, "aws_local", "local_clouds"),
        open_refused=connected(Identity, "aws_wrong_key", "strict_server"),
    )
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import pytest

from airflow_multicloud.ports.identity import Identity, Principal
from airflow_multicloud.testing.contracts.rigs import apply_gaps, parametrize


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRigSpec:
    """How to get at one cloud's identity hook.

    :param name: shown in the tests' ids; no hyphen.
    :param cloud: whose errors come.
    :param hook: the hook's class.
    :param open: gives a new hook with credentials, starting what it needs.
    :param open_refused: gives one whose credentials the cloud refuses; left out where there
        are no credentials.
    :param principal: who the credentials belong to, where that is known beforehand.
    :param gaps: a test's name → why it must fail here; it is a strict xfail.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], Identity]
    open_refused: Callable[[pytest.FixtureRequest], Identity] | None = None
    principal: Principal | None = None
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRig:
    """One connection, for one test.

    :param reopen: gives another hook on the same connection, as another process would have.
    """

    cloud: str
    hook: Identity
    principal: Principal | None
    reopen: Callable[[], Identity]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRig:
    """A hook whose credentials the cloud refuses, for one test."""

    cloud: str
    hook: Identity


def parametrize_identity_rigs(metafunc: pytest.Metafunc, specs: Sequence[IdentityRigSpec]) -> None:
    """Run a test that takes ``identity_rig`` or ``refused_rig`` on every rig that has it."""
    parametrize(metafunc, "identity_rig", specs)
    refused = [spec for spec in specs if spec.open_refused is not None]
    parametrize(metafunc, "refused_rig", refused)


@pytest.fixture
def identity_rig(request: pytest.FixtureRequest) -> IdentityRig:
    """One connection; import it into your ``conftest.py``."""
    spec: IdentityRigSpec = request.param
    apply_gaps(request, spec)
    return IdentityRig(
        cloud=spec.cloud,
        hook=spec.open(request),
        principal=spec.principal,
        reopen=lambda: spec.open(request),
    )


@pytest.fixture
def refused_rig(request: pytest.FixtureRequest) -> RefusedRig:
    """One whose credentials are refused; import it into your ``conftest.py``."""
    spec: IdentityRigSpec = request.param
    apply_gaps(request, spec)
    if spec.open_refused is None:
        raise TypeError(f"rig {spec.name} has no open_refused")
    return RefusedRig(cloud=spec.cloud, hook=spec.open_refused(request))
