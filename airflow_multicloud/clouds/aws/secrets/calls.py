"""The requests that each verb makes to Secrets Manager, and the permissions that these need.

"Actions, resources, and condition keys for AWS Secrets Manager" in the Service Authorization
Reference. A secret's ARN ends with a hyphen and six characters that nobody knows beforehand: "IAM
policy examples for AWS Secrets Manager" has question marks for them. A secret that has a KMS key of
its own needs ``kms:Decrypt`` and ``kms:GenerateDataKey`` for that key besides.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.clouds.aws.identity.calls import WHO_AM_I
from airflow_multicloud.clouds.aws.secrets.naming import NAMES, literal_beginning
from airflow_multicloud.ports.calls import ApiCall, CallTable

_SECRET, _ANY = "secret", "any"


def _call(name: str, *more: str, resource: str = _SECRET, without: str = "") -> ApiCall:
    """A call whose permission has its name.

    :param more: others that it needs.
    """
    return ApiCall(
        call=f"secretsmanager:{name}",
        permissions=tuple(f"secretsmanager:{one}" for one in (name, *more)),
        resource=resource,
        without=without,
    )


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    if kind != _SECRET:
        return "*"
    names = (
        f"{NAMES.encode(facts['secret'])}-??????"
        if "secret" in facts
        else f"{literal_beginning(facts['secrets'])}*"
    )
    return "arn:{partition}:secretsmanager:{region}:{account}:secret:".format_map(facts) + names


_DESCRIBE, _VERSIONS = _call("DescribeSecret"), _call("ListSecretVersionIds")
_TAG, _RESTORE = _call("TagResource"), _call("RestoreSecret")

TABLE = CallTable(
    {
        "describe_store": (WHO_AM_I,),
        "find_secrets": (_call("ListSecrets", resource=_ANY),),
        "describe_secret": (_DESCRIBE, _VERSIONS),
        "list_secret_versions": (_VERSIONS,),
        "read_secret": (_call("GetSecretValue"),),
        # With its tags, in the same step.
        "write_secret": (
            _call("CreateSecret", "TagResource"),
            _DESCRIBE,
            _call("PutSecretValue"),
            _call("UpdateSecretVersionStage"),
            _TAG,
            _VERSIONS,
        ),
        # A synchronisation takes no tag away.
        "tag_secret": (_DESCRIBE, _TAG),
        # Restored is what somebody has written to at the same time.
        "remove_secret": (_DESCRIBE, _VERSIONS, _call("DeleteSecret"), _RESTORE),
        "recover_secret": (_DESCRIBE, _VERSIONS, _RESTORE),
    },
    _resource,
)
