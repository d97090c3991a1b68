"""The requests that each verb makes to Secret Manager, and the permissions that these need.

"Secret Manager API permissions" (https://cloud.google.com/secret-manager/docs/access-control).
The permissions to list and to create secrets are granted on the project. A copy may not be there
yet, so that of copies only a pattern is named: the project is asked, and what it does not grant a
grant on the secret, or one with a condition on its name, still may.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.clouds.gcp.secrets.naming import NAMES
from airflow_multicloud.ports.calls import ApiCall, CallTable

_SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"
_SECRET, _PROJECT = "secret", "project"


def _call(name: str, permission: str, resource: str = _SECRET) -> ApiCall:
    return ApiCall(
        call=f"{_SERVICE}/{name}", permissions=(f"secretmanager.{permission}",), resource=resource
    )


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    project = facts["project"]
    if kind == _PROJECT:
        return f"//cloudresourcemanager.googleapis.com/projects/{project}"
    named = "secret" in facts and "copy" not in facts
    name = NAMES.encode(facts["secret"]) if named else "*"
    return f"//secretmanager.googleapis.com/projects/{project}/secrets/{name}"


#: "The caller must have resourcemanager.projects.get permission for this project":
#: https://cloud.google.com/resource-manager/reference/rest/v3/projects/get
_STORE = ApiCall(
    call="cloudresourcemanager.projects.get",
    permissions=("resourcemanager.projects.get",),
    resource=_PROJECT,
)
_LIST = _call("ListSecrets", "secrets.list", _PROJECT)
_GET, _VERSION = _call("GetSecret", "secrets.get"), _call("GetSecretVersion", "versions.get")
_VERSIONS = _call("ListSecretVersions", "versions.list")
_UPDATE = _call("UpdateSecret", "secrets.update")
_ACCESS = _call("AccessSecretVersion", "versions.access")

TABLE = CallTable(
    {
        "describe_store": (_STORE,),
        # The version, of those that a removal is noted of.
        "find_secrets": (_LIST, _VERSION),
        "describe_secret": (_GET, _VERSION),
        "list_secret_versions": (_GET, _VERSIONS),
        "read_secret": (_ACCESS, _GET, _VERSION),
        # What was written before with the same token is read.
        "write_secret": (
            _GET,
            _VERSION,
            _call("CreateSecret", "secrets.create", _PROJECT),
            _UPDATE,
            _call("AddSecretVersion", "versions.add"),
            _ACCESS,
        ),
        "tag_secret": (_GET, _VERSION, _UPDATE),
        "remove_secret": (
            _GET,
            _VERSION,
            _VERSIONS,
            _UPDATE,
            _call("DisableSecretVersion", "versions.disable"),
        ),
        "recover_secret": (
            _GET,
            _VERSION,
            _VERSIONS,
            _UPDATE,
            _call("EnableSecretVersion", "versions.enable"),
        ),
    },
    _resource,
)
