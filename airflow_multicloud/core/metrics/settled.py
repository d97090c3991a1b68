"""What became of batches in earlier tries of a task: a later one does not send them again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import Accounting, Outcome
from airflow_multicloud.ports.metrics import MetricPoint

#: Hexadecimal digits of a SHA-256: enough that no two batches have the same.
_DIGITS = 32


class Settled:
    """Batches that another try must not, or need not, send; safe for many threads.

    :param before: what :attr:`accounts` was at the end of an earlier try.
    """

    def __init__(self, before: Mapping[str, Accounting] | None = None) -> None:
        self._before = dict(before or {})
        self._now: dict[str, Accounting] = {}
        self._lock = threading.Lock()

    def found(self, digest: str) -> Accounting | None:
        """The account of a batch that an earlier try has settled; no request is in it."""
        return self._before.get(digest)

    def add(self, digest: str, account: Accounting) -> None:
        """A batch that was sent; it is settled when what is left is wrong in itself."""
        if account.accepted and all(
            one.outcome is not Outcome.UNKNOWN and one.kind is ErrorKind.INVALID_ARGUMENT
            for one in account.refusals
        ):
            with self._lock:
                self._now[digest] = replace(account, requests=0)

    @property
    def accounts(self) -> dict[str, Accounting]:
        """Digest → account, of this try and earlier ones."""
        with self._lock:
            return {**self._before, **self._now}


def digest_of(place: Sequence[str], points: Iterable[MetricPoint]) -> str:
    """The same for the same points in the same order at the same place, and for nothing else.

    :param place: connection, transport and namespace.
    """
    digest = hashlib.sha256(repr(tuple(place)).encode())
    for point in points:
        attributes = sorted(point.attributes.items())
        exact = (point.name, point.unit, point.data, point.time, point.start, attributes)
        # Two texts in a row have an unambiguous end: each is a Python literal.
        digest.update(repr(exact).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:_DIGITS]
