"""Which actions the verbs of the store take, as the memory cloud's identity knows them."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable

_VERBS = (
    *("stat_bucket", "list_objects", "stat_object", "get_object", "put_object", "delete_object"),
    *("upload_parts", "late_metadata", "list_uploads", "abort_upload", "get_tags", "set_tags"),
    "ensure_bucket",
)
_OF_VERSIONS = (
    *("stat_object", "get_object", "upload_parts"),
    *("late_metadata", "get_tags", "set_tags"),
)


def _calls(verb: str) -> tuple[ApiCall, ...]:
    action = f"object_store.{verb}"
    return (ApiCall(call=f"memory.{verb}", permissions=(action,), resource="bucket"),)


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    return f"//memory/object_store/{facts[kind]}"


TABLE = CallTable(
    {
        **{verb: _calls(verb) for verb in _VERBS},
        **{f"{verb}:version": _calls(verb) for verb in _OF_VERSIONS},
        "delete_object:changed": _calls("delete_object"),
        # Signed here: no request.
        "sign_url": (),
    },
    _resource,
)
