"""Every error code that botocore's models name for the operations in use has a kind of ours."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from airflow_multicloud.adapters.errors import ErrorTable
from airflow_multicloud.clouds import aws
from airflow_multicloud.clouds.aws.compute import errors as compute
from airflow_multicloud.clouds.aws.cost import errors as cost
from airflow_multicloud.clouds.aws.database import errors as database
from airflow_multicloud.clouds.aws.errors import BASE
from airflow_multicloud.clouds.aws.identity import errors as identity
from airflow_multicloud.clouds.aws.logs import errors as logs
from airflow_multicloud.clouds.aws.metrics import errors as metrics
from airflow_multicloud.clouds.aws.object_store import errors as object_store
from airflow_multicloud.clouds.aws.secrets import errors as secrets
from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind, StorageError

_FOLDER = Path(aws.__file__).parent
_MODELS = botocore.session.get_session()


@dataclass(frozen=True)
class Used:
    """What a folder asks of AWS.

    :param table: what its errors mean.
    :param operations: boto3's name of a service → the client's methods that are called.
    """

    table: ErrorTable
    operations: dict[str, set[str]]


USED = {
    "object_store": Used(
        object_store.TABLE,
        {
            "s3": {
                "abort_multipart_upload",
                "complete_multipart_upload",
                "copy_object",
                "create_bucket",
                "create_multipart_upload",
                "delete_object",
                "delete_object_tagging",
                "get_bucket_acl",
                "get_object",
                "get_object_tagging",
                "head_bucket",
                "head_object",
                "list_buckets",
                "list_multipart_uploads",
                "list_object_versions",
                "list_objects_v2",
                "list_parts",
                "put_bucket_tagging",
                "put_object",
                "put_object_tagging",
                "upload_part",
                "upload_part_copy",
            }
        },
    ),
    "cost": Used(
        cost.TABLE,
        {
            "ce": {
                "get_cost_and_usage",
                "get_cost_forecast",
                "get_rightsizing_recommendation",
                "get_savings_plans_purchase_recommendation",
            },
            "compute-optimizer": {
                "get_ebs_volume_recommendations",
                "get_ec2_instance_recommendations",
                "get_idle_recommendations",
                "get_lambda_function_recommendations",
            },
            "cost-optimization-hub": {"list_enrollment_statuses", "list_recommendations"},
            "pricing": {"get_products"},
        },
    ),
    "compute": Used(
        compute.TABLE,
        {
            "ec2": {
                "create_tags",
                "delete_network_interface",
                "delete_volume",
                "describe_images",
                "describe_instance_type_offerings",
                "describe_instance_types",
                "describe_instances",
                "describe_network_interfaces",
                "describe_regions",
                "describe_security_groups",
                "describe_subnets",
                "describe_volumes",
                "get_console_output",
                "run_instances",
                "start_instances",
                "stop_instances",
                "terminate_instances",
            },
            "iam": {"get_instance_profile"},
            "ssm": {"get_parameter"},
            "sts": {"get_caller_identity"},
        },
    ),
    "metrics": Used(
        metrics.TABLE,
        {
            "cloudwatch": {
                "get_metric_data",
                "get_metric_statistics",
                "list_metrics",
                "put_metric_data",
            }
        },
    ),
    "logs": Used(
        logs.TABLE,
        {
            "logs": {
                "create_log_group",
                "create_log_stream",
                "describe_log_groups",
                "filter_log_events",
                "put_log_events",
            }
        },
    ),
    "identity": Used(
        identity.TABLE,
        {
            # What ``dry_runs`` calls is not named there, but handed over by its callers.
            "ec2": set(),
            "iam": {
                "get_policy",
                "get_policy_version",
                "get_role",
                "get_user",
                "list_groups_for_user",
                "simulate_principal_policy",
            },
            "s3": {"get_bucket_policy"},
            "sts": {"assume_role", "get_caller_identity", "get_federation_token"},
        },
    ),
    "secrets": Used(
        secrets.TABLE,
        {
            "secretsmanager": {
                "create_secret",
                "delete_secret",
                "describe_secret",
                "get_secret_value",
                "list_secret_version_ids",
                "list_secrets",
                "put_secret_value",
                "restore_secret",
                "tag_resource",
                "untag_resource",
                "update_secret_version_stage",
            },
            "sts": {"get_caller_identity"},
        },
    ),
    "database": Used(
        database.TABLE,
        {
            "cloudwatch": {"get_metric_data"},
            "rds": {
                "create_db_snapshot",
                "delete_db_instance",
                "delete_db_snapshot",
                "describe_db_instance_automated_backups",
                "describe_db_instances",
                "describe_db_snapshots",
                "promote_read_replica",
                "restore_db_instance_from_db_snapshot",
                "restore_db_instance_to_point_in_time",
                "start_db_instance",
                "stop_db_instance",
            },
            "sts": {"get_caller_identity"},
        },
    ),
}
#: By which Airflow's hook opens a connection, whatever the service that it is for.
ROLES = {"assume_role", "assume_role_with_saml", "assume_role_with_web_identity"}


def methods_of(service: str) -> dict[str, str]:
    names = _MODELS.get_service_model(service).operation_names
    return {xform_name(name): name for name in names}


def words_of(folder: str) -> set[str]:
    """Attributes that are used, and texts: operations are called by either."""
    found = set()
    for path in (_FOLDER / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


#: ``clients`` is what a function of the folder calls ``_service`` that was handed to it.
_CLIENT_MAKERS = {
    *("_client_of", "_service", "client", "clients", "new_client"),
    *("asking_client", "sending_client"),
}


def services_of(folder: str) -> set[str]:
    """The services whose clients are asked for by name."""
    return {
        node.args[0].value
        for path in (_FOLDER / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", None)) in _CLIENT_MAKERS
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def codes_of(service: str, methods: set[str]) -> set[str]:
    model, names = _MODELS.get_service_model(service), methods_of(service)
    return {
        shape.error_code
        for method in methods
        for shape in model.operation_model(names[method]).error_shapes
    }


@pytest.mark.parametrize("folder", USED)
def test_these_are_the_operations_in_use(folder: str) -> None:
    own = {"list_objects"}  # S3's first listing, and the port's verb, which is what is meant
    for service, operations in USED[folder].operations.items():
        assert words_of(folder) & {*methods_of(service)} - own == operations


@pytest.mark.parametrize("folder", USED)
def test_these_are_the_services_in_use(folder: str) -> None:
    assert services_of(folder) == {*USED[folder].operations}


def test_every_folder_that_asks_is_here() -> None:
    assert {path.parent.name for path in _FOLDER.glob("*/client.py")} == {*USED}


@pytest.mark.parametrize(
    ("folder", "service", "code"),
    [
        (folder, service, code)
        for folder, used in USED.items()
        for service, operations in (*used.operations.items(), ("sts", ROLES))
        for code in sorted(codes_of(service, operations))
    ],
)
def test_every_code_of_theirs_is_decided(folder: str, service: str, code: str) -> None:
    assert USED[folder].table.kind_of_code(code) is not None


def test_one_code_may_mean_two_things() -> None:
    assert BASE.kind_of_code("LimitExceededException") is ErrorKind.QUOTA
    assert cost.TABLE.kind_of_code("LimitExceededException") is ErrorKind.THROTTLED
    for table in (metrics.TABLE, logs.TABLE):
        assert table.kind_of_code("LimitExceededException") is ErrorKind.QUOTA
        assert table.kind_of_code("ServiceQuotaExceededException") is ErrorKind.QUOTA
        assert table.kind_of_code("ThrottlingException") is ErrorKind.THROTTLED


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("InvalidInstanceID.NotFound", ErrorKind.NOT_FOUND),
        ("InvalidKeyPair.Duplicate", ErrorKind.ALREADY_EXISTS),
        ("InvalidInstanceID.Malformed", ErrorKind.INVALID_ARGUMENT),
        ("VcpuLimitExceeded", ErrorKind.QUOTA),
        ("RequestLimitExceeded", ErrorKind.THROTTLED),
        ("OperationAborted", ErrorKind.BUSY),
        ("ConcurrentModificationException", ErrorKind.BUSY),
        ("ResourceInUseException", ErrorKind.BUSY),
        ("BrandNewCode", None),
    ],
)
def test_what_the_services_share(code: str, kind: ErrorKind | None) -> None:
    assert BASE.kind_of_code(code) is kind


def test_what_is_one_services_own_is_not_in_the_base() -> None:
    for code in (
        "NoSuchKey",
        "BucketAlreadyExists",
        "InvalidObjectState",
        "DataUnavailableException",
    ):
        assert BASE.kind_of_code(code) is None


def answered(code: str, message: str = "no", **headers: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": 503, "HTTPHeaders": headers},
        },
        "PutObject",
    )


@pytest.mark.parametrize(
    ("service", "area"), [(object_store, StorageError), (cost, CostAnalysisError)]
)
def test_how_long_to_wait_is_carried(service: Any, area: type[CloudError]) -> None:
    for headers, seconds in (({"retry-after": "7"}, 7.0), ({}, None)):
        with pytest.raises(area) as caught, service.translated("asking"):
            raise answered("SlowDown", **headers)
        wait = caught.value.retry_after
        assert (wait and wait.total_seconds()) == seconds
