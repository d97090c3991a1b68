"""Waiting for what clouds are doing: operations as documents, asked for until all have ended.

Another process may go on with the wait, so everything is JSON: an operation, the connection that
its cloud is reached by, and the port that it is asked of.
"""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.ports.operations import Operation, Operations, OperationState, longest_wait
from airflow_multicloud.registry import resolve
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An operation, and whom to ask for it.

    :param conn_id: of its cloud.
    """

    conn_id: str
    operation: Operation


def arguments_for(port: type[Operations], begun: Iterable[Begun]) -> dict[str, Any]:
    """The arguments of :func:`check_operations` and of :func:`tell_operations` (JSON).

    :param port: which service has them.
    """
    return {
        "port": f"{port.__module__}:{port.__qualname__}",
        "operations": [to_document(one) for one in begun],
    }


def check_operations(
    *, port: str, operations: Iterable[Mapping[str, Any]]
) -> dict[str, Any] | NotYet:
    """How the operations have ended, when all have; also those that failed.

    One that has ended is not asked for again.

    :raises CloudError: when a cloud can't be asked.
    """
    service = pkgutil.resolve_name(port)
    with telemetry.operation("check_operations"):
        now = [_asked(service, one) for one in _read(operations)]
    arguments = arguments_for(service, now)
    left = [one.operation for one in now if not one.operation.state.is_final]
    if not left:
        return {"operations": arguments["operations"]}
    for operation in left:
        _log.info("not yet: %s", _told(operation))
    return NotYet(wait=longest_wait(left), arguments=arguments)


def tell_operations(*, port: str, operations: Iterable[Mapping[str, Any]]) -> None:  # noqa: ARG001
    """Say in the log what goes on although nobody waits for it any more."""
    for one in _read(operations):
        if not one.operation.state.is_final:
            _log.warning("not called off, it goes on in the cloud: %s", _told(one.operation))


def ended_operations(facts: Mapping[str, Any]) -> list[Operation]:
    """What :func:`check_operations` has found, in the order in which they were given."""
    return [one.operation for one in _read(facts["operations"])]


def _asked(service: type[Operations], one: Begun) -> Begun:
    if one.operation.state.is_final:
        return one
    seen = resolve(service, one.conn_id).describe_operation(one.operation)
    return Begun(conn_id=one.conn_id, operation=seen)


def _read(operations: Iterable[Mapping[str, Any]]) -> list[Begun]:
    return [read_document(Begun, one, what="an operation that is waited for") for one in operations]


def _told(operation: Operation) -> str:
    done = "" if operation.progress is None else f", {operation.progress:.0%} done"
    how = "" if operation.state is OperationState.RUNNING else f" ({operation.state})"
    return printable(f"{operation.action} of {operation.resource}{how}{done}")
