"""What an AWS connection says of where it leads, as its session finds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_multicloud import registry
from airflow_multicloud.clouds.aws.identity.facts import facts_of


@pytest.fixture(autouse=True)
def _no_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config"
    config.write_text("[profile far]\nregion = cn-north-1\n[profile bare]\noutput = json\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


@pytest.mark.parametrize(
    ("extra", "environment", "region", "partition"),
    [
        ({"region_name": "eu-west-1"}, "us-gov-west-1", "eu-west-1", "aws"),
        ({}, "us-gov-west-1", "us-gov-west-1", "aws-us-gov"),
        ({"profile_name": "far"}, None, "cn-north-1", "aws-cn"),
        ({"profile_name": "bare"}, None, "*", "aws"),
        ({"profile_name": "not there"}, None, "*", "aws"),
        ({}, None, "*", "aws"),
    ],
)
def test_the_region_is_the_sessions(
    monkeypatch: pytest.MonkeyPatch,
    extra: dict[str, str],
    environment: str | None,
    region: str,
    partition: str,
) -> None:
    if environment:
        monkeypatch.setenv("AWS_DEFAULT_REGION", environment)
    monkeypatch.setenv("AIRFLOW_CONN_FACTS", json.dumps({"conn_type": "aws", "extra": extra}))
    facts = facts_of(registry.read_connection("facts"))
    assert (facts["region"], facts["partition"]) == (region, partition)


def test_a_connection_that_is_not_there_leads_nowhere_in_particular(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    assert dict(facts_of(None)) == {"partition": "aws", "region": "*", "account": "{account}"}
