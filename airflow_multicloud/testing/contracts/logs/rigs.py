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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from airflow_multicloud.ports.accounting import Accounting
from airflow_multicloud.ports.logs import LogEntry, LogQuery, Logs, Severity
from airflow_multicloud.testing.contracts.deliveries import (
    DeliveryRig,
    DeliveryRigSpec,
    parametrize_delivery_rigs,
)
from airflow_multicloud.testing.contracts.rigs import apply_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsRigSpec(DeliveryRigSpec[Logs]):
    """How to get at one cloud's logs; see its base.

    :param knows_logs: whether the cloud tells a log that is not there from an empty one.
    """

    knows_logs: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsRig(DeliveryRig[Logs]):
    """One account and a log of its own, for one test.

    :param now: a moment some minutes ago, at a full second.
    """

    spec: LogsRigSpec
    log: str

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
    parametrize_delivery_rigs(metafunc, "logs_rig", specs)


@pytest.fixture
def logs_rig(request: pytest.FixtureRequest) -> Iterator[LogsRig]:
    """One hook and a log that is not there yet; import it into your ``conftest.py``."""
    spec: LogsRigSpec = request.param
    apply_gaps(request, spec)
    yield LogsRig(
        spec=spec,
        hook=spec.open(request),
        request=request,
        log=f"contract/{uuid.uuid4().hex[:10]}",
        now=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5),
    )
    spec.plant(request, ())
