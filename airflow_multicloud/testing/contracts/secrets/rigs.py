"""Rigs of the secrets contract: a cloud's secret store, and who else writes there.

::

    RIG = SecretsRigSpec(
        name="local_secrets_manager",
        cloud="aws",
        hook=Hook,
        open=connected(SecretsService, "aws_secrets_local", "local_clouds"),
        outside=lambda request: SecretsOutside(write=…, tag=…, purge=…),
        plant=lambda request, faults: …,
        asked=lambda request: …,
    )
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import pytest

from airflow_multicloud.errors import CredentialsError
from airflow_multicloud.ports.secrets import Secret, SecretsService, SecretVersion
from airflow_multicloud.testing.contracts.rigs import apply_gaps, has_capability, parametrize
from airflow_multicloud.testing.secret_faults import SecretFault


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsOutside:
    """What another writer does, by the cloud's own API; names are the cloud's own.

    The optional ones are left out where the cloud has no such thing; their tests are skipped.

    :param write: writes a value as the new current version, making the secret when it is not
        there, and checks nothing; gives the version's id.
    :param tag: makes these the secret's tags.
    :param purge: removes a secret for good, whatever its state; one that is not there is no error.
    :param label: gives a label (the third argument) to a version (the second).
    :param destroy: destroys a version's value for good.
    :param manage: makes a secret one that a service of the cloud keeps.
    :param damage: makes the current version's value unfit for the checksum given with it.
    """

    write: Callable[[str, bytes], str]
    tag: Callable[[str, Mapping[str, str]], None]
    purge: Callable[[str], None]
    label: Callable[[str, str, str], None] | None = None
    destroy: Callable[[str, str], None] | None = None
    damage: Callable[[str], None] | None = None
    manage: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsRigSpec:
    """How to get at one cloud's secret store.

    :param name: shown in the tests' ids; no hyphen.
    :param cloud: whose errors come.
    :param hook: the hook's class.
    :param open: gives a new hook, starting what it needs; a second call gives another hook of the
        same store.
    :param outside: another writer.
    :param plant: plants these faults and no others: those of before are taken away.
    :param asked: how many requests have reached the store until now.
    :param atomic: whether the store checks in one step what ``write_secret`` replaces.
    :param page: so many secrets fill a page of a listing.
    :param versions_page: so many versions fill one.
    :param odd_end: what makes a legal name of the cloud one that no name is encoded as, when it
        stands at its end.
    :param tags: that the cloud can hold.
    :param wrong_tags: that it can't.
    :param open_refused: gives a hook whose credentials the cloud refuses; left out where there
        are no credentials.
    :param gaps: a test's name → why it must fail here; it is a strict xfail.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], SecretsService]
    outside: Callable[[pytest.FixtureRequest], SecretsOutside]
    plant: Callable[[pytest.FixtureRequest, Sequence[SecretFault]], None]
    asked: Callable[[pytest.FixtureRequest], int]
    odd_end: str
    atomic: bool = True
    page: int = 10
    versions_page: int = 3
    tags: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({"team": "data", "tier": "1"})
    )
    wrong_tags: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({f"tag{n}": "x" for n in range(100)})
    )
    open_refused: Callable[[pytest.FixtureRequest], SecretsService] | None = None
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsRig:
    """One store, for one test.

    :param mark: begins the names of all secrets of this test; it is the same in every cloud.
    """

    spec: SecretsRigSpec
    hook: SecretsService
    reopen: Callable[[], SecretsService]
    outside: SecretsOutside
    plant: Callable[[Sequence[SecretFault]], None]
    asked: Callable[[], int]
    request: pytest.FixtureRequest
    mark: str

    def name(self, end: str = "one") -> str:
        """A name of this test's."""
        return f"{self.mark}-{end}"

    def cloud_name(self, name: str) -> str:
        """How the cloud has it."""
        return self.hook.check_secret_name(name)

    def write(
        self,
        name: str = "",
        value: bytes = b"first value",
        *,
        replaces: str | None = None,
        token: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> SecretVersion:
        """Write by the hook, with a token of its own when none is given.

        :param name: :meth:`name` when left out.
        """
        return self.hook.write_secret(
            name or self.name(),
            value,
            token=token or str(uuid.uuid4()),
            replaces=replaces,
            tags=tags,
        )

    def write_outside(self, value: bytes, name: str = "") -> str:
        """Write as another writer does; gives the version's id."""
        return self.outside.write(self.cloud_name(name or self.name()), value)

    def describe(self, name: str = "") -> Secret:
        """The secret as the hook describes it."""
        return self.hook.describe_secret(name or self.name())

    def value(self, name: str = "", version: str | None = None) -> bytes:
        """What the hook reads."""
        return self.hook.read_secret(name or self.name(), version).value

    def versions(self, name: str = "") -> list[SecretVersion]:
        """All versions, the newest first."""
        return list(self.hook.list_secret_versions(name or self.name()))

    def found(self) -> dict[str, Secret]:
        """All secrets of this test that are listed, by their names."""
        found = list(self.hook.find_secrets(self.mark))
        names = {secret.name: secret for secret in found}
        assert len(names) == len(found), found  # noqa: S101 - the suite asserts
        return names

    def open_refused(self) -> SecretsService:
        """A hook whose credentials the cloud refuses."""
        if self.spec.open_refused is None:
            raise TypeError(f"rig {self.spec.name} has no open_refused")
        return self.spec.open_refused(self.request)


def needed(does: Callable[..., None] | None, what: str) -> Callable[..., None]:
    """What an outside writer must be able to do for a test, which is skipped otherwise."""
    if does is None:
        pytest.skip(f"this cloud has no such thing: {what}")
    return does


def parametrize_secrets_rigs(metafunc: pytest.Metafunc, specs: Sequence[SecretsRigSpec]) -> None:
    """Run a test that takes ``secrets_rig`` on every rig that has what its class needs."""

    def able(spec: SecretsRigSpec, needs: Sequence[type]) -> bool:
        return all(
            spec.open_refused is not None
            if need is CredentialsError
            else has_capability(spec.hook, need)
            for need in needs
        )

    parametrize(metafunc, "secrets_rig", specs, able=able)


@pytest.fixture
def secrets_rig(request: pytest.FixtureRequest) -> Iterator[SecretsRig]:
    """One store; import it into your ``conftest.py``. What a test writes is removed for good."""
    spec: SecretsRigSpec = request.param
    apply_gaps(request, spec)
    hook, outside = spec.open(request), spec.outside(request)
    rig = SecretsRig(
        spec=spec,
        hook=hook,
        reopen=lambda: spec.open(request),
        outside=outside,
        plant=lambda faults: spec.plant(request, faults),
        asked=lambda: spec.asked(request),
        request=request,
        mark=f"m{uuid.uuid4().hex[:10]}",
    )
    yield rig
    spec.plant(request, ())
    for secret in rig.found().values():
        outside.purge(rig.cloud_name(secret.name) if secret.addressable else secret.name)
