"""Which requests the verbs of the store make of S3, and what they need to be allowed.

"Actions, resources, and condition keys for Amazon S3" in the Service Authorization Reference, and
"Required permissions for Amazon S3 API operations"
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow_multicloud.clouds.aws.identity.arns import escaped
from airflow_multicloud.clouds.aws.object_store.upload_records import UPLOADS_PREFIX
from airflow_multicloud.ports.calls import ApiCall, CallTable

_BUCKET, _OBJECTS, _RECORDS = "bucket", "objects", "records of uploads"
_KEY = "encryption_key"
_ALIAS = re.compile(r"(?:^|:)alias/")


def _call(name: str, permission: str, resource: str = _OBJECTS, without: str = "") -> ApiCall:
    return ApiCall(
        call=f"s3:{name}", permissions=(f"s3:{permission}",), resource=resource, without=without
    )


def _by_key(name: str, *actions: str) -> ApiCall:
    """What S3 does with a destination's key, in the caller's name, when a request is made."""
    return ApiCall(
        call=f"s3:{name} with a KMS key",
        permissions=tuple(f"kms:{action}" for action in actions),
        resource=_KEY,
        when=_KEY,
    )


#: Who must own a bucket is looked up before its first use: see ``terms``.
_OWNER = _call(
    "GetBucketAcl", "GetBucketAcl", _BUCKET, without="a change of a bucket's owner goes unnoticed"
)
_HEAD = _call("HeadObject", "GetObject")
#: docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html: GenerateDataKey to upload,
#: Decrypt to download, and both for an upload in parts. API_HeadObject.html: Decrypt for checksums,
#: which are asked for.
_DECRYPT = _by_key("GetObject", "Decrypt")
#: Also what explains an empty refusal of ``HeadBucket``.
_LIST = _call("ListObjectsV2", "ListBucket", _BUCKET)
#: A bucket's region is looked up before its first use by obstore.
_REGION = _call("HeadBucket", "ListBucket", _BUCKET)
_UNDER_WAY = _call("ListMultipartUploads", "ListBucketMultipartUploads", _BUCKET)


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    if kind == _KEY:
        return _key(facts[_KEY], facts)
    bucket = facts["bucket"]
    key = f"{escaped(facts['prefix'])}*" if "prefix" in facts else escaped(facts["key"])
    access_point = bucket.startswith("arn:")
    arn = bucket if access_point else f"arn:{facts['partition']}:s3:::{bucket}"
    if kind == _BUCKET:
        return arn
    below = f"{UPLOADS_PREFIX}*" if kind == _RECORDS else key
    # docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
    return f"{arn}/object/{below}" if access_point else f"{arn}/{below}"


def _key(named: str, facts: Mapping[str, str]) -> str:
    """The ARN of a key, which may be named by its id. Policies can't name one by an alias."""
    if _ALIAS.search(named):
        named = f"{{the key of {named}}}"
    elif named.startswith("arn:"):
        return named
    return "arn:{partition}:kms:{region}:{account}:key/".format_map(facts) + named


TABLE = CallTable(
    {
        "stat_bucket": (_OWNER, _call("HeadBucket", "ListBucket", _BUCKET)),
        "list_objects": (_OWNER, _LIST),
        "stat_object": (_OWNER, _HEAD, _DECRYPT),
        "stat_object:version": (_OWNER, _call("HeadObject?versionId", "GetObjectVersion")),
        "get_object": (_OWNER, _REGION, _call("GetObject", "GetObject"), _DECRYPT),
        "get_object:version": (_OWNER, _REGION, _call("GetObject?versionId", "GetObjectVersion")),
        "put_object": (
            _OWNER,
            _REGION,
            _call("PutObject", "PutObject"),
            _by_key("PutObject", "GenerateDataKey"),
        ),
        "delete_object": (_OWNER, _HEAD, _call("DeleteObject", "DeleteObject")),
        "delete_object:changed": (
            _OWNER,
            _HEAD,
            _call(
                *("DeleteObject", "DeleteObject"),
                without="a copy of an artifact that has become another stays",
            ),
        ),
        # Signed here; who reads by the URL may what its signer may.
        "sign_url": (),
        "upload_parts": (
            _OWNER,
            _HEAD,
            _call("CreateMultipartUpload", "PutObject"),
            _call("UploadPart", "PutObject"),
            _call("ListParts", "ListMultipartUploadParts"),
            _call("CompleteMultipartUpload", "PutObject"),
            _by_key("UploadPart", "GenerateDataKey", "Decrypt"),
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
