"""A secret looked up in an ordered list of stores."""

from __future__ import annotations

import hmac
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from queue import Empty, SimpleQueue

from airflow_multicloud.core.secret_lookup.asked_store import Answer, AskedStore
from airflow_multicloud.core.secret_lookup.cache import Cache
from airflow_multicloud.core.secret_lookup.options import LookupOptions, OnDisagreement
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretValue
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: Seconds at least from one comparison of a secret in the background to the next.
LEAST_BETWEEN_COMPARISONS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a lookup has come to.

    :param value: ``None`` when no store that answered has one.
    :param silent: connection ids of stores that gave no answer.
    :param withheld: connection ids of stores that have it and do not give it out.
    """

    value: SecretValue | None = field(default=None, repr=False)
    silent: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether there is a value, or all stores have said that there is none."""
        return self.value is not None or not (self.silent or self.withheld)


class Lookup:
    """Stores that are asked in order, and what they answered a few seconds ago.

    :param stores: in their order.
    :param mask: told of each value on the thread that looks up, before it is given back.
    :param compares: whether stores that were not needed are asked afterwards, to tell of
        differences; not in a process that ends with its answer.
    """

    def __init__(
        self,
        stores: Sequence[AskedStore],
        options: LookupOptions,
        *,
        mask: Callable[[bytes], None],
        compares: bool = True,
    ) -> None:
        self._stores = tuple(stores)
        self._options = options
        self._mask = mask
        self._compares = compares
        self._asks_all = options.on_disagreement is not OnDisagreement.FIRST
        self._cache = Cache(options.cache_seconds, options.cache_size)
        between = max(options.cache_seconds, LEAST_BETWEEN_COMPARISONS)
        self._compared = Cache(between, options.cache_size)

    def find(self, name: str) -> Found:
        """The secret's current value.

        :raises SecretsError: ``integrity`` when stores have different values and that is refused.
        """
        return self.kept_or(name, lambda: self._found(name))

    def kept_or(self, name: str, find: Callable[[], Found]) -> Found:
        """What was answered a few seconds ago, or what another way to look it up gives."""
        is_kept, kept = self._cache.get(name)
        if is_kept:
            return Found(value=kept)
        asked_at = self._cache.now()
        found = find()
        if found.is_certain:
            self._cache.keep(name, found.value, asked_at)
        return found

    def _found(self, name: str) -> Found:
        answers = self._ask(name)
        failed = [one for one in answers if one.error is not None]
        withheld = tuple(one.store for one in failed if one.is_withheld)
        silent = tuple(one.store for one in failed if not one.is_withheld)
        for one in answers:
            if one.value is not None:
                self._mask(one.value.value)
            if one.error is not None:
                # That a store is left alone for a while was told when it failed.
                tell = _log.debug if one.skipped else _log.warning
                tell("%s: %s: %s: %s", printable(name), one.store, one.error.kind, one.error)
        value = self._settled(name, [one for one in answers if one.value is not None])
        if value is not None and failed and self._asks_all:
            stores = ", ".join(one.store for one in failed)
            _log.warning(
                "%s: %s gave no value, so whether they differ is not known", printable(name), stores
            )
        return Found(value=value, silent=silent, withheld=withheld)

    def _ask(self, name: str) -> list[Answer]:
        """What the stores answer in time, in their order; those not needed are left out."""
        asking = _Asking(name, self._stores, self._options, self._cache)
        if self._asks_all:
            asking.all_at_once()
        else:
            asking.one_after_the_other()
        answers = asking.in_order()
        served = next((one for one in answers if one.value is not None), None)
        if served is not None and not self._asks_all:
            self._compare_later(name, asking, served)
        return answers

    def _compare_later(self, name: str, asking: _Asking, served: Answer) -> None:
        """Log the stores whose value differs; nobody waits for that."""
        if not self._compares or self._compared.get(name)[0]:
            return
        self._compared.keep(name, None, self._compared.now())

        def compare(answer: Answer) -> None:
            if _differ([served, answer]):
                _tell_of_difference(name, [served, answer])

        asking.go_on(compare)

    def _settled(self, name: str, found: Sequence[Answer]) -> SecretValue | None:
        values = [one.value for one in found if one.value is not None]
        if not values:
            return None
        if _differ(found):
            if self._options.on_disagreement is OnDisagreement.REFUSE:
                raise SecretsError(
                    f"{name}: stores have different values: {', '.join(_shown(found))}; make them "
                    "equal, or choose another on_disagreement",
                    kind=ErrorKind.INTEGRITY,
                )
            _tell_of_difference(name, found)
        if self._options.on_disagreement is OnDisagreement.NEWEST:
            return max(values, key=lambda one: one.version.created_at)
        return values[0]


