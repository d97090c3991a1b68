"""Policies and roles as they are rendered: no connection, no cloud."""

from __future__ import annotations

import json
from functools import partial

import pytest

from airflow_multicloud import api
from airflow_multicloud.errors import CloudError
from airflow_multicloud.testing.local_clouds.aws.identity.policies import Layer

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"


def rendered(cloud, **operations):
    return api.render_policy([{name: given} for name, given in operations.items()], cloud)


def replication(source, *destinations, **more):
    return {"source": source, "destinations": list(destinations), **more}


def test_a_policy_needs_no_connection():
    replicate = replication("s3://x@lake/", "abfs://y@copy/a/")
    (aws,) = rendered("aws", replicate=replicate)
    (azure,) = rendered("azure", replicate=replicate)
    objects = [one for one in aws.document["Statement"] if "s3:GetObject" in one["Action"]]
    assert objects[0]["Resource"] == ["arn:aws:s3:::lake/*"]
    assert azure.document["AssignableScopes"] == [
        "/subscriptions/{subscription}/resourceGroups/{resource_group}"
    ]
    with pytest.raises(CloudError, match="the operations need nothing of Google Cloud"):
        rendered("gcp", replicate=replicate)


def test_each_connection_has_its_own():
    """Whoever reads the source is not allowed to write the copy."""
    reader, writer = rendered(
        "aws", replicate=replication("s3://reader@lake/a/", "s3://writer@copy/b/")
    )
    assert (reader.conn_id, writer.conn_id) == ("reader", "writer")
    assert "s3:PutObject" not in json.dumps(reader.document)
    assert "copy" not in json.dumps(reader.document)
    assert "lake" not in json.dumps(writer.document)


@pytest.mark.parametrize(
    ("cloud", "scheme", "delete"),
    [("gcp", "gs", "storage.objects.delete"), ("azure", "abfs", f"{_CONTAINERS}/blobs/delete")],
)
def test_a_source_is_not_deleted_from_by_the_copys_role(cloud, scheme, delete):
    told = replication(f"{scheme}://x@lake/a/", f"{scheme}://x@copy/b/", delete_extraneous=True)
    copy, source = rendered(cloud, replicate=told)
    assert delete not in json.dumps(source.document)
    assert delete in json.dumps(copy.document)
    assert [one.rpartition("/")[2] for one in source.granted_on] == ["lake"]
    assert [one.rpartition("/")[2] for one in copy.granted_on] == ["copy"]
    titles = {one.document.get("title", one.document.get("Name")) for one in (source, copy)}
    assert titles == {"airflow-multicloud x", "airflow-multicloud x 2"}


def test_alike_resources_share_a_role_however_many():
    """Descriptions have at most 256 bytes on Google Cloud, titles 100."""
    places = [f"gs://{'c' * 150}@bucket-number-{number}/b/" for number in range(40)]
    (role,) = rendered("gcp", replicate=replication("s3://x@lake/", *places))
    assert len(role.granted_on) == len(places)
    assert len(role.document["description"]) <= 256
    assert len(role.document["title"]) <= 100


def test_what_azures_connections_do_not_name_is_assignable_in_a_subscription():
    """A definition without a scope is refused."""
    (role,) = rendered("azure", ship_logs={"destinations": ["az"], "log_name": "etl"})
    assert role.granted_on == ("{data_collection_rule}",)
    assert role.document["AssignableScopes"] == ["/subscriptions/{subscription}"]


@pytest.fixture(autouse=True)
def _connection(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_AZ", '{"conn_type": "azure"}')
    monkeypatch.setenv("AIRFLOW_CONN_AWS", '{"conn_type": "aws"}')


def test_characters_of_keys_stand_for_themselves():
    """Or a policy for one prefix would be one for others, or for each user's own."""
    (policy,) = rendered("aws", verify={"replica": "s3://x@lake/what*/${aws:username}/?x/"})
    below = next(
        resource
        for one in policy.document["Statement"]
        if "s3:GetObject" in one["Action"]
        for resource in one["Resource"]
        if "what" in resource
    )
    assert below == "arn:aws:s3:::lake/what${*}/${$}{aws:username}/${?}x/*"
    (policy,) = rendered(
        "aws", replicate=replication("s3://x@lake/all*", "gs://g@copy/", versioned=False)
    )
    (verified,) = (one for one in policy.document["Statement"] if "s3:GetObject" in one["Action"])
    assert verified["Resource"] == ["arn:aws:s3:::lake/all${*}"]


KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"


@pytest.mark.parametrize(
    ("named", "resource"),
    [
        (KEY, KEY),
        ("1234", "arn:aws:kms:*:{account}:key/1234"),
        ("alias/lake", "arn:aws:kms:*:{account}:key/{the key of alias/lake}"),
    ],
)
@pytest.mark.parametrize("form", [dict, api.Destination])
def test_a_destinations_key_is_used_in_the_callers_name(named, resource, form):
    destination = form(uri="s3://x@copy/b/", encryption_key=named)
    (policy,) = rendered("aws", replicate=replication("gs://g@lake/", destination))
    (found,) = [one for one in policy.document["Statement"] if one["Resource"] == [resource]]
    assert found["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    (policy,) = rendered("aws", replicate=replication("gs://g@lake/", "s3://x@copy/b/"))
    assert "kms" not in json.dumps(policy.document)


def test_only_the_destination_with_a_key_needs_it():
    told = replication(
        "s3://x@lake/", {"uri": "s3://y@copy/b/", "encryption_key": KEY}, "s3://z@other/b/"
    )
    policies = {one.conn_id: json.dumps(one.document) for one in rendered("aws", replicate=told)}
    assert [name for name, text in policies.items() if "kms" in text] == ["y"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"uri": "s3://x@copy/", "nonsense": 1},
            r"destinations\[0\]: nonsense given, expected uri, storage_class, encryption_key",
        ),
        ({"encryption_key": KEY}, r"destinations\[0\]: NoneType given, expected a URI"),
        (
            {"uri": "s3://x@copy/", "encryption_key": 1},
            r"destinations\[0\]: int given, expected an encryption key",
        ),
        (7, r"destinations\[0\]: int given, expected a URI"),
    ],
)
def test_a_destination_of_anything_else_is_refused(given, said):
    with pytest.raises(CloudError, match=said):
        rendered("aws", replicate=replication("gs://g@lake/", given))


