"""What the clouds' own pages say that each call needs.

Nothing here is taken from what this package believes of its calls: these are the vendors' words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def _rows(call: str, permission: str, table: str) -> dict[str, frozenset[str]]:
    """A call in each line, and after the colon what it needs; with what all of them begin with."""
    rows = (line.split(": ") for line in table.strip().splitlines())
    return {
        call + name.strip(): frozenset(permission + one for one in needed.split())
        for name, needed in rows
    }


#: "Required permissions for Amazon S3 API operations",
#: docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html; with
#: ``?versionId`` of the version that is named.
_S3 = _rows(
    "s3:",
    "s3:",
    """
    AbortMultipartUpload: AbortMultipartUpload
    CompleteMultipartUpload: PutObject
    CreateBucket: CreateBucket
    CreateMultipartUpload: PutObject
    DeleteObject: DeleteObject
    DeleteObject?versionId: DeleteObjectVersion
    DeleteObjectTagging: DeleteObjectTagging
    GetBucketAcl: GetBucketAcl
    GetObject: GetObject
    GetObject?versionId: GetObjectVersion
    GetObjectTagging: GetObjectTagging
    GetObjectTagging?versionId: GetObjectVersionTagging
    HeadBucket: ListBucket
    HeadObject: GetObject
    HeadObject?versionId: GetObjectVersion
    ListBuckets: ListAllMyBuckets
    ListMultipartUploads: ListBucketMultipartUploads
    ListObjectsV2: ListBucket
    ListParts: ListMultipartUploadParts
    PutBucketTagging: PutBucketTagging
    PutObject: PutObject
    PutObjectTagging: PutObjectTagging
    PutObjectTagging?versionId: PutObjectVersionTagging
    UploadPart: PutObject
    """,
)
#: API_GetCallerIdentity.html: "No permissions are required to perform this operation".
_STS = {"sts:GetCallerIdentity": frozenset[str]()}
#: "Using server-side encryption with AWS KMS keys (SSE-KMS)",
#: docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html; API_HeadObject.html.
_KMS = _rows(
    "s3:",
    "kms:",
    """
    PutObject with a KMS key: GenerateDataKey
    UploadPart with a KMS key: GenerateDataKey Decrypt
    GetObject with a KMS key: Decrypt
    """,
)
#: "IAM permissions for JSON methods", cloud.google.com/storage/docs/access-control/iam-json. Who
#: can't tell whether an object is there needs what the page says of one that is overwritten.
_STORAGE = _rows(
    "storage.",
    "storage.",
    """
    buckets.get: buckets.get
    buckets.insert: buckets.create
    objects.compose: objects.create objects.get objects.delete
    objects.delete: objects.delete
    objects.get: objects.get
    objects.insert: objects.create objects.delete
    objects.list: objects.list
    objects.rewrite: objects.create objects.get objects.delete
    """,
)
#: "Required roles" of signing blobs,
#: cloud.google.com/iam/docs/create-short-lived-credentials-direct.
_SIGNING = {
    "iamcredentials.projects.serviceAccounts.signBlob": frozenset({"iam.serviceAccounts.signBlob"})
}
#: For who the caller is, any answer will do, a refusal too: nothing is needed for that.
_ANY_ANSWER = {"storage.buckets.list": frozenset[str]()}
#: "Permissions for calling data operations",
#: learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
_BLOBS = _rows(
    "",
    "Microsoft.Storage/storageAccounts/blobServices/",
    """
    Create Container: containers/write
    Delete Blob: containers/blobs/delete
    Get Account Information: getInfo/action
    Get Blob: containers/blobs/read
    Get Blob Properties: containers/blobs/read
    Get Blob Tags: containers/blobs/tags/read
    Get Block List: containers/blobs/read
    Get Container Properties: containers/read
    Get User Delegation Key: generateUserDelegationKey/action
    List Blobs: containers/blobs/read
    Put Blob: containers/blobs/write
    Put Block: containers/blobs/write
    Put Block List: containers/blobs/write
    Set Blob Tags: containers/blobs/tags/write
    """,
)
#: "Actions, resources, and condition keys for" Amazon CloudWatch and Amazon CloudWatch Logs, in the
#: Service Authorization Reference; of OTLP: CloudWatch-OTLPEndpoint.html.
_CLOUDWATCH = {
    **_rows("monitoring:", "cloudwatch:", "PutMetricData: PutMetricData"),
    **_rows("POST ", "cloudwatch:", "/v1/metrics: PutMetricData"),
    **_rows(
        "logs:",
        "logs:",
        """
        CreateLogGroup: CreateLogGroup
        CreateLogStream: CreateLogStream
        DescribeLogGroups: DescribeLogGroups
        FilterLogEvents: FilterLogEvents
        PutLogEvents: PutLogEvents
        """,
    ),
}
#: "API permissions", cloud.google.com/monitoring/access-control (a time series of a new type makes
#: the descriptor) and cloud.google.com/logging/docs/access-control.
_OPERATIONS = {
    **_rows(
        "google.monitoring.v3.MetricService/",
        "monitoring.",
        """
        CreateTimeSeries: timeSeries.create metricDescriptors.create
        ListTimeSeries: timeSeries.list
        """,
    ),
    **_rows("POST ", "monitoring.", "/v1/metrics: timeSeries.create metricDescriptors.create"),
    **_rows(
        "google.logging.v2.LoggingServiceV2/",
        "logging.",
        """
        ListLogEntries: logEntries.list
        WriteLogEntries: logEntries.create
        """,
    ),
}
#: "Azure permissions for Monitor", learn.microsoft.com/azure/role-based-access-control/permissions;
#: "Manage access to Log Analytics workspaces", learn.microsoft.com/azure/azure-monitor/logs:
#: query/read for queries, query/*/read for all tables.
_MONITOR = _rows(
    "POST ",
    "Microsoft.",
    """
    /v2.1/track: Insights/Telemetry/Write
    dataCollectionRules/{rule}/streams/{stream}: Insights/Telemetry/Write
    otlp/v1/metrics: Insights/Telemetry/Write
    workspaces/{workspace}/query: OperationalInsights/workspaces/query/read \
OperationalInsights/workspaces/query/*/read
    {resource}/metrics: Insights/Metrics/Write
    """,
)

#: Cloud → call → permissions.
STATED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "aws": {**_S3, **_STS, **_KMS, **_CLOUDWATCH},
    "gcp": {**_STORAGE, **_SIGNING, **_ANY_ANSWER, **_OPERATIONS},
    "azure": {**_BLOBS, **_MONITOR},
}
