"""What entries say that other writers wrote: structured ones, audit logs, requests.

https://cloud.google.com/logging/docs/structured-logging: the field ``message`` is shown as an
entry's text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

# For what they register: without it, no protoPayload can be read.
import google.cloud.appengine_logging
import google.cloud.audit.audit_log_pb2  # noqa: F401
from google.protobuf.json_format import Error as JsonError
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

_NONE: Mapping[str, str] = MappingProxyType({})


def message_and_fields(record: Any) -> tuple[str, Mapping[str, str]]:
    """The text of an entry, and what stands beside the text in its payload.

    A payload without a text of its own is shown as JSON, whole.

    :param record: Google's message.
    """
    kind = record.WhichOneof("payload")
    if kind == "text_payload":
        return record.text_payload, _NONE
    if kind is None:
        return _request_of(record), _NONE
    payload = _read(getattr(record, kind))
    if kind == "json_payload" and isinstance(message := payload.get("message"), str):
        return message, {name: _text(value) for name, value in payload.items() if name != "message"}
    return _text(payload), _NONE


def _read(payload: Any) -> Mapping[str, Any]:
    """A payload's fields; its type and size where they can't be told."""
    try:
        found: Mapping[str, Any] = MessageToDict(payload)
    except (JsonError, DecodeError, TypeError, ValueError, RecursionError):
        # A type that is not known here, bytes that are none of it, no number of JSON, or a message
        # in a message without end.
        return {"@type": getattr(payload, "type_url", ""), "bytes": payload.ByteSize()}
    return found


def _request_of(record: Any) -> str:
    """A load balancer's entry has nothing but the request that it is about."""
    request = record.http_request
    parts = (request.request_method, request.request_url, request.status or "")
    return " ".join(str(part) for part in parts if part)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(_whole(value), ensure_ascii=False, sort_keys=True)


def _whole(value: Any) -> Any:
    """Numbers as they were written: a structured payload has none but floating point ones."""
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
