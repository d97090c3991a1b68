from __future__ import annotations

from threading import Thread

from airflow_multicloud.adapters.connections import once_per_session, session
from airflow_multicloud.adapters.locks import KeyLocks


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
