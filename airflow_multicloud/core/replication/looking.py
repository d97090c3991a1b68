"""Look many names up at a destination by listings, where they lie close together."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from itertools import islice

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import pages
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.errors import CloudError

#: Up to so many are asked for one by one.
_ONE_BY_ONE = 8
#: As many as most listings tell for one request.
_PAGE = 1000


def look_up(end: Endpoint, names: Iterable[str]) -> Iterator[tuple[str, Listed]]:
    """What is there of these names, each with what the store says of it.

    A listing tells a thousand for one request, but also what was not asked for. One that tells a
    page more of that than of these names is left, and one of a longer prefix takes its place.
    What a store lists in another order may be missing, and what it doesn't tell of a single name.

    :param names: below the end's prefix, in UTF-8 byte order, as are the results.
    :raises CloudError: as listing does.
    """
    return ((one.name, one) for one in _found(end, _Ahead(iter(names))))


class _Ahead:
    """Names, of which the next few can be seen."""

    def __init__(self, names: Iterator[str]) -> None:
        self._names = names
        self._seen: deque[str] = deque()

    @property
    def head(self) -> str | None:
        """The next one."""
        if not self._seen:
            self._seen.extend(islice(self._names, 1))
        return self._seen[0] if self._seen else None

    def few(self, start: str, count: int) -> list[str]:
        """The next ones that begin like this, at most so many."""
        self._seen.extend(islice(self._names, max(0, count - len(self._seen))))
        found = []
        for name in islice(self._seen, count):
            if not name.startswith(start):
                break
            found.append(name)
        return found

    def take(self) -> None:
        """Pass over the next one."""
        self._seen.popleft()


def _found(end: Endpoint, names: _Ahead) -> Iterator[Listed]:
    """What is there of the names."""
    # How they begin, each like the one before, and what was listed last before that one was left.
    within: list[tuple[str, str | None]] = [("", None)]
    while within:
        start, last = within[-1]
        few = names.few(start, _ONE_BY_ONE + 1)
        if not few:
            within.pop()
        elif len(few) <= _ONE_BY_ONE:
            for name in few:
                names.take()
                yield from _asked(end, name)
        elif last is None:
            within[-1] = (start, (yield from _listed(end, start, names)))
        else:
            # The shortest that leaves behind what was listed so far.
            within.append((few[0][: _shared(few[0], last) + 1], None))


def _listed(end: Endpoint, start: str, names: _Ahead) -> Generator[Listed, None, str | None]:
    """Those of the next names that a listing tells.

    :return: what was listed last, if there was too much else.
    """
    others = _PAGE
    # Code points are in the order of their UTF-8 bytes.
    for one in pages.below(end, start):
        while (name := names.head) is not None and name < one.name and name.startswith(start):
            names.take()  # It is not there.
            others += 1
        if name is None or not name.startswith(start):
            return None
        if name == one.name:
            names.take()
            others += 1
            yield one
        elif others:
            others -= 1
        else:
            return one.name
    while names.few(start, 1):
        names.take()
    return None


def _asked(end: Endpoint, name: str) -> Iterator[Listed]:
    try:
        yield pages.one(end, name)
    except CloudError:
        return  # It is not there, or whoever needs it is told what is the matter.


def _shared(one: str, other: str) -> int:
    """How many characters two names begin with that are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (ours, theirs) in pairs if ours != theirs), min(len(one), len(other)))
