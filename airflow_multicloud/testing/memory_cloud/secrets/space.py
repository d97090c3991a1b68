"""The secrets that the memory cloud keeps, and what another writer does there."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from airflow_multicloud.adapters.secret_names import SecretNames
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import Secret, SecretState, SecretVersion
from airflow_multicloud.testing.memory_cloud import NAME
from airflow_multicloud.testing.secret_faults import (
    MEANWHILE_VALUE,
    SecretCall,
    SecretFault,
    SecretFaultKind,
    SecretFaults,
)

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_KEPT = timedelta(days=30)

#: Narrower than any cloud's, so that what works here is escaped everywhere.
NAMES = SecretNames(
    cloud=NAME, allowed="[0-9a-z-]", mark="--", longest=120, source="the memory cloud's rule"
)


@dataclass(slots=True, kw_only=True)
class KeptVersion:
    """One version, changed in place under its space's lock.

    :param token: of the call that wrote it; ``None`` for another writer's.
    :param damaged: whether it does not fit its checksum any more.
    """

    id: str
    value: bytes = field(repr=False)
    token: str | None
    created_at: datetime
    state: SecretState = SecretState.ENABLED
    labels: set[str] = field(default_factory=set)
    damaged: bool = False


@dataclass(slots=True, kw_only=True)
class KeptSecret:
    """One secret, changed in place under its space's lock.

    :param cloud_name: as :data:`NAMES` encodes it.
    :param versions: the newest last; that one is current.
    :param removed_until: until when it can be recovered; ``None``: it was not removed.
    :param managed_by: the service that keeps it, if any.
    """

    cloud_name: str
    created_at: datetime
    tags: Mapping[str, str]
    versions: list[KeptVersion] = field(default_factory=list)
    removed_until: datetime | None = None
    managed_by: str | None = None

    def seen(self, conn_id: str) -> Secret:
        """As the port has it."""
        name = NAMES.decode(self.cloud_name)
        removed = self.removed_until is not None
        return Secret(
            name=self.cloud_name if name is None else name,
            id=f"memory/{conn_id}/{self.cloud_name}",
            state=SecretState.REMOVED if removed else SecretState.ENABLED,
            current=self.version_seen(self.versions[-1]) if self.versions else None,
            tags=MappingProxyType(dict(self.tags)),
            created_at=self.created_at,
            recoverable_until=self.removed_until,
            addressable=name is not None,
            managed_by=self.managed_by,
        )

    def version_seen(self, version: KeptVersion) -> SecretVersion:
        """A version, as the port has it."""
        return SecretVersion(
            id=version.id,
            created_at=version.created_at,
            state=version.state,
            labels=tuple(sorted(version.labels)),
            is_current=version is self.versions[-1],
            token=version.token,
        )

    def version(self, wanted: str | None) -> KeptVersion:
        """A version by its id or a label; the current one by ``None``.

        :raises SecretsError: ``not_found``.
        """
        if wanted is None and self.versions:
            return self.versions[-1]
        for version in self.versions:
            if wanted == version.id or wanted in version.labels:
                return version
        raise failure(
            f"version: {wanted!r} is no version or label of {self.cloud_name}", ErrorKind.NOT_FOUND
        )


@dataclass(slots=True)
class SecretSpace:
    """The secrets of one connection, for tests to plant faults and write behind its hooks.

    All names here are the cloud's own: :data:`NAMES` encodes them.

    :param moment: the clock, which goes on by a second with every version; a test may set it.
    :param page: how many secrets, or versions, are looked at in one step.
    :param asked: how many requests were carried out or refused.
    """

    moment: datetime = _BEGINNING
    page: int = 10
    asked: int = 0
    faults: SecretFaults = field(default_factory=SecretFaults)
    kept: dict[str, KeptSecret] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _count: int = 0

    def write(self, cloud_name: str, value: bytes, token: str | None = None) -> KeptVersion:
        """A new current version, as another writer makes it, who checks nothing."""
        with self.lock:
            self.moment += timedelta(seconds=1)
            self._count += 1
            secret = self.kept.get(cloud_name)
            if secret is None:
                secret = KeptSecret(cloud_name=cloud_name, created_at=self.moment, tags={})
                self.kept[cloud_name] = secret
            version = KeptVersion(
                id=f"{self._count:032x}", value=value, token=token, created_at=self.moment
            )
            secret.versions.append(version)
            return version

    def tag(self, cloud_name: str, tags: Mapping[str, str]) -> None:
        """Other tags."""
        with self.lock:
            self.kept[cloud_name].tags = dict(tags)

    def label(self, cloud_name: str, version: str, label: str) -> None:
        """A label for a version; the one that had it loses it."""
        with self.lock:
            secret = self.kept[cloud_name]
            for one in secret.versions:
                one.labels.discard(label)
            secret.version(version).labels.add(label)

    def destroy(self, cloud_name: str, version: str) -> None:
        """Destroy a version's value for good."""
        with self.lock:
            found = self.kept[cloud_name].version(version)
            found.state, found.value = SecretState.DESTROYED, b""

    def manage(self, cloud_name: str) -> None:
        """Make a secret one that a service of the cloud keeps."""
        with self.lock:
            self.kept[cloud_name].managed_by = "another service"

    def damage(self, cloud_name: str) -> None:
        """Change a bit of the current value, so that it does not fit its checksum."""
        with self.lock:
            self.kept[cloud_name].version(None).damaged = True

    def purge(self, cloud_name: str) -> None:
        """Remove a secret for good."""
        with self.lock:
            self.kept.pop(cloud_name, None)

    def find(self, cloud_name: str) -> KeptSecret | None:
        """A secret, removed or not; ``None`` also when it can't be recovered any more."""
        secret = self.kept.get(cloud_name)
        if secret is not None and self._is_over(secret):
            del self.kept[cloud_name]
            return None
        return secret

    def found(self, cloud_name: str) -> KeptSecret:
        """A secret, removed or not.

        :raises SecretsError: ``not_found``, also for one that can't be recovered any more.
        """
        secret = self.find(cloud_name)
        if secret is None:
            raise failure(f"name: there is no secret {cloud_name}", ErrorKind.NOT_FOUND)
        return secret

    def remove(self, secret: KeptSecret) -> None:
        """Remove a secret so that it can be recovered for 30 days."""
        secret.removed_until = self.moment + _KEPT

    def meet(self, call: SecretCall, cloud_name: str = "") -> SecretFault | None:
        """Count a request and let a fault meet it before it is carried out.

        :return: the fault, for :meth:`lose` once it is.
        :raises SecretsError: the fault's.
        """
        self.asked += 1
        fault = self.faults.meet(call, cloud_name)
        if fault is not None and fault.kind is SecretFaultKind.REFUSE:
            raise failure(f"{call}: {fault.error}, as planted", fault.error, code="Planted")
        if fault is not None and fault.kind is SecretFaultKind.MEANWHILE:
            self.write(cloud_name, MEANWHILE_VALUE)
        return fault

    def lose(self, fault: SecretFault | None) -> None:
        """Lose the answer to what was done, when a fault says so.

        :raises SecretsError: ``unavailable``.
        """
        if fault is not None and fault.kind is SecretFaultKind.LOSE_ANSWER:
            raise failure(
                f"{fault.call}: the connection ended without an answer", ErrorKind.UNAVAILABLE
            )

    def _is_over(self, secret: KeptSecret) -> bool:
        return secret.removed_until is not None and secret.removed_until <= self.moment


def failure(message: str, kind: ErrorKind, code: str | None = None) -> SecretsError:
    """An error of this cloud."""
    return SecretsError(message, kind=kind, cloud=NAME, code=code)


_SPACES: dict[str, SecretSpace] = {}
_SPACES_LOCK = threading.Lock()


def secrets_of(conn_id: str) -> SecretSpace:
    """The space of a connection id."""
    with _SPACES_LOCK:
        return _SPACES.setdefault(conn_id, SecretSpace())


def reset(conn_id: str | None = None) -> None:
    """Forget the secrets of a connection, or of all."""
    with _SPACES_LOCK:
        if conn_id is None:
            _SPACES.clear()
        else:
            _SPACES.pop(conn_id, None)
