"""Which requests the verbs of the store make of Blob Storage, and what they need to be allowed.

"Permissions for calling data operations"
(https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.clouds.azure.identity.facts import BY_TOKEN
from airflow_multicloud.ports.calls import ApiCall, CallTable

_SERVICE = "Microsoft.Storage/storageAccounts/blobServices"
_CONTAINERS = f"{_SERVICE}/containers"
_CONTAINER, _ACCOUNT = "container", "account"


def _call(name: str, permission: str, without: str = "") -> ApiCall:
    return ApiCall(
        call=name,
        permissions=(f"{_CONTAINERS}/{permission}",),
        resource=_CONTAINER,
        without=without,
    )


_READ, _WRITE, _DELETE = "blobs/read", "blobs/write", "blobs/delete"
_GET = (_call("Get Blob", _READ),)
_PROPERTIES = (_call("Get Blob Properties", _READ),)
_LIST = _call("List Blobs", _READ)
_BLOCKS = _call("Get Block List", _READ)
_GET_TAGS = _call("Get Blob Tags", "blobs/tags/read")
_SET_TAGS = _call("Set Blob Tags", "blobs/tags/write")


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    account = (
        f"/subscriptions/{facts['subscription']}/resourceGroups/{facts['resource_group']}"
        f"/providers/Microsoft.Storage/storageAccounts/{facts['storage_account']}"
    )
    if kind == _ACCOUNT:
        return account
    return f"{account}/blobServices/default/containers/{facts['bucket']}"


TABLE = CallTable(
    {
        "stat_bucket": (_call("Get Container Properties", "read"),),
        "list_objects": (_LIST,),
        "stat_object": _PROPERTIES,
        "stat_object:version": _PROPERTIES,
        "get_object": _GET,
        "get_object:version": _GET,
        "put_object": (_call("Put Blob", _WRITE),),
        "delete_object": (_call("Delete Blob", _DELETE),),
        "delete_object:changed": (
            _call(
                *("Delete Blob", _DELETE),
                without="a copy of an artifact that has become another stays",
            ),
        ),
        # An account's key signs by itself.
        "sign_url": (
            ApiCall(
                call="Get User Delegation Key",
                permissions=(f"{_SERVICE}/generateUserDelegationKey/action",),
                resource=_ACCOUNT,
                when=BY_TOKEN,
            ),
        ),
        "upload_parts": (
            *_PROPERTIES,
            _call("Put Block", _WRITE),
            _call("Put Block List", _WRITE),
            _BLOCKS,
            _call(
                "Delete Blob",
                _DELETE,
                without="no large object takes an append or page blob's place",
            ),
        ),
        "upload_parts:version": (),
        "late_metadata": (),
        "late_metadata:version": (),
        "list_uploads": (_LIST, _BLOCKS),
        # Blocks that are not committed expire by themselves.
        "abort_upload": (),
        "get_tags": (_GET_TAGS,),
        "get_tags:version": (_GET_TAGS,),
        "set_tags": (_GET_TAGS, _SET_TAGS),
        "ensure_bucket": (_call("Create Container", "write"),),
    },
    _resource,
)
