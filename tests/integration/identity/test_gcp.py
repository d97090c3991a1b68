"""What the Google Cloud hook makes of a local server's answers beyond the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from airflow_multicloud import api
from airflow_multicloud.adapters.permissions import MOST_HALVINGS
from airflow_multicloud.clouds.gcp.identity import GCPIdentityHook
from airflow_multicloud.core.preflight.report import OnUnknown
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, TokenScope
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

CONN = "gcp_identity_local"
PROJECT = "//cloudresourcemanager.googleapis.com/projects/local"
BUCKET = "//storage.googleapis.com/projects/_/buckets/lab"
SCOPE = TokenScope(
    actions=("storage.objects.get",), resources=(BUCKET,), valid_for=timedelta(hours=2)
)


@pytest.fixture
def admin(local_gcp_permissions: LocalServer) -> Iterator[Admin]:
    admin = Admin(local_gcp_permissions.endpoint)
    admin.reset()
    yield admin
    admin.reset()


def asked_paths(admin: Admin) -> list[str]:
    return [one["path"] for one in admin.requests() if "estPermissions" in one["path"]] + [
        one["path"] for one in admin.requests() if one["path"].endswith(":testIamPermissions")
    ]


@pytest.mark.parametrize(
    ("resource", "permission", "path"),
    [
        (PROJECT, "compute.instances.create", "/v3/projects/local:testIamPermissions"),
        (
            "//cloudresourcemanager.googleapis.com/folders/1",
            "compute.instances.create",
            "/v3/folders/1:testIamPermissions",
        ),
        (BUCKET, "storage.objects.get", "/storage/v1/b/lab/iam/testPermissions"),
        (
            "//secretmanager.googleapis.com/projects/local/secrets/s/versions/latest",
            "secretmanager.versions.access",
            "/v1/projects/local/secrets/s:testIamPermissions",
        ),
        (
            "//iam.googleapis.com/projects/local/serviceAccounts/a@b.iam.gserviceaccount.com",
            "iam.serviceAccounts.actAs",
            "/v1/projects/local/serviceAccounts/a@b.iam.gserviceaccount.com:testIamPermissions",
        ),
        (
            "//cloudsql.googleapis.com/projects/local/instances/db",
            "cloudsql.instances.get",
            "/v3/projects/local:testIamPermissions",
        ),
    ],
)
def test_each_resource_is_asked_itself_or_its_project(
    admin: Admin, resource: str, permission: str, path: str
) -> None:
    admin.seed("identity", [{"resource": "*", "grants": ["*"]}])
    (check,) = GCPIdentityHook(CONN).check_permissions([permission], resource)
    assert check.decision is Decision.ALLOW, check.reason
    assert asked_paths(admin) == [path]


@pytest.mark.parametrize(
    "resource",
    [
        f"{BUCKET}/objects/key",
        "//compute.googleapis.com/projects/local/zones/z/instances/i",
    ],
)
def test_what_only_the_resource_could_grant_is_unknown(admin: Admin, resource: str) -> None:
    """It was asked of what it lies in, which is not sure to know."""
    admin.seed(
        "identity",
        [
            {"resource": where, "denies": ["storage.objects.get"]}
            for where in ("projects/local", "projects/_/buckets/lab")
        ],
    )
    (check,) = GCPIdentityHook(CONN).check_permissions(["storage.objects.get"], resource)
    assert check.decision is Decision.UNKNOWN
    assert "not seen there" in check.reason


@pytest.mark.parametrize("name", ["a key with blanks", "two\nlines", "prefix/ *"])
def test_names_of_objects_may_have_blanks(admin: Admin, name: str) -> None:
    del admin
    (check,) = GCPIdentityHook(CONN).check_permissions(
        ["storage.objects.get"], f"{BUCKET}/objects/{name}"
    )
    assert check.decision is Decision.ALLOW


def test_storage_does_not_tell_of_all_permissions(admin: Admin) -> None:
    admin.seed(
        "identity",
        [{"resource": "projects/_/buckets/lab", "denies": ["storage.multipartUploads.*"]}],
    )
    (check,) = GCPIdentityHook(CONN).check_permissions(["storage.multipartUploads.create"], BUCKET)
    assert check.decision is Decision.UNKNOWN
    assert "does not tell" in check.reason


def test_a_bucket_that_is_not_there_is_unknown(admin: Admin) -> None:
    admin.seed("identity", [{"resource": "projects/_/buckets/lab", "absent": True}])
    (check,) = GCPIdentityHook(CONN).check_permissions(["storage.objects.get"], BUCKET)
    assert check.decision is Decision.UNKNOWN
    assert "does not exist" in check.reason


@pytest.mark.parametrize("resource", [BUCKET, f"{BUCKET}/objects/prefix/*"])
def test_of_a_bucket_that_is_to_be_made_its_project_is_asked(admin: Admin, resource: str) -> None:
    """Which may deny what the bucket will grant to whoever made it."""
    admin.seed(
        "identity",
        [
            {"resource": "projects/_/buckets/lab", "absent": True},
            {"resource": "projects/local", "denies": ["storage.objects.delete"]},
        ],
    )
    asked = ["storage.objects.get", "storage.objects.delete"]
    has, lacks = GCPIdentityHook(CONN).check_permissions(asked, resource, to_be_made=True)
    assert (has.decision, lacks.decision) == (Decision.ALLOW, Decision.UNKNOWN)
    assert has.asked == "cloudresourcemanager.projects.testIamPermissions"
    assert "is not there" in lacks.reason
    (other,) = GCPIdentityHook(CONN).check_permissions(asked[:1], resource)
    assert other.decision is Decision.UNKNOWN
    assert other.kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        (
            {"sync_secrets": {"source": CONN, "destinations": [CONN], "names": ["app/a"]}},
            "secretmanager.versions.add",
        ),
        (
            {"sync_secrets": {"source": CONN, "destinations": [CONN], "prefix": "app/"}},
            "secretmanager.versions.add",
        ),
        ({"teardown": {"deployment_id": "shop", "conn_ids": [CONN]}}, "compute.instances.delete"),
        ({"teardown": {"deployment_id": "shop", "conn_ids": [CONN]}}, "compute.disks.delete"),
    ],
)
def test_what_a_narrower_grant_may_allow_is_not_denied(
    admin: Admin, operation: dict[str, dict[str, object]], permission: str
) -> None:
    """A grant on the secret itself, or one with a condition on names, is not the project's."""
    admin.seed("identity", [{"resource": "projects/local", "denies": [permission]}])
    report = api.run_preflight([operation], on_unknown="warn")
    (asked,) = (one for one in report.permissions if one.permission == permission)
    assert asked.decision is Decision.UNKNOWN
    assert "one with a condition on its name, is not seen there" in asked.reason
    assert report.passed
    assert not replace(report, on_unknown=OnUnknown.FAIL).passed
    granted = api.render_policy([operation], "gcp")
    assert not [one for one in granted if any("*" in where for where in one.granted_on)]
    (role,) = (one for one in granted if permission in one.document["includedPermissions"])
    assert role.granted_on == (PROJECT,)


