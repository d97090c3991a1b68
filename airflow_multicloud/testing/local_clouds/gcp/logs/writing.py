"""``WriteLogEntries``: which entries are taken, and what becomes of the others.

Limits: https://cloud.google.com/logging/quotas. Texts of refusals as users quote them:
https://github.com/googleapis/python-logging/issues.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

import grpc
from google.cloud.logging_v2.types import (
    WriteLogEntriesPartialErrors,
    WriteLogEntriesRequest,
    WriteLogEntriesResponse,
)
from google.logging.type.log_severity_pb2 import LogSeverity  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused, invalid
from airflow_multicloud.testing.local_clouds.gcp.logs.store import Store

_REQUEST: Final = 10 << 20
_ENTRY: Final = 256 << 10
_LABELS: Final = 64
_LABEL_KEY: Final = 512
_LABEL_VALUE: Final = 64 << 10
_DAY_S: Final = 86400
_NANOS: Final = 10**9
#: 9999-12-31T23:59:59Z.
_LAST_S: Final = 253_402_300_799
_OLDEST_S: Final = 30 * _DAY_S
_LOG_NAME: Final = re.compile(r"/?projects/([^/]+)/logs/([^/]+)")
_LOG_ID: Final = re.compile(r"[A-Za-z0-9/_.-]{1,511}")
#: https://cloud.google.com/logging/docs/api/v2/resource-list, some of them.
_RESOURCES: Final = frozenset(
    {"global", "generic_node", "generic_task", "gce_instance", "k8s_container", "cloud_run_job"}
)

_Entry: Final = type(WriteLogEntriesRequest.pb(WriteLogEntriesRequest()).entries.add())


class Writer:
    """Takes entries into a store.

    :param rejects: whether an entry is refused by a planted fault, given its text.
    """

    def __init__(self, store: Store, rejects: Callable[[str], bool]) -> None:
        self._store = store
        self._rejects = rejects

    def write(self, request: Any) -> Any:
        """Answer one request.

        :raises Refused: when entries were not written; without ``partial_success`` none was then.
        """
        if (size := request.ByteSize()) > _REQUEST:
            raise invalid(
                f"Request payload size exceeds the limit: {_REQUEST} bytes. (It has {size}.)"
            )
        taken: list[Any] = []
        refused: dict[int, Refused] = {}
        for place, given in enumerate(request.entries):
            try:
                taken.append(self._taken(given, request))
            except Refused as refusal:
                refused[place] = refusal
        if refused and (not taken or not request.partial_success):
            raise _first(refused)
        if not request.dry_run:
            now = time.time()
            self._store.add([one for one in taken if now - one.timestamp.seconds <= _OLDEST_S])
        if refused:
            raise _partly(refused)
        return WriteLogEntriesResponse.pb(WriteLogEntriesResponse())

    def _taken(self, given: Any, request: Any) -> Any:
        """An entry as it is kept.

        :raises Refused: when it can't be.
        """
        entry = _Entry()
        entry.CopyFrom(given)
        entry.log_name = _checked_name(given.log_name or request.log_name)
        if not entry.HasField("resource"):
            entry.resource.CopyFrom(request.resource)
        if entry.resource.type not in _RESOURCES:
            raise invalid(f"Unsupported resource type: '{entry.resource.type}'.")
        if entry.resource.type == "global":
            entry.resource.labels["project_id"] = PROJECT
        _set_labels(entry, {**request.labels, **given.labels})
        if entry.severity not in LogSeverity.values():
            raise invalid(f"Invalid severity: {entry.severity}")
        _set_times(entry)
        entry.insert_id = entry.insert_id or secrets.token_hex(8)
        if (size := entry.ByteSize()) > _ENTRY:
            kib = size / 1024
            raise invalid(f"Log entry with size {kib:.1f}K exceeds maximum size of 256.0K")
        if self._rejects(_text_of(entry)):
            raise invalid("A fault was planted.")
        return entry


def _checked_name(name: str) -> str:
    found = _LOG_NAME.fullmatch(name)
    if found is None or not _LOG_ID.fullmatch(unquote(found[2])):
        raise invalid(f"Log name '{name}' is not a valid log name.")
    if found[1] != PROJECT:
        raise Refused(
            grpc.StatusCode.PERMISSION_DENIED,
            "Permission 'logging.logEntries.create' denied on resource (or it may not exist).",
        )
    return name.removeprefix("/")


def _set_labels(entry: Any, labels: Mapping[str, str]) -> None:
    """Labels that are too long are cut, and too many are not taken."""
    if len(labels) > _LABELS:
        raise invalid(f"Log entry has {len(labels)} labels, more than the maximum of {_LABELS}.")
    entry.labels.clear()
    for key, value in labels.items():
        entry.labels[_cut(key, _LABEL_KEY)] = _cut(value, _LABEL_VALUE)


def _cut(text: str, most: int) -> str:
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    return encoded[: most - 3].decode(errors="ignore") + "…"


def _set_times(entry: Any) -> None:
    if not (0 <= entry.timestamp.nanos < _NANOS and abs(entry.timestamp.seconds) <= _LAST_S):
        raise invalid("Log entry has a timestamp that is not valid.")
    entry.receive_timestamp.GetCurrentTime()
    if not entry.HasField("timestamp"):
        entry.timestamp.CopyFrom(entry.receive_timestamp)
    if entry.timestamp.seconds > entry.receive_timestamp.seconds + _DAY_S:
        raise invalid("Log entry has a timestamp that is more than 24 hours in the future.")


def _text_of(entry: Any) -> str:
    fields = entry.json_payload.fields
    if "message" in fields:  # asking for a field that is not there would make it
        return str(fields["message"].string_value)
    return str(entry.text_payload)


def _first(refused: Mapping[int, Refused]) -> Refused:
    return refused[min(refused)]


def _partly(refused: Mapping[int, Refused]) -> Refused:
    """Some were not written: the status is that of one of them, the details name all."""
    first = _first(refused)
    errors = WriteLogEntriesPartialErrors.pb(WriteLogEntriesPartialErrors())
    for place, refusal in refused.items():
        status = Status(code=refusal.code.value[0], message=refusal.text)
        errors.log_entry_errors[place].CopyFrom(status)
    return Refused(first.code, first.text, errors)
