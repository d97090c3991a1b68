"""What an operation needs: uses of a service, at a place, by a connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from airflow_multicloud import known_clouds
from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.locations import Location, parse_location

#: Keys of this package's own, of whatever kind: see :data:`~..endpoints.RESERVED_PREFIX`.
OWN = f"{RESERVED_PREFIX}*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One use of a service.

    :param what: for whom it is, as a person calls it: ``replicate: source``.
    :param conn_id: by which connection.
    :param cloud: the connection's, where a URI names it.
    :param service: the port's name: ``object_store``.
    :param use: see :class:`~airflow_multicloud.ports.calls.CallTable`.
    :param facts: of the place: ``bucket`` and ``key`` (``*`` at its end stands for all that
        begins like this).
    """

    what: str
    conn_id: str
    service: str
    use: str
    cloud: str | None = None
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """A place in an object store that needs are of.

    :param what: see :class:`Need`.
    :param parameter: that the URI was given for, for errors.
    """

    what: str
    location: Location
    parameter: str

    @classmethod
    def of(cls, uri: object, what: str, parameter: str) -> ObjectPlace:
        """The place that a URI names.

        :raises StorageError: kind ``invalid_argument``, naming the parameter, for what is none.
        """
        if not isinstance(uri, str):
            raise StorageError(
                f"{parameter}: {type(uri).__name__} given, expected a URI",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return cls(what, parse_location(uri, parameter=parameter), parameter)

    @property
    def keys(self) -> str:
        """The keys that it stands for; a single object's may have some of its own below."""
        return f"{self.location.key}*" if self.location.is_prefix else self.location.key

    def needs(self, uses: Iterable[str], *, own: bool = False) -> Iterator[Need]:
        """Uses of its objects.

        :param own: of this package's own objects in its bucket instead.
        """
        cloud = known_clouds.cloud_of_scheme(self.location.scheme, parameter=self.parameter)
        conn_id = known_clouds.connection_of(self.location) or ""
        facts = {"bucket": self.location.bucket, "key": OWN if own else self.keys}
        for use in uses:
            yield Need(
                what=self.what,
                conn_id=conn_id,
                cloud=cloud.name,
                service="object_store",
                use=use,
                facts=facts,
            )
