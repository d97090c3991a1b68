"""Messages name what a person can type."""

from __future__ import annotations

import pytest

from airflow_multicloud.cli.wording import spelled


@pytest.mark.parametrize(
    ("command", "message", "shown"),
    [
        (
            "replicate",
            "destinations[0]: gs://lake/: no bucket 'lake'; create it, or set create_buckets=True",
            "DESTINATION: gs://lake/: no bucket 'lake'; create it, or set --create-buckets",
        ),
        (
            "replicate",
            "max_delete: not given, expected a number, because delete_extraneous is set",
            "--max-delete: not given, expected a number, because --delete-extraneous is set",
        ),
        ("replicate", "source: no object under s3://x/", "SOURCE: no object under s3://x/"),
        ("replicate", "immutable is set and it differs", "--immutable is set and it differs"),
        (
            "replicate",
            "1 of 2 copies failed (min_success_ratio is 100.0%)",
            "1 of 2 copies failed (--min-success-ratio is 100.0%)",
        ),
        # What others wrote stays what it is.
        (
            "replicate",
            "'max_delete' in s3://max_age/part_size: the source has an immutable one",
            "'max_delete' in s3://max_age/part_size: the source has an immutable one",
        ),
        ("fetch", "target: no bucket", "--to: no bucket"),
        ("fetch", "candidates[1]: 'x' is not a location", "URI: 'x' is not a location"),
        ("fetch", "took longer than attempt_timeout", "took longer than --attempt-timeout"),
        ("verify", "replica: gs://x/ is in no ledger", "REPLICA: gs://x/ is in no ledger"),
        ("verify", "siblings[1]: gs://x/ is", "--sibling: gs://x/ is"),
        ("verify", "public_keys: /f can't be read", "--public-key: /f can't be read"),
        ("verify", "give at_least_commit as well", "give --at-least-commit as well"),
        ("verify", "run_id: no run 'x'", "--run-id: no run 'x'"),
        ("cost_store", "store: none", "STORE: none"),
        ("prices", "conn_ids: none given", "--from: none given"),
        ("upload", "replicate_to[0]: no bucket", "--replicate-to: no bucket"),
    ],
)
def test_parameters_become_options(command: str, message: str, shown: str) -> None:
    assert spelled(command, message) == shown