def test_what_cannot_be_tested_costs_itself_and_few_requests(admin: Admin) -> None:
    good = [f"storage.objects.get{number}" for number in range(60)]
    asked = [*good[:20], "compute.instances.get", *good[20:], "pubsub.topics.get"]
    found = GCPIdentityHook(CONN).check_permissions(asked, BUCKET)
    unknown = [check.action for check in found if check.decision is Decision.UNKNOWN]
    assert unknown == ["compute.instances.get", "pubsub.topics.get"]
    assert [check.decision for check in found].count(Decision.ALLOW) == len(good)
    assert len(asked_paths(admin)) < 40


def test_the_requests_for_what_cannot_be_tested_are_bounded(admin: Admin) -> None:
    asked = [f"compute.instances.get{number}" for number in range(250)]
    found = GCPIdentityHook(CONN).check_permissions(asked, BUCKET)
    assert {check.decision for check in found} == {Decision.UNKNOWN}
    assert len(asked_paths(admin)) <= 2 * MOST_HALVINGS + 3


def test_an_endpoint_that_does_not_tell_is_not_what_is_not_there(admin: Admin) -> None:
    """As that of a stand-in for the store: a bare 404, with no reason of Google's."""
    admin.script("testIamPermissions", [{"status": 404, "body": {}}])
    (told,) = GCPIdentityHook(CONN).check_permissions(["compute.instances.get"], PROJECT)
    assert (told.decision, told.kind) == (Decision.UNKNOWN, ErrorKind.UNSUPPORTED)
    assert "does not tell" in told.reason


