"""Which requests the verbs of the store make of Cloud Storage, and what they need to be allowed.

"IAM permissions for JSON methods" (https://cloud.google.com/storage/docs/access-control/iam-json).
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.clouds.gcp.identity.facts import SIGNS_BY_IAM
from airflow_multicloud.ports.calls import ApiCall, CallTable

_BUCKET, _PROJECT, _SIGNER = "bucket", "project", "signer"


def _call(method: str, *permissions: str, resource: str = _BUCKET, without: str = "") -> ApiCall:
    return ApiCall(
        call=f"storage.{method}",
        permissions=tuple(f"storage.{name}" for name in permissions),
        resource=resource,
        without=without,
    )


_GET = _call("objects.get", "objects.get")
_LIST = _call("objects.list", "objects.list")
_DELETE = _call("objects.delete", "objects.delete")
# Whatever may replace an object deletes one, by Google's count.
_INSERT = _call("objects.insert", "objects.create", "objects.delete")


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    if kind == _PROJECT:
        return f"//cloudresourcemanager.googleapis.com/projects/{facts['project']}"
    if kind == _SIGNER:
        return f"//iam.googleapis.com/projects/-/serviceAccounts/{facts[SIGNS_BY_IAM]}"
    return f"//storage.googleapis.com/projects/_/buckets/{facts['bucket']}"


TABLE = CallTable(
    {
        "stat_bucket": (
            _call("buckets.get", "buckets.get", without="a bucket's location is not known"),
        ),
        "list_objects": (_LIST,),
        "stat_object": (_GET,),
        "stat_object:version": (_GET,),
        "get_object": (_GET,),
        "get_object:version": (_GET,),
        "put_object": (_INSERT,),
        "delete_object": (_DELETE,),
        "delete_object:changed": (_DELETE,),
        # https://cloud.google.com/iam/docs/reference/credentials/rest; a key signs by itself.
        "sign_url": (
            ApiCall(
                call="iamcredentials.projects.serviceAccounts.signBlob",
                permissions=("iam.serviceAccounts.signBlob",),
                resource=_SIGNER,
                when=SIGNS_BY_IAM,
            ),
        ),
        # Parts are objects of their own, composed and then rewritten under the key.
        "upload_parts": (
            _INSERT,
            _LIST,
            _call("objects.compose", "objects.create", "objects.get", "objects.delete"),
            _call("objects.rewrite", "objects.create", "objects.get", "objects.delete"),
            _DELETE,
        ),
        "upload_parts:version": (),
        "late_metadata": (),
        "late_metadata:version": (),
        "list_uploads": (_LIST,),
        "abort_upload": (_LIST, _DELETE),
        "get_tags": (),
        "get_tags:version": (),
        "set_tags": (),
        "ensure_bucket": (_call("buckets.insert", "buckets.create", resource=_PROJECT),),
    },
    _resource,
)
