"""A secret looked up in stores that answer, hang, fail and differ."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicloud.core.secret_lookup.asked_store import (
    MOST_UNDER_WAY,
    AskedStore,
    is_asking,
)
from airflow_multicloud.core.secret_lookup.cache import Cache
from airflow_multicloud.core.secret_lookup.lookup import Lookup
from airflow_multicloud.core.secret_lookup.options import LookupOptions, OnDisagreement
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretValue, SecretVersion
from tests.unit.secret_lookup.waiting import let_end

NAME = "airflow/connections/x"
CANARY = b"cAnArY-of-a-lookup"
OTHER = b"oTher-canary"
MASKED: list[bytes] = []
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class Store:
    """A store that says what a test wants; it hangs while ``hangs`` is set."""

    def __init__(self, *says: bytes | Exception | None, written: int = 0) -> None:
        self.says = list(says)
        self.asked = 0
        self.opened = 0
        self.written = written
        self.hangs: threading.Event | None = None
        self.names = 100

    def check_secret_name(self, name: str) -> str:
        if len(name) > self.names:
            raise SecretsError("too long", kind=ErrorKind.INVALID_ARGUMENT)
        return name

    def open(self) -> Store:
        self.opened += 1
        return self

    def read_secret(self, name: str, version: str | None = None) -> SecretValue:
        self.asked += 1
        assert is_asking()
        if self.hangs is not None:
            assert self.hangs.wait(30)
        said = self.says[0] if len(self.says) == 1 else self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        if said is None:
            raise SecretsError("nothing", kind=ErrorKind.NOT_FOUND)
        moment = BEGINNING + timedelta(seconds=self.written)
        return SecretValue(name=name, version=SecretVersion(id="7", created_at=moment), value=said)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _lookup(*stores: Store, clock: Callable[[], float] | None = None, **options: object) -> Lookup:
    given = LookupOptions(**{"timeout": 0.2, "hedge_after": 0.02, **options})  # type: ignore[arg-type]
    more = {} if clock is None else {"clock": clock}
    asked = [
        AskedStore(f"store_{number}", store.open, given, **more)  # type: ignore[arg-type]
        for number, store in enumerate(stores)
    ]
    return Lookup(asked, given, mask=MASKED.append)


def _refused(kind: ErrorKind) -> SecretsError:
    return SecretsError("as planted", kind=kind)


@pytest.fixture
def hanging(_others_end: None) -> Iterator[Store]:
    """A store that does not answer until the test is over."""
    store = Store(CANARY)
    store.hangs = threading.Event()
    yield store
    store.hangs.set()
    let_end()


@pytest.fixture(autouse=True)
def _others_end() -> Iterator[None]:
    """What a lookup leaves behind ends with the test."""
    MASKED.clear()
    yield
    let_end()


def test_the_first_that_has_it_answers_and_the_next_is_not_waited_for(hanging: Store) -> None:
    first = Store(CANARY)
    found = _lookup(first, hanging, hedge_after=60.0, timeout=60.0).find(NAME)
    assert found.value is not None
    assert found.value.value == CANARY
    assert "anArY" not in repr(found)
    assert MASKED == [CANARY]


def test_stores_that_were_not_needed_are_asked_afterwards_and_differences_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second, third = Store(CANARY), Store(CANARY), Store(OTHER, written=5)
    lookup = _lookup(first, second, third, hedge_after=60.0, cache_seconds=0.0)
    for _ in range(3):
        found = lookup.find(NAME)
        assert found.value is not None
        assert found.value.value == CANARY
    let_end()
    # Once in a while, also when nothing is kept.
    assert (first.asked, second.asked, third.asked) == (3, 1, 1)
    assert caplog.text.count("stores have different values") == 1
    assert "store_0 (version 7 of 2026-01-01T00:00:00+00:00), store_2 (version 7" in caplog.text
    assert "anary" not in caplog.text.lower()


def test_one_that_answers_late_is_compared_too(
    hanging: Store, caplog: pytest.LogCaptureFixture
) -> None:
    found = _lookup(hanging, Store(OTHER), timeout=60.0).find(NAME)
    assert found.value is not None
    assert found.value.value == OTHER
    assert hanging.hangs is not None
    hanging.hangs.set()
    let_end()
    assert "store_1 (version 7 of 2026-01-01T00:00:00+00:00), store_0 (version 7" in caplog.text


def test_a_process_that_ends_with_the_answer_compares_nothing() -> None:
    options = LookupOptions(hedge_after=60.0)
    stores = Store(CANARY), Store(OTHER)
    asked = [AskedStore(str(number), one.open, options) for number, one in enumerate(stores)]  # type: ignore[arg-type]
    assert Lookup(asked, options, mask=MASKED.append, compares=False).find(NAME).value is not None
    let_end()
    assert stores[1].asked == 0


def test_the_next_is_asked_where_one_does_not_have_it_or_fails() -> None:
    for said in (None, _refused(ErrorKind.PERMISSION_DENIED), ValueError(CANARY.decode())):
        found = _lookup(Store(said), Store(CANARY), hedge_after=60.0).find(NAME)
        assert found.value is not None
        assert found.silent == (() if said is None else ("store_0",))


def test_a_store_that_hangs_costs_as_long_as_the_next_waits(hanging: Store) -> None:
    second = Store(CANARY)
    found = _lookup(hanging, second, timeout=60.0).find(NAME)
    assert found.value is not None
    assert (hanging.asked, second.asked) == (1, 1)


def test_two_that_hang_leave_the_third(hanging: Store) -> None:
    found = _lookup(hanging, hanging, Store(CANARY), timeout=60.0).find(NAME)
    assert found.value is not None


def test_a_store_that_hangs_may_have_it_so_absence_is_not_kept(hanging: Store) -> None:
    second = Store(None, CANARY)
    lookup = _lookup(hanging, second)
    found = lookup.find(NAME)
    assert (found.value, found.silent) == (None, ("store_0",))
    again = lookup.find(NAME)
    assert again.value is not None


def test_absence_is_kept_when_all_have_answered() -> None:
    stores = Store(None), Store(None)
    lookup = _lookup(*stores)
    for _ in range(3):
        assert lookup.find(NAME).value is None
    assert [store.asked for store in stores] == [1, 1]


def test_a_name_that_a_cloud_cant_have_is_not_there_and_not_asked_for() -> None:
    store = Store(CANARY)
    store.names = 3
    found = _lookup(store).find(NAME)
    assert (found.value, found.silent, found.is_certain) == (None, (), True)
    assert store.asked == 0


@pytest.mark.parametrize("kind", [one for one in ErrorKind if one is not ErrorKind.NOT_FOUND])
def test_who_refuses_has_not_said_that_there_is_none(
    kind: ErrorKind, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(_refused(kind), CANARY)
    lookup = _lookup(store, Store(None))
    found = lookup.find(NAME)
    assert found.value is None
    assert not found.is_certain
    assert (*found.silent, *found.withheld) == ("store_0",)
    assert bool(found.withheld) is (kind is ErrorKind.PRECONDITION_FAILED)
    assert f"{kind}: as planted" in caplog.text
    # It was not kept.
    assert lookup.find(NAME).value is not None


def test_a_store_is_opened_once_and_again_after_it_could_not_be() -> None:
    store = Store(CANARY)
    lookup = _lookup(store, cache_seconds=0.0)
    lookup.find(NAME)
    lookup.find(NAME)
    assert (store.opened, store.asked) == (1, 2)
    tries: list[int] = []

    def opened() -> Store:
        tries.append(1)
        if len(tries) == 1:
            raise _refused(ErrorKind.UNAUTHENTICATED)
        return store

    options = LookupOptions()
    lookup = Lookup(
        [AskedStore("one", opened, options)],  # type: ignore[arg-type]
        options,
        mask=MASKED.append,
    )
    assert lookup.find(NAME).silent == ("one",)
    assert lookup.find(NAME).value is not None


def test_a_store_that_fails_twice_is_left_alone_for_a_while() -> None:
    clock = Clock()
    store = Store(_refused(ErrorKind.UNAVAILABLE))
    lookup = _lookup(store, clock=clock, retry_after=10.0)
    for _ in range(5):
        assert lookup.find(NAME).silent == ("store_0",)
    assert store.asked == 2
    clock.now = 11.0
    lookup.find(NAME)
    lookup.find(NAME)
    assert store.asked == 3
    store.says = [CANARY]
    clock.now = 22.0
    assert lookup.find(NAME).value is not None


def test_refused_permissions_are_no_outage() -> None:
    store = Store(_refused(ErrorKind.PERMISSION_DENIED))
    lookup = _lookup(store)
    for _ in range(4):
        lookup.find(NAME)
    assert store.asked == 4


def test_what_hangs_is_bounded(hanging: Store) -> None:
    options = LookupOptions(timeout=60.0)
    store = AskedStore("one", hanging.open, options)  # type: ignore[arg-type]
    for _ in range(MOST_UNDER_WAY):
        assert store.why_not() is None
        store.ask(NAME, lambda _: None)
    assert "have no answer yet" in (store.why_not() or "")


def test_one_that_hangs_counts_as_failed_although_nobody_waits_any_more(hanging: Store) -> None:
    clock = Clock()
    options = LookupOptions(timeout=1.0)
    store = AskedStore("one", hanging.open, options, clock)  # type: ignore[arg-type]
    for _ in range(2):
        assert store.why_not() is None
        store.ask(NAME, lambda _: None)
    clock.now = 2.0
    assert "failed 2 times" in (store.why_not() or "")


@pytest.mark.parametrize("policy", OnDisagreement)
def test_disagreement_is_settled_by_policy_and_told_without_values(
    policy: OnDisagreement, caplog: pytest.LogCaptureFixture
) -> None:
    lookup = _lookup(
        Store(CANARY, written=1), Store(OTHER, written=5), Store(None), on_disagreement=policy
    )
    caplog.set_level(logging.DEBUG)
    if policy is OnDisagreement.REFUSE:
        with pytest.raises(SecretsError, match="stores have different values: store_0") as err:
            lookup.find(NAME)
        assert err.value.kind is ErrorKind.INTEGRITY
        assert "anary" not in str(err.value).lower()
    else:
        found = lookup.find(NAME).value
        assert found is not None
        assert found.value == (CANARY if policy is OnDisagreement.FIRST else OTHER)
    if policy is OnDisagreement.NEWEST:
        assert "store_1 (version 7 of 2026-01-01T00:00:05+00:00)" in caplog.text
    assert "anary" not in caplog.text.lower()


@pytest.mark.parametrize("policy", [OnDisagreement.NEWEST, OnDisagreement.REFUSE])
def test_stores_that_agree_or_hang_are_no_disagreement(
    policy: OnDisagreement, hanging: Store, caplog: pytest.LogCaptureFixture
) -> None:
    lookup = _lookup(Store(CANARY), hanging, Store(CANARY), on_disagreement=policy)
    found = lookup.find(NAME)
    assert found.value is not None
    assert found.silent == ("store_1",)
    assert "store_1 gave no value, so whether they differ is not known" in caplog.text


def test_the_cache_is_bounded_and_forgets() -> None:
    clock = Clock()
    cache = Cache(10.0, 2, clock)
    for number in range(3):
        cache.keep(str(number), None, clock.now)
    assert [cache.get(str(number))[0] for number in range(3)] == [False, True, True]
    clock.now = 9.9
    assert cache.get("1")[0]
    clock.now = 10.0
    assert not cache.get("1")[0]
    cache.keep("late", None, 3.0)
    clock.now = 13.0
    assert not cache.get("late")[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout: 0 given"),
        ({"timeout": float("nan")}, "timeout: nan given"),
        ({"hedge_after": -1}, "hedge_after: -1 given"),
        ({"cache_seconds": "x"}, "cache_seconds: 'x' given"),
        ({"cache_size": 0}, "cache_size: 0 given"),
        ({"on_disagreement": "last"}, "on_disagreement: 'last' given"),
    ],
)
def test_options_are_checked(options: dict[str, object], message: str) -> None:
    with pytest.raises(SecretsError, match=message):
        LookupOptions(**options)  # type: ignore[arg-type]


def test_what_a_hook_can_not_cope_with_is_no_outage() -> None:
    """One secret's mark may be what it stumbles over: the others are there."""
    odd = Store(OverflowError("of one secret"), OverflowError("again"), CANARY)
    lookup = _lookup(odd, cache_seconds=0.0)
    for _ in range(2):
        assert lookup.find("odd").value is None
    found = lookup.find(NAME)
    assert found.value is not None
    assert found.value.value == CANARY


def test_what_can_not_be_opened_is_an_outage() -> None:
    store, clock = Store(CANARY), Clock()

    def fail() -> Store:
        store.opened += 1
        raise RuntimeError("of the store")

    store.open = fail  # type: ignore[method-assign]
    lookup = _lookup(store, cache_seconds=0.0, clock=clock)
    for _ in range(4):
        assert lookup.find(NAME).value is None
    assert store.opened == 2