def test_an_outage_is_unknown(admin: Admin) -> None:
    refusal = {"status": 503, "body": {"error": {"code": 503, "message": "down"}}}
    admin.script("testIamPermissions", [refusal])
    asked = [f"compute.instances.get{number}" for number in range(150)]
    found = GCPIdentityHook(CONN).check_permissions(asked, PROJECT)
    assert {check.decision for check in found} == {Decision.UNKNOWN}
    assert "down" in found[0].reason
    assert len(asked_paths(admin)) == 1


def test_refused_credentials_are_an_error(
    monkeypatch: pytest.MonkeyPatch, local_gcp_permissions: LocalServer
) -> None:
    given: Any = local_gcp_permissions.spec.connections[CONN]
    extra = {name: value for name, value in given["extra"].items() if name != "keyfile_dict"}
    anonymous = {**given, "extra": {**extra, "is_anonymous": True, "project": "local"}}
    monkeypatch.setenv("AIRFLOW_CONN_CHANGED", json.dumps(anonymous))
    hook = GCPIdentityHook("changed")
    with pytest.raises(CredentialsError) as caught:
        hook.check_permissions(["compute.instances.get"], PROJECT)
    assert caught.value.kind is ErrorKind.UNAUTHENTICATED
    with pytest.raises(CredentialsError, match="no token to narrow") as caught:
        hook.scoped_token(SCOPE)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"actions": ("storage.objects.delete",)}, "storage.objects.delete"),
        ({"actions": ("storage.objects.get", "storage.buckets.get")}, "storage.buckets.get"),
        ({"resources": (PROJECT,)}, "resources"),
        ({"resources": (BUCKET,) * 11}, "at most 10"),
        (
            {"actions": ("storage.objects.list",), "resources": (f"{BUCKET}/objects/a*",)},
            "whole bucket",
        ),
        ({"valid_for": timedelta(minutes=59)}, "valid_for"),
    ],
)
def test_what_cannot_be_narrowed_is_refused_here(
    admin: Admin, change: dict[str, Any], named: str
) -> None:
    with pytest.raises(CredentialsError, match=named) as caught:
        GCPIdentityHook(CONN).scoped_token(replace(SCOPE, **change))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert admin.requests() == []


@pytest.mark.parametrize("name", ["key", "prefix/*", "it's a \\ key"])
def test_a_token_for_objects_has_a_condition_on_their_names(admin: Admin, name: str) -> None:
    """Which the bucket as a whole does not fulfil."""
    del admin
    resource = f"{BUCKET}/objects/{name}"
    if "'" in name:
        # The local server knows no escapes, and says so.
        with pytest.raises(CredentialsError, match="is not known"):
            GCPIdentityHook(CONN).scoped_token(replace(SCOPE, resources=(resource,)))
        return
    token = GCPIdentityHook(CONN).scoped_token(replace(SCOPE, resources=(resource,)))
    assert token.credentials["token"]


def test_a_token_is_refused_where_it_was_not_given(local_gcp_permissions: LocalServer) -> None:
    extra: Any = local_gcp_permissions.spec.connections[CONN]["extra"]
    with requests.get(
        f"{extra['gcs.endpoint']}/storage/v1/b/lab/iam/testPermissions",
        params={"permissions": "storage.objects.get"},
        headers={"Authorization": "Bearer made-up"},
        timeout=10,
    ) as answer:
        assert answer.status_code == requests.codes.unauthorized


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"},
        {"grant_type": "password"},
        {"unknown": "field"},
    ],
)
def test_sts_refuses_what_its_document_does(
    local_gcp_permissions: LocalServer, form: dict[str, str]
) -> None:
    extra: Any = local_gcp_permissions.spec.connections[CONN]["extra"]
    with requests.post(f"{extra['sts.endpoint']}/v1/token", data=form, timeout=10) as answer:
        assert answer.status_code == requests.codes.bad_request
        assert answer.json()["error"]
