"""A pytest plugin: the contract suites on real clouds, within limits that stop the run.

Load it with ``-p airflow_multicloud.testing.live`` or import its hooks into a ``conftest.py``.
Without ``--live`` it does nothing. With it, only tests on live rigs run (see :mod:`.stores`
and :mod:`.hooks`), through connections that you name, against accounts that you pay for.

Nobody has run the suites on real clouds yet: this has been tried against local servers only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from airflow_multicloud.testing.live.guard import Guard
from airflow_multicloud.testing.live.options import Live, add_options, live_of

pytest.register_assert_rewrite(f"{__name__}.costs")

#: In the ids of the rigs that reach real clouds.
PREFIX = "live_"
#: A whole part of a test's id, which parameters are joined to by hyphens.
_LIVE_ID = re.compile(rf"[\[-]{PREFIX}\w+[\]-]")

_GUARD = pytest.StashKey[Guard]()


def guard_of(config: pytest.Config) -> Guard:
    """The session's guard; ``--live`` must be given."""
    return config.stash[_GUARD]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Define the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to start without limits that hold for the whole run; then count every request."""
    live = live_of(config)
    if live is None:
        return
    if config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        raise pytest.UsageError("--live counts in one process: run without -n")
    guard = config.stash[_GUARD] = Guard(live.limits)
    counting = ExitStack()
    counting.enter_context(guard.installed())
    config.add_cleanup(counting.close)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse connections that are not there, or belong to another cloud."""
    live = live_of(session.config)
    if live is not None:
        _check_connections(live)


def _check_connections(live: Live) -> None:
    from airflow_multicloud import registry
    from airflow_multicloud.errors import CloudError

    for chosen in live.chosen:
        try:
            conn_id = live.connection(chosen)
            cloud = registry.cloud_of(conn_id)
        except CloudError as err:
            raise pytest.UsageError(
                f"--live {chosen}: {err}; set the connection as AIRFLOW_CONN_… in the environment, "
                f"or name another one with --live {chosen}=CONN_ID"
            ) from err
        if cloud.name != chosen.cloud:
            raise pytest.UsageError(
                f"--live {chosen}={conn_id}: the connection belongs to {cloud.name}, not to "
                f"{chosen.cloud}"
            )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--live``, leave out every test that is not on a live rig."""
    if live_of(config) is None:
        return
    kept = [item for item in items if _LIVE_ID.search(item.name)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End the session after the test in which a limit was reached."""
    result: object = yield
    live = live_of(item.config)
    if live is not None and (why := guard_of(item.config).exceeded):
        item.session.shouldfail = why
    return result  # type: ignore[return-value]  # what the hook gave


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was used."""
    if live_of(config) is not None:
        terminalreporter.write_line(f"live: {guard_of(config)}")