def test_what_a_vault_holds_is_allowed_as_data(monkeypatch):
    """An action of the resource manager would not let anybody read or write a secret."""
    for name in ("AIRFLOW_CONN_A", "AIRFLOW_CONN_B"):
        monkeypatch.setenv(name, '{"conn_type": "azure"}')
    roles = rendered("azure", sync_secrets={"source": "a", "destinations": ["b"], "names": ["n"]})
    assert {one.conn_id for one in roles} == {"a", "b"}
    for role in roles:
        assert role.document["Actions"] == []
        assert any("vaults/secrets/" in name for name in role.document["DataActions"])


_EC2 = "arn:aws:ec2:eu-west-1:{account}"
_MADE = [f"{_EC2}:{kind}/new" for kind in ("instance", "volume", "network-interface")]
_TARGET = {
    "name": "dublin",
    "conn_id": "aws",
    "region": "eu-west-1",
    "size": "t3.micro",
    "network": {"subnets": ["subnet-0a1b"]},
    "artifacts": "s3://aws@lake/apps/",
}
_WANTED, _HELD = (f"aws:{whose}Tag/multicloud-deployment" for whose in ("Request", "Resource"))
_AT_LAUNCH = {_WANTED: "shop", "ec2:CreateAction": "RunInstances"}


def machines_allowed(**operation):
    """Whether a policy that is rendered allows an action on a resource, by IAM's own rules."""
    policies = [(one.conn_id, one.document) for one in rendered("aws", **operation)]
    return partial(_is_allowed, Layer.of(policies))


def _is_allowed(layer, action, resource, **tags):
    return layer.evaluate(f"ec2:{action}", resource, tags).decision == "allowed"


def _deployment(name):
    found = {"deployment_id": "shop", "targets": [_TARGET]}
    return {name: found | ({"artifact": "/tmp/a.tgz"} if name == "deploy" else {})}


@pytest.mark.parametrize("name", ["deploy", "rollback"])
@pytest.mark.parametrize("held", [{}, {_HELD: "payments"}])
def test_nobody_makes_an_instance_a_deployments_by_labelling_it(name, held):
    """And then ends it, which is allowed by the label."""
    allows = machines_allowed(**_deployment(name))
    for resource in _MADE:
        assert not allows("CreateTags", resource, **held, **{_WANTED: "shop"})
        # As when some other call makes it.
        assert not allows(
            "CreateTags", resource, **held, **{**_AT_LAUNCH, "ec2:CreateAction": "CreateVolume"}
        )
    assert not allows("TerminateInstances", _MADE[0], **held)


@pytest.mark.parametrize("name", ["deploy", "rollback"])
def test_a_deployments_own_machines_are_launched_labelled_and_ended(name):
    allows = machines_allowed(**_deployment(name))
    for resource in _MADE:
        assert allows("RunInstances", resource, **{_WANTED: "shop"})
        assert allows("CreateTags", resource, **_AT_LAUNCH)
        assert allows("CreateTags", resource, **{_HELD: "shop", "aws:RequestTag/other": "x"})
        assert not allows("CreateTags", resource, **{**_AT_LAUNCH, _WANTED: "payments"})
    for action in ("TerminateInstances", "StartInstances", "StopInstances"):
        assert allows(action, _MADE[0], **{_HELD: "shop"})


def test_a_teardown_labels_nothing():
    given = {"deployment_id": "shop", "conn_ids": ["aws"], "regions": {"aws": ["eu-west-1"]}}
    allows = machines_allowed(teardown=given)
    assert allows("TerminateInstances", _MADE[0], **{_HELD: "shop"})
    assert allows("DeleteVolume", _MADE[1], **{_HELD: "shop"})
    assert not allows("CreateTags", _MADE[0], **_AT_LAUNCH, **{_HELD: "shop"})
