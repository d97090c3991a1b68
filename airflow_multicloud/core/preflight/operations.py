"""The operations whose needs are known, and how they are given.

An operation is given as a mapping with one entry: its name, and its parameters in the words of the
operator that it is for. So one mapping serves both: ``ReplicateOperator(**parameters)`` and
``{"replicate": parameters}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from types import MappingProxyType, NoneType
from typing import Any, ClassVar, Protocol

from airflow_multicloud.core.preflight.databases import (
    PromoteReplica,
    RemoveDatabase,
    RemoveSnapshot,
    RestoreDatabase,
    SnapshotDatabase,
    VerifyDatabase,
)
from airflow_multicloud.core.preflight.deliveries import ExportMetrics, QueryLogs, ShipLogs
from airflow_multicloud.core.preflight.deployments import (
    Deploy,
    Rollback,
    StartInstance,
    StopInstance,
    SummarizeRelease,
    Teardown,
)
from airflow_multicloud.core.preflight.drills import Drill
from airflow_multicloud.core.preflight.needs import Need
from airflow_multicloud.core.preflight.objects import (
    Fetch,
    Replicate,
    ShardedReplication,
    Upload,
    Verify,
)
from airflow_multicloud.core.preflight.secrets import SyncSecrets, WriteCanarySecret
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.text import keys_text, kind_text


class Operation(Protocol):
    """What is to be done, as far as it decides what is called."""

    WITHOUT_EFFECT: ClassVar[frozenset[str]]

    def needs(self) -> Iterator[Need]:
        """What it needs, more than once perhaps.

        :raises CloudError: kind ``invalid_argument``, naming the parameter that is wrong.
        """
        ...


#: Name → the operation. What is not here has no map that is proven.
OPERATIONS: Mapping[str, Any] = MappingProxyType(
    {
        "replicate": Replicate,
        "sharded_replication": ShardedReplication,
        "upload": Upload,
        "verify": Verify,
        "fetch": Fetch,
        "export_metrics": ExportMetrics,
        "ship_logs": ShipLogs,
        "query_logs": QueryLogs,
        "drill": Drill,
        "deploy": Deploy,
        "rollback": Rollback,
        "teardown": Teardown,
        "summarize_release": SummarizeRelease,
        "start_instance": StartInstance,
        "stop_instance": StopInstance,
        "sync_secrets": SyncSecrets,
        "write_canary_secret": WriteCanarySecret,
        "snapshot_database": SnapshotDatabase,
        "restore_database": RestoreDatabase,
        "promote_replica": PromoteReplica,
        "verify_database": VerifyDatabase,
        "remove_database": RemoveDatabase,
        "remove_snapshot": RemoveSnapshot,
    }
)


def operations_of(given: object, *, parameter: str = "operations") -> tuple[Operation, ...]:
    """Operations as they are given.

    :param given: a list of mappings, or one of them.
    :raises CloudError: kind ``invalid_argument``, naming what is wrong.
    """
    listed: Any = [given] if isinstance(given, Mapping) else given
    if isinstance(listed, str) or not isinstance(listed, Sequence) or not listed:
        raise _refused(parameter, kind_text(given), f"a list of mappings {_FORM}")
    return tuple(_operation(one, f"{parameter}[{number}]") for number, one in enumerate(listed))


def needs_of(operations: Sequence[Operation]) -> tuple[Need, ...]:
    """What all of them need.

    :raises CloudError: kind ``invalid_argument``, naming a parameter that is wrong, or an operation
        that needs nothing: of that nothing would be checked.
    """
    found: list[Need] = []
    for number, operation in enumerate(operations):
        needs = tuple(operation.needs())
        if not needs:
            name = next((name for name, cls in OPERATIONS.items() if type(operation) is cls), "")
            raise _refused(f"operations[{number}].{name}", "no place", "at least one")
        found += needs
    return tuple(found)


_FORM = '{"replicate": {"source": …, "destinations": […]}}'


def _operation(given: object, parameter: str) -> Operation:
    if not isinstance(given, Mapping) or len(given) != 1:
        expected = f"one operation and its parameters, as {_FORM}"
        raise _refused(parameter, kind_text(given), expected)
    ((name, parameters),) = given.items()
    if name not in OPERATIONS:
        raise _refused(parameter, keys_text([name]), f"one of {', '.join(OPERATIONS)}")
    if not isinstance(parameters, Mapping):
        raise _refused(f"{parameter}.{name}", kind_text(parameters), "a mapping of parameters")
    cls = OPERATIONS[name]
    known = {field.name for field in fields(cls)}
    if unknown := sorted(set(map(str, parameters)) - known - cls.WITHOUT_EFFECT):
        expected = ", ".join(sorted(known | cls.WITHOUT_EFFECT))
        raise _refused(f"{parameter}.{name}", keys_text(unknown), expected)
    needed = [field.name for field in fields(cls) if _has_no_default(field)]
    if missing := [name for name in needed if name not in parameters]:
        given_keys = keys_text(sorted(parameters)) or "nothing"
        raise _refused(f"{parameter}.{name}", given_keys, f"{', '.join(missing)} too")
    for field in fields(cls):
        _check_plain(f"{parameter}.{name}.{field.name}", field, parameters)
    made: Operation = cls(**{k: v for k, v in parameters.items() if k in known})
    return made


#: What a field may be by its annotation, where that is plain; what else there is, is checked by
#: the operation itself.
_PLAIN: Mapping[str, tuple[tuple[type, ...], str]] = MappingProxyType(
    {
        "bool": ((bool,), "true or false"),
        "str": ((str,), "a text"),
        "str | None": ((str, NoneType), "a text"),
    }
)


def _check_plain(parameter: str, field: Field[Any], given: Mapping[str, object]) -> None:
    """A text, or whether something is so: ``"no"`` would be a yes."""
    types, expected = _PLAIN.get(str(field.type), ((object,), ""))
    if field.name in given and not isinstance(given[field.name], types):
        raise _refused(parameter, kind_text(given[field.name]), expected)


def _has_no_default(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _refused(parameter: str, given: str, expected: str) -> CloudError:
    return CloudError(
        f"{parameter}: {given} given, expected {expected}", kind=ErrorKind.INVALID_ARGUMENT
    )
