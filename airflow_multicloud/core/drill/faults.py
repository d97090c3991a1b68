"""Faults on this side of the wire: one store misbehaves for whoever holds this object.

Nothing is changed at the cloud and no other process notices: the blast radius is one
:class:`FaultedStore`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

from airflow_multicloud.core.drill.passing import PassingStore
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ObjectBody,
    ObjectMeta,
    ObjectRef,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Fault(StrEnum):
    """How a store misbehaves."""

    UNAVAILABLE = "unavailable"
    """Every call fails at once, as when connections are refused."""
    STALLED = "stalled"
    """Every call hangs, as when packets are dropped."""
    PERMISSION_DENIED = "permission_denied"
    """Every call is forbidden, as when credentials are revoked."""
    TRUNCATED = "truncated"
    """Reads end early; those of an empty object, which can't, break off."""
    CORRUPT = "corrupt"
    """Reads have one bit flipped; those of an empty object, which has none, a byte too many."""


#: How long a stalled call hangs; longer than any attempt may take by default.
_STALL_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class FaultedStore(PassingStore):
    """A store with a fault; what the fault does not concern passes through.

    :param over: ends the calls that hang when it is set; nobody waits for them any more.
    """

    fault: Fault
    cloud: str
    over: threading.Event = field(default_factory=threading.Event)

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """As the port's; bytes may be damaged. Objects of this package's own are not."""
        self.before_each()
        body = self.inner.get_object(ref, start=start, end=end, if_etag=if_etag)
        if ref.key.startswith(RESERVED_PREFIX):
            return body
        return _DamagedBody(body, self.fault, self.cloud)

    def before_each(self) -> None:
        """Strike, where every call is to fail."""
        if self.fault is Fault.STALLED:
            self.over.wait(_STALL_SECONDS)
            self._fail(ErrorKind.TIMEOUT)
        elif self.fault is Fault.UNAVAILABLE:
            self._fail(ErrorKind.UNAVAILABLE)
        elif self.fault is Fault.PERMISSION_DENIED:
            self._fail(ErrorKind.PERMISSION_DENIED)

    def _fail(self, kind: ErrorKind) -> NoReturn:
        raise StorageError(f"drill: {self.fault} on purpose", kind=kind, cloud=self.cloud)


@dataclass(frozen=True, slots=True)
class _DamagedBody:
    inner: ObjectBody
    fault: Fault
    cloud: str

    @property
    def meta(self) -> ObjectMeta:
        return self.inner.meta

    def read(self) -> Buffer:
        return b"".join(bytes(chunk) for chunk in self)

    def __iter__(self) -> Iterator[Buffer]:
        damaged = False
        for chunk in self.inner:
            if damaged or not memoryview(chunk).nbytes:
                yield chunk
            elif self.fault is Fault.TRUNCATED:
                yield bytes(chunk)[:-1]
                return
            elif self.fault is Fault.CORRUPT:
                flipped = bytearray(chunk)
                flipped[len(flipped) // 2] ^= 1
                damaged = True
                yield bytes(flipped)
            else:
                yield chunk
        if not damaged and self.fault is Fault.CORRUPT:
            yield b"\x00"
        elif not damaged and self.fault is Fault.TRUNCATED:
            raise StorageError(
                f"drill: {self.fault} on purpose", kind=ErrorKind.INTEGRITY, cloud=self.cloud
            )


def with_fault(endpoint: Endpoint, fault: Fault, over: threading.Event | None = None) -> Endpoint:
    """The endpoint, misbehaving.

    :param over: as :class:`FaultedStore`'s.
    """
    store = FaultedStore(endpoint.store, fault, endpoint.cloud, over or threading.Event())
    return replace(endpoint, store=store, alias=endpoint.store_name)
