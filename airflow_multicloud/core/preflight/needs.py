"""What an operation needs: uses of a service, at a place, by a connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from airflow_multicloud import known_clouds
from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.locations import Location, parse_location
from airflow_multicloud.text import given_text

#: What a destination may be given with, beside its URI.
_TERMS = ("storage_class", "encryption_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One use of a service.

    :param what: for whom it is, as a person calls it: ``replicate: source``.
    :param conn_id: by which connection.
    :param cloud: the connection's, where a URI names it.
    :param service: the port's name: ``object_store``.
    :param use: see :class:`~airflow_multicloud.ports.calls.CallTable`.
    :param facts: of the place: ``bucket`` and ``key``; for all keys that begin alike also
        ``prefix``, to which ``key`` adds a ``*``. ``encryption_key`` of what is written there.
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
    :param encryption_key: what is written there is encrypted with, where that is asked for.
    """

    what: str
    location: Location
    parameter: str
    encryption_key: str | None = None

    @classmethod
    def of(cls, given: object, what: str, parameter: str) -> ObjectPlace:
        """The place that a URI names, or a destination that has more than a URI.

        :param given: a URI; a ``Destination``; or a mapping with its fields.
        :raises StorageError: kind ``invalid_argument``, naming the parameter, for what is none.
        """
        terms = _terms_of(given, parameter)
        uri, key = terms.get("uri"), terms.get("encryption_key")
        for what_for, value in (("a URI", uri), ("an encryption key", key or "")):
            if not isinstance(value, str):
                raise StorageError(
                    f"{parameter}: {type(value).__name__} given, expected {what_for}",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
        return cls(
            what,
            parse_location(str(uri), parameter=parameter),
            parameter,
            str(key) if key else None,
        )

    @classmethod
    def each(cls, given: object, what: str, parameter: str) -> Iterator[ObjectPlace]:
        """The place of each element of a list, or of the one that is given.

        :raises StorageError: kind ``invalid_argument`` for an empty list too; see :meth:`of`.
        """
        if isinstance(given, str | Mapping) or hasattr(given, "uri"):
            yield cls.of(given, what, parameter)
            return
        if not isinstance(given, list | tuple) or not given:
            raise StorageError(
                f"{parameter}: {given_text(given)} given, expected at least one URI",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        for number, one in enumerate(given):
            yield cls.of(one, what, f"{parameter}[{number}]")

    def needs(self, uses: Iterable[str], *, own: bool = False) -> Iterator[Need]:
        """Uses of its objects.

        :param own: of this package's own objects in its bucket instead.
        """
        cloud = known_clouds.cloud_of_scheme(self.location.scheme, parameter=self.parameter)
        conn_id = known_clouds.connection_of(self.location) or ""
        facts = {"bucket": self.location.bucket, **self._keys(own=own)}
        if self.encryption_key is not None and not own:
            facts["encryption_key"] = self.encryption_key
        for use in uses:
            yield Need(
                what=self.what,
                conn_id=conn_id,
                cloud=cloud.name,
                service="object_store",
                use=use,
                facts=facts,
            )

    def _keys(self, *, own: bool) -> Mapping[str, str]:
        """The keys that it stands for; a single object's may have some of its own below."""
        if not own and not self.location.is_prefix:
            return {"key": self.location.key}
        prefix = RESERVED_PREFIX if own else self.location.key
        return {"key": f"{prefix}*", "prefix": prefix}


def _terms_of(given: object, parameter: str) -> Mapping[str, object]:
    """What a destination is given with.

    :raises StorageError: kind ``invalid_argument``, for a mapping with anything else.
    """
    if isinstance(given, Mapping):
        if unknown := sorted(set(map(str, given)) - {"uri", *_TERMS}):
            raise StorageError(
                f"{parameter}: {', '.join(unknown)} given, expected uri, {', '.join(_TERMS)}",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return given
    if hasattr(given, "uri"):
        return {name: getattr(given, name, None) for name in ("uri", *_TERMS)}
    return {"uri": given}
