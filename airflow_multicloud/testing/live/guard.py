"""The limits of a live run, enforced before each request.

Two counters, of which a request may touch both, so that the limit is an upper bound: every call
of a hook's verbs counts, with one more for each 1,000 names that a listing gives, and every HTTP
request of the SDKs' Python clients counts, retries included. The Rust client (obstore) is seen
through the verbs only: its own retries are not.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

H = TypeVar("H")

#: Names of a page, the smallest of any cloud's.
_PAGE = 1000
#: Hosts whose requests are billed one by one, in US dollars.
#: https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/
_BILLED = {re.compile(r"ce\.[\w-]+\.amazonaws\.com(\.cn)?"): Decimal("0.01")}
#: Verbs that ask no cloud.
_LOCAL = ("why_not_", "fit_")


class LiveLimitError(Exception):
    """A live run reached a limit. No CloudError: code under test handles those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where a live run stops.

    :param requests: as the module counts them.
    :param bytes: of content, sent and read.
    :param usd: for requests that are billed one by one.
    """

    requests: int
    bytes: int
    usd: Decimal


class Guard:
    """Counts what a live run uses, and stops it at its limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests = 0
        self.bytes = 0
        self.usd = Decimal(0)
        #: Which limit was reached, if any; nothing is sent any more.
        self.exceeded: str | None = None
        self._enforced = True
        self._lock = threading.Lock()

    def __str__(self) -> str:
        """What was used."""
        return (
            f"{self.requests} of {self.limits.requests} requests, {self.bytes} of "
            f"{self.limits.bytes} bytes, {self.usd} of {self.limits.usd} USD"
        )

    def count(self, *, requests: int = 0, size: int = 0, usd: Decimal = Decimal(0)) -> None:
        """Take this from what is left, before it is used.

        :raises LiveLimitError: when less is left.
        """
        with self._lock:
            wanted = (self.requests + requests, self.bytes + size, self.usd + usd)
            if self._enforced:
                self._check(*wanted)
            self.requests, self.bytes, self.usd = wanted

    def _check(self, requests: int, size: int, usd: Decimal) -> None:
        if self.exceeded is None:
            for option, used, limit in (
                ("--live-max-requests", requests, self.limits.requests),
                ("--live-max-bytes", size, self.limits.bytes),
                ("--live-max-usd", usd, self.limits.usd),
            ):
                if used > limit:
                    self.exceeded = (
                        f"live run stopped: {option} {limit} would be exceeded ({used}); used so "
                        f"far: {self}"
                    )
        if self.exceeded is not None:
            raise LiveLimitError(self.exceeded)

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Count without stopping: what was made must be removable whatever was used."""
        self._enforced = False
        try:
            yield
        finally:
            self._enforced = True

    def count_http(self, host: str) -> None:
        """One HTTP request to a host."""
        billed = (usd for pattern, usd in _BILLED.items() if pattern.fullmatch(host))
        self.count(requests=1, usd=next(billed, Decimal(0)))

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Count the requests of every client on urllib3: botocore's, Google's and Azure's."""
        import urllib3

        pool: Any = urllib3.HTTPConnectionPool
        send = pool.urlopen

        def counted(self_: Any, *args: Any, **kwargs: Any) -> Any:
            self.count_http(self_.host)
            return send(self_, *args, **kwargs)

        pool.urlopen = counted
        try:
            yield
        finally:
            pool.urlopen = send

    def metered(self, hook: H, ports: Sequence[type]) -> H:
        """The hook, whose verbs are counted from now on.

        :param hook: is changed.
        :param ports: the protocols that it fits.
        """
        for port in ports:
            for name, member in vars(port).items():
                if callable(member) and not name.startswith(("_", *_LOCAL)) and hasattr(hook, name):
                    setattr(hook, name, self._counted(getattr(hook, name)))
        return hook

    def _counted(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.count(requests=1, size=_size([*args, *kwargs.values()]))
            found = verb(*args, **kwargs)
            if hasattr(found, "meta") and hasattr(found, "read"):
                self.count(size=_range(found.meta.size, kwargs))
            elif isinstance(found, Iterator):
                return self._items(found)
            return found

        return call

    def _items(self, found: Iterator[Any]) -> Iterator[Any]:
        for number, item in enumerate(found, start=1):
            self.count(requests=number % _PAGE == 0, size=_size([item]))
            yield item


def _size(values: Sequence[object]) -> int:
    return sum(len(v) for v in values if isinstance(v, bytes | bytearray | memoryview))


def _range(size: int, given: dict[str, Any]) -> int:
    end = given.get("end")
    last: int = size if end is None else min(size, end)
    return max(last - int(given.get("start", 0)), 0)
