"""What the rigs of every service share: opening by a connection, capabilities, known gaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import pytest

from airflow_multicloud.errors import CloudError

P = TypeVar("P")

# What a gap may show itself as; a TypeError in a test is never a gap.
_SHOWS_AS = (AssertionError, CloudError, pytest.fail.Exception, OSError)


class HasGaps(Protocol):
    """A rig's name and what is known to fail on it."""

    @property
    def name(self) -> str:
        """Shown in the tests' ids; no hyphen."""
        ...

    @property
    def gaps(self) -> Mapping[str, str]:
        """A test's name (``test_x``, or ``test_x[id]``) → why it must fail."""
        ...


S = TypeVar("S", bound=HasGaps)


def connected(port: type[P], conn_id: str, *fixtures: str) -> Callable[[pytest.FixtureRequest], P]:
    """How a rig is opened by an Airflow connection, as the package itself opens it.

    :param port: what the hook is used as.
    :param conn_id: the connection.
    :param fixtures: what has to be there first: the server, the connection in the environment.
    """

    def opened(request: pytest.FixtureRequest) -> P:
        # Imported here and not above: Airflow must not load before pytest is configured.
        from airflow_multicloud import registry

        for fixture in fixtures:
            request.getfixturevalue(fixture)
        return registry.resolve(port, conn_id)

    return opened


def members_of(protocol: type) -> frozenset[str]:
    """The names a protocol asks for."""
    return frozenset(name for name in vars(protocol) if not name.startswith("_"))


def has_capability(hook: type, capability: type) -> bool:
    """Whether a hook's class has all that an optional capability asks for.

    Not ``issubclass``, which Python refuses for protocols with properties.
    """
    return all(hasattr(hook, name) for name in members_of(capability))


def as_capable(hook: object, capability: type[P]) -> P:
    """The hook, as one with this capability."""
    if not isinstance(hook, capability):
        raise TypeError(f"{type(hook)} has no {capability.__name__}")
    return hook


def parametrize(
    metafunc: pytest.Metafunc,
    fixture: str,
    specs: Sequence[S],
    *,
    able: Callable[[S, Sequence[type]], bool] = lambda _spec, _needs: True,
) -> None:
    """Run a test that takes the fixture on every rig that is able to.

    :param metafunc: of ``pytest_generate_tests``.
    :param fixture: the rig's.
    :param specs: the rigs.
    :param able: whether a rig has what the test's class ``needs``.
    """
    if fixture not in metafunc.fixturenames:
        return
    needs: Sequence[type] = getattr(metafunc.cls, "needs", ())
    chosen = [spec for spec in specs if able(spec, needs)]
    metafunc.parametrize(fixture, chosen, ids=[spec.name for spec in chosen], indirect=True)


def apply_gaps(request: pytest.FixtureRequest, spec: HasGaps) -> None:
    """Mark the test as a strict xfail when the rig's gaps name it."""
    node: Any = request.node
    for name in (node.originalname, name_without_rig(node.name, spec.name)):
        if (reason := spec.gaps.get(name)) is not None:
            node.add_marker(pytest.mark.xfail(reason=reason, raises=_SHOWS_AS, strict=True))
            return


def name_without_rig(name: str, rig: str) -> str:
    """A test's name without the rig in its brackets: ``test_x[rig-id]`` → ``test_x[id]``."""
    function, bracket, ids = name.partition("[")
    if not bracket:
        return function
    others = [part for part in ids.removesuffix("]").split("-") if part != rig]
    return f"{function}[{'-'.join(others)}]" if others else function


def unknown_gaps(spec: HasGaps, contracts: Sequence[type]) -> list[str]:
    """The gaps that name no test of these classes: misspelt, or the test is gone."""
    tests = {name for contract in contracts for name in dir(contract) if name.startswith("test_")}
    return sorted(gap for gap in spec.gaps if gap.partition("[")[0] not in tests)
