"""Rigs of the contracts of permissions and tokens: a connection, and what it may do.

::

    RIG = PermissionsRigSpec(
        name="mine",
        cloud="mine",
        hook=Hook,
        open=connected(PermissionChecks, "my_connection", "my_server"),
        plant=lambda request: PermissionsCase(allowed=…, denied=…, unknown=…, resource=…, …),
        changes=lambda request: […],
    )
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest

from airflow_multicloud.ports.identity import (
    PermissionChecks,
    ScopedToken,
    ScopedTokens,
    TokenScope,
)
from airflow_multicloud.testing.contracts.rigs import apply_gaps, has_capability, parametrize


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionsCase:
    """What the caller may do, as it was planted.

    :param allowed: an action that it may do to the resource.
    :param denied: one that it may not.
    :param unknown: one of which the cloud does not tell.
    :param is_own: whether a text names a resource of this cloud.
    """

    allowed: str
    denied: str
    unknown: str
    resource: str
    is_own: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionsRigSpec:
    """How to get at one cloud's permissions.

    :param name: shown in the tests' ids; no hyphen.
    :param cloud: whose errors come.
    :param hook: the hook's class.
    :param open: gives a new hook, starting what it needs.
    :param plant: sees to it that the caller may do what the case says.
    :param changes: names the requests so far that may have changed something.
    :param gaps: a test's name → why it must fail here; it is a strict xfail.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], PermissionChecks]
    plant: Callable[[pytest.FixtureRequest], PermissionsCase]
    changes: Callable[[pytest.FixtureRequest], Sequence[object]]
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionsRig:
    """One connection, for one test."""

    cloud: str
    hook: PermissionChecks
    case: PermissionsCase
    changes: Callable[[], Sequence[object]]
    reopen: Callable[[], PermissionChecks]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensCase:
    """What a token is asked for.

    :param scope: that the caller has, and more.
    :param other_action: that it may do to the scope's resources, too.
    :param other_resource: to which it may do the scope's actions, too.
    :param has_longest: whether the cloud refuses a time that is too long; else its tokens end
        before it.
    """

    scope: TokenScope
    other_action: str
    other_resource: str
    has_longest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensRigSpec:
    """How to get at one cloud's tokens.

    :param name: shown in the tests' ids; no hyphen.
    :param cloud: whose errors come.
    :param hook: the hook's class.
    :param open: gives a new hook, starting what it needs.
    :param plant: sees to it that the caller has what the case says.
    :param use: tries a token on the cloud: whether it may do an action to a resource.
    :param gaps: a test's name → why it must fail here; it is a strict xfail.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], ScopedTokens]
    plant: Callable[[pytest.FixtureRequest], TokensCase]
    use: Callable[[pytest.FixtureRequest, ScopedToken, str, str], bool]
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensRig:
    """One connection, for one test."""

    cloud: str
    hook: ScopedTokens
    case: TokensCase
    use: Callable[[ScopedToken, str, str], bool]


def parametrize_permission_rigs(
    metafunc: pytest.Metafunc,
    permissions: Sequence[PermissionsRigSpec],
    tokens: Sequence[TokensRigSpec],
) -> None:
    """Run a test that takes ``permissions_rig`` or ``tokens_rig`` on every rig that is able to."""

    def able(spec: Any, needs: Sequence[type]) -> bool:
        return all(has_capability(spec.hook, need) for need in needs)

    parametrize(metafunc, "permissions_rig", permissions, able=able)
    parametrize(metafunc, "tokens_rig", tokens, able=able)


@pytest.fixture
def permissions_rig(request: pytest.FixtureRequest) -> PermissionsRig:
    """One connection; import it into your ``conftest.py``."""
    spec: PermissionsRigSpec = request.param
    apply_gaps(request, spec)
    hook = spec.open(request)
    return PermissionsRig(
        cloud=spec.cloud,
        hook=hook,
        case=spec.plant(request),
        changes=lambda: spec.changes(request),
        reopen=lambda: spec.open(request),
    )


@pytest.fixture
def tokens_rig(request: pytest.FixtureRequest) -> TokensRig:
    """One connection; import it into your ``conftest.py``."""
    spec: TokensRigSpec = request.param
    apply_gaps(request, spec)
    hook = spec.open(request)
    return TokensRig(
        cloud=spec.cloud,
        hook=hook,
        case=spec.plant(request),
        use=lambda token, action, resource: spec.use(request, token, action, resource),
    )
