from __future__ import annotations

from threading import Thread

import pytest

from airflow_multicloud.adapters.connections import once_per_session, session
from airflow_multicloud.adapters.locks import KeyLocks, MadeOnce


def test_one_lock_for_each_key():
    locks = KeyLocks()
    assert locks.of("a") is locks.of("a")
    assert locks.of("a") is not locks.of("b")


def test_what_is_made_for_one_key_holds_no_other_up():
    from contextvars import copy_context
    from threading import Event

    begun, go = Event(), Event()

    def slow() -> str:
        begun.set()
        assert go.wait(timeout=30)
        return "slow"

    with session():
        context = copy_context()
        thread = Thread(target=context.run, args=(once_per_session, "a", slow))
        thread.start()
        assert begun.wait(timeout=30)
        assert once_per_session("b", lambda: "quick") == "quick"
        go.set()
        thread.join(timeout=30)
        assert once_per_session("a", lambda: "again") == "slow"


def test_a_thing_is_made_once_and_may_ask_for_another():
    made = MadeOnce()
    asked = []

    def outer() -> str:
        asked.append("outer")
        return made.get("inner", lambda: "inner") + "!"

    assert [made.get("outer", outer) for _ in range(2)] == ["inner!"] * 2
    assert asked == ["outer"]


def test_what_could_not_be_made_is_tried_again():
    made = MadeOnce()
    with pytest.raises(ValueError, match="not yet"):
        made.get("a", lambda: (_ for _ in ()).throw(ValueError("not yet")))
    assert made.get("a", lambda: "now") == "now"
