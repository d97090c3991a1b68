"""Which requests the verbs of the store make of S3, and what they need to be allowed.

"Actions, resources, and condition keys for Amazon S3" in the Service Authorization Reference, and
"Required permissions for Amazon S3 API operations"
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.clouds.aws.object_store.upload_records import UPLOADS_PREFIX
from airflow_multicloud.ports.calls import ApiCall, CallTable

_BUCKET, _OBJECTS, _RECORDS = "bucket", "objects", "records of uploads"


def _call(name: str, permission: str, resource: str = _OBJECTS, without: str = "") -> ApiCall:
    return ApiCall(
        call=f"s3:{name}", permissions=(f"s3:{permission}",), resource=resource, without=without
    )


#: Who must own a bucket is looked up before its first use: see ``terms``.
_OWNER = _call(
    "GetBucketAcl", "GetBucketAcl", _BUCKET, without="a change of a bucket's owner goes unnoticed"
)
_HEAD = _call("HeadObject", "GetObject")
#: Also what explains an empty refusal of ``HeadBucket``.
_LIST = _call("ListObjectsV2", "ListBucket", _BUCKET)
_UNDER_WAY = _call("ListMultipartUploads", "ListBucketMultipartUploads", _BUCKET)


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    bucket, key = facts["bucket"], facts["key"]
    access_point = bucket.startswith("arn:")
    arn = bucket if access_point else f"arn:{facts['partition']}:s3:::{bucket}"
    if kind == _BUCKET:
        return arn
    below = f"{UPLOADS_PREFIX}*" if kind == _RECORDS else key
    # docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
    return f"{arn}/object/{below}" if access_point else f"{arn}/{below}"


TABLE = CallTable(
    {
        "stat_bucket": (_OWNER, _call("HeadBucket", "ListBucket", _BUCKET)),
        "list_objects": (_OWNER, _LIST),
        "stat_object": (_OWNER, _HEAD),
        "stat_object:version": (_OWNER, _call("HeadObject?versionId", "GetObjectVersion")),
        "get_object": (_OWNER, _call("GetObject", "GetObject")),
        "get_object:version": (_OWNER, _call("GetObject?versionId", "GetObjectVersion")),
        # A bucket's region is looked up before its first use by obstore.
        "put_object": (
            _OWNER,
            _call("HeadBucket", "ListBucket", _BUCKET),
            _call("PutObject", "PutObject"),
        ),
        "delete_object": (_OWNER, _HEAD, _call("DeleteObject", "DeleteObject")),
        "upload_parts": (
            _OWNER,
            _HEAD,
            _call("CreateMultipartUpload", "PutObject"),
            _call("UploadPart", "PutObject"),
            _call("ListParts", "ListMultipartUploadParts"),
            _call("CompleteMultipartUpload", "PutObject"),
            _call("PutObject", "PutObject", _RECORDS),
            _call("DeleteObject", "DeleteObject", _RECORDS),
        ),
        "upload_parts:version": (_call("HeadObject?versionId", "GetObjectVersion"),),
        "late_metadata": (
            _call("GetObjectTagging", "GetObjectTagging"),
            _call("PutObjectTagging", "PutObjectTagging"),
        ),
        "late_metadata:version": (
            _call("GetObjectTagging?versionId", "GetObjectVersionTagging"),
            _call("PutObjectTagging?versionId", "PutObjectVersionTagging"),
        ),
        "list_uploads": (_OWNER, _UNDER_WAY, _LIST),
        "abort_upload": (
            _call("AbortMultipartUpload", "AbortMultipartUpload"),
            _LIST,
            _call("DeleteObject", "DeleteObject", _RECORDS),
        ),
        "get_tags": (_OWNER, _call("GetObjectTagging", "GetObjectTagging")),
        "get_tags:version": (
            _OWNER,
            _call("GetObjectTagging?versionId", "GetObjectVersionTagging"),
        ),
        "set_tags": (
            _call("GetObjectTagging", "GetObjectTagging"),
            _call("PutObjectTagging", "PutObjectTagging"),
        ),
        "ensure_bucket": (
            _call("CreateBucket", "CreateBucket", _BUCKET),
            _call(
                *("PutBucketTagging", "PutBucketTagging", _BUCKET),
                without="the bucket is not labelled with its DAG for the bill",
            ),
        ),
    },
    _resource,
)
