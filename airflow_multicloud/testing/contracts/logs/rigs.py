"""Rigs of the logs contract: a cloud's log service, and how faults are planted in it.

::

    RIG = LogsRigSpec(
        name="moto",
        cloud="aws",
        hook=Hook,
        open=connected(Logs, "aws_logs_local", "local_clouds"),
        plant=lambda request, faults: …,
    )
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from airflow_multicloud.errors import CredentialsError
from airflow_multicloud.ports.accounting import Accounting
from airflow_multicloud.ports.logs import LogEntry, LogQuery, Logs, Severity
from airflow_multicloud.testing.contracts.rigs import apply_gaps, parametrize
from airflow_multicloud.testing.delivery_faults import DeliveryFault


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsRigSpec:
    """How to get at one cloud's logs.

    :param name: shown in the tests' ids; no hyphen.
    :param cloud: whose errors come.
    :param hook: the hook's class.
    :param open: gives a new hook, starting what it needs.
    :param plant: plants these faults and no others: those of before are taken away.
    :param open_refused: gives a hook whose credentials the cloud refuses; left out where there
        are no credentials.
    :param knows_logs: whether the cloud tells a log that is not there from an empty one.
    :param gaps: a test's name → why it must fail here; it is a strict xfail.
    """

    name: str
    cloud: str
    hook: type
    open: Callable[[pytest.FixtureRequest], Logs]
    plant: Callable[[pytest.FixtureRequest, Sequence[DeliveryFault]], None]
    open_refused: Callable[[pytest.FixtureRequest], Logs] | None = None
    knows_logs: bool = True
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsRig:
    """One account and a log of its own, for one test.

    :param now: a moment some minutes ago, at a full second.
    """

    spec: LogsRigSpec
    hook: Logs
    plant: Callable[[Sequence[DeliveryFault]], None]
    open_refused: Callable[[], Logs]
    log: str
    now: datetime

    def entry(
        self,
        message: str = "tested",
        *,
        after: timedelta = timedelta(),
        severity: Severity = Severity.INFO,
        correlation_id: str | None = None,
        insert_id: str | None = None,
        attributes: Mapping[str, str] = MappingProxyType({}),
    ) -> LogEntry:
        """An entry, so long after ``now``."""
        return LogEntry(
            time=self.now + after,
            message=message,
            severity=severity,
            correlation_id=correlation_id,
            insert_id=insert_id,
            attributes=attributes,
        )

    def write(self, *entries: LogEntry) -> Accounting:
        """Write to this test's log."""
        return self.hook.write_entries(entries, log=self.log)

    def query(
        self,
        *,
        text: str | None = None,
        severity: Severity | None = None,
        correlation_id: str | None = None,
        since: timedelta = timedelta(minutes=-30),
        until: timedelta = timedelta(minutes=30),
    ) -> list[LogEntry]:
        """All entries that are asked for; nothing may be missing."""
        asked = LogQuery(
            since=self.now + since,
            until=self.now + until,
            text=text,
            severity=severity,
            correlation_id=correlation_id,
        )
        pages = [*self.hook.query_entries(asked, log=self.log)]
        assert [page.notes for page in pages if page.notes] == []  # noqa: S101 - the suite asserts
        return [entry for page in pages for entry in page.entries]

    def messages(self, **asked: object) -> list[str]:
        """Of the entries that are asked for, as :meth:`query`."""
        return [entry.message for entry in self.query(**asked)]  # type: ignore[arg-type]


def parametrize_logs_rigs(metafunc: pytest.Metafunc, specs: Sequence[LogsRigSpec]) -> None:
    """Run a test that takes ``logs_rig`` on every rig that has what its class needs."""
    parametrize(
        metafunc,
        "logs_rig",
        specs,
        able=lambda spec, needs: CredentialsError not in needs or spec.open_refused is not None,
    )


@pytest.fixture
def logs_rig(request: pytest.FixtureRequest) -> Iterator[LogsRig]:
    """One hook and a log that is not there yet; import it into your ``conftest.py``."""
    spec: LogsRigSpec = request.param
    apply_gaps(request, spec)

    def open_refused() -> Logs:
        if spec.open_refused is None:
            raise TypeError(f"rig {spec.name} has no open_refused")
        return spec.open_refused(request)

    yield LogsRig(
        spec=spec,
        hook=spec.open(request),
        plant=lambda faults: spec.plant(request, faults),
        open_refused=open_refused,
        log=f"contract/{uuid.uuid4().hex[:10]}",
        now=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5),
    )
    spec.plant(request, ())
