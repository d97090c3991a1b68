"""On which resources a synchronisation's permissions are asked for and granted."""

from __future__ import annotations

from importlib import import_module

import pytest

from airflow_multicloud.core.preflight.granting import calls_of, grants_of
from airflow_multicloud.core.preflight.secrets import SyncSecrets

FACTS = {
    "partition": "aws",
    "region": "eu-west-1",
    "account": "123456789012",
    "project": "shop",
    "subscription": "s",
    "resource_group": "g",
    "vault": "kept",
}
_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret"
_VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kept"
_PROJECT = "//cloudresourcemanager.googleapis.com/projects/shop"
_SECRETS = "//secretmanager.googleapis.com/projects/shop/secrets"


def resources(cloud: str, what: str, **meant: object) -> set[str]:
    table = import_module(f"airflow_multicloud.clouds.{cloud}.secrets.calls").TABLE
    given = SyncSecrets(source="a", destinations=["b"], **meant)  # type: ignore[arg-type]
    needs = [need for need in given.needs() if need.what == f"sync_secrets: {what}"]
    return {one.resource for one in grants_of(calls_of(needs, lambda _: (table, FACTS)))}


@pytest.mark.parametrize(
    ("cloud", "source", "destination"),
    [
        # With the six characters that nobody knows.
        ("aws", {f"{_ARN}:a-??????"}, {f"{_ARN}:a-??????"}),
        ("gcp", {_PROJECT, f"{_SECRETS}/a"}, {_PROJECT, f"{_SECRETS}/*"}),
        ("azure", {_VAULT, f"{_VAULT}/secrets/a"}, {_VAULT}),
    ],
)
def test_of_a_name(cloud, source, destination):
    assert resources(cloud, "source", names=["a"]) == source
    assert resources(cloud, "destination", names=["a"]) == destination


@pytest.mark.parametrize(
    ("cloud", "source", "destination"),
    [
        ("aws", {"*", f"{_ARN}:shop/*"}, {f"{_ARN}:shop/*"}),
        ("gcp", {_PROJECT, f"{_SECRETS}/*"}, {_PROJECT, f"{_SECRETS}/*"}),
        ("azure", {_VAULT}, {_VAULT}),
    ],
)
def test_of_a_beginning(cloud, source, destination):
    assert resources(cloud, "source", prefix="shop/") == source
    assert resources(cloud, "destination", prefix="shop/") == destination


def test_a_name_is_as_its_cloud_has_it():
    (aws,) = resources("aws", "destination", names=["a b"])
    assert aws.startswith(f"{_ARN}:a==")
    assert aws.endswith("b-??????")
    gcp = resources("gcp", "source", names=["a/b"]) - {_PROJECT}
    assert len(gcp) == 1
    assert "/b" not in min(gcp).removeprefix(_SECRETS)[1:]