def _differ(found: Sequence[Answer]) -> bool:
    values = [one.value.value for one in found if one.value is not None]
    return any(not hmac.compare_digest(a, b) for a, b in pairwise(values))


def _tell_of_difference(name: str, found: Sequence[Answer]) -> None:
    shown = ", ".join(_shown(found))
    _log.warning("%s: stores have different values: %s", printable(name), shown)


def _shown(found: Sequence[Answer]) -> Iterator[str]:
    for one in found:
        if one.value is not None:
            version = one.value.version
            at = version.created_at.isoformat(timespec="seconds")
            yield printable(f"{one.store} (version {version.id} of {at})")


class _Asking:
    """One lookup under way."""

    def __init__(
        self, name: str, stores: Sequence[AskedStore], options: LookupOptions, cache: Cache
    ) -> None:
        self._name = name
        self._stores = stores
        self._options = options
        self._now = cache.now
        self._left = deque(stores)
        self._told: SimpleQueue[Answer] = SimpleQueue()
        self._handing = threading.Lock()
        self._hear_late: Callable[[Answer], None] = self._told.put
        self._answers: dict[str, Answer] = {}
        self._deadlines: dict[str, float] = {}
        self._hedge_at = 0.0

    def all_at_once(self) -> None:
        """Ask all, and wait until each has answered or its time is over."""
        while self._left:
            self._begin()
        while self._deadlines:
            self._hear()

    def one_after_the_other(self) -> None:
        """Ask the next when one does not have it, fails, or takes long; until one has it."""
        while (self._left or self._deadlines) and not self._is_found():
            is_time = not self._deadlines or self._is_time_for_the_next()
            if is_time and self._left and not self._is_found():
                self._begin()
        while not self._told.empty():  # Whoever has answered meanwhile can disagree.
            self._take(self._told.get())

    def go_on(self, hear: Callable[[Answer], None]) -> None:
        """Give what comes from now on to ``hear``, and ask those that were not needed."""
        with self._handing:
            self._hear_late = hear
        while not self._told.empty():
            hear(self._told.get())
        for store in self._left:
            if store.why_not() is None:
                store.ask(self._name, hear)

    def in_order(self) -> list[Answer]:
        """The answers, by the order of the stores."""
        return [self._answers[one.conn_id] for one in self._stores if one.conn_id in self._answers]

    def _hand(self, answer: Answer) -> None:
        with self._handing:  # Else one could be put where nobody looks any more.
            self._hear_late(answer)

    def _begin(self) -> None:
        store = self._left.popleft()
        why = store.why_not()
        if why is not None:
            self._fail(store.conn_id, ErrorKind.UNAVAILABLE, why, skipped=True)
            return
        self._deadlines[store.conn_id] = self._now() + self._options.timeout
        self._hedge_at = self._now() + self._options.hedge_after
        store.ask(self._name, self._hand)

    def _hear(self) -> bool:
        """Wait for an answer, or until something else is to be done; whether one has come."""
        until = min(self._deadlines.values())
        if self._left:
            until = min(until, self._hedge_at)
        try:
            self._take(self._told.get(timeout=max(0.0, until - self._now())))
        except Empty:
            for conn_id in [one for one, end in self._deadlines.items() if self._now() >= end]:
                why = f"no answer within {self._options.timeout:g} s"
                self._fail(conn_id, ErrorKind.TIMEOUT, why)
            return False
        return True

    def _is_time_for_the_next(self) -> bool:
        return self._hear() or self._now() >= self._hedge_at

    def _take(self, answer: Answer) -> None:
        if self._deadlines.pop(answer.store, None) is not None:
            self._answers[answer.store] = answer

    def _fail(self, conn_id: str, kind: ErrorKind, why: str, *, skipped: bool = False) -> None:
        self._deadlines.pop(conn_id, None)
        error = SecretsError(why, kind=kind)
        self._answers[conn_id] = Answer(store=conn_id, error=error, skipped=skipped)

    def _is_found(self) -> bool:
        return any(one.value is not None for one in self._answers.values())
