"""The private parts of other libraries that Google's hooks use still are what they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.providers.google.common.hooks.base_google import GoogleBaseHook

from airflow_multicloud.clouds.gcp import seams
from tests.integration.answering import EMAIL, service_account


def test_airflow_tells_whose_the_credentials_are(monkeypatch: pytest.MonkeyPatch) -> None:
    key = service_account("http://127.0.0.1:1/token")  # nothing is asked
    extra = {"keyfile_dict": json.dumps(key)}
    connection = {"conn_type": "google_cloud_platform", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_GCP_SEAM", json.dumps(connection))
    hook = GoogleBaseHook("gcp_seam")
    try:
        found = seams.email_of(hook)
    except AttributeError as err:
        pytest.fail(
            f"apache-airflow-providers-google has no GoogleBaseHook._get_credentials_email any "
            f"more ({err}): seams.email_of needs another way to the e-mail address of credentials"
        )
    assert found == EMAIL, (
        "GoogleBaseHook._get_credentials_email is no property any more, or gives something else "
        "than a service account's address: seams.email_of has to follow"
    )


def test_private_parts_are_used_in_one_module_only() -> None:
    folder = Path(seams.__file__).parent
    found = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if "noqa: SLF001" in path.read_text()  # Ruff refuses every use without it.
    }
    assert found == {"seams.py"}
