from __future__ import annotations

import copy
import importlib
import pickle
import pkgutil
from datetime import timedelta

import pytest

import airflow_multicloud
from airflow_multicloud.core.failover.provenance import Attempt
from airflow_multicloud.core.preflight.report import PreflightReport
from airflow_multicloud.errors import CloudError, ErrorKind

for module in pkgutil.walk_packages(airflow_multicloud.__path__, "airflow_multicloud."):
    # Modules that run when imported, and servers' own programs.
    if not module.name.endswith("__main__") and "local_clouds" not in module.name:
        importlib.import_module(module.name)


def _tree(cls: type[CloudError]) -> set[type[CloudError]]:
    return {cls}.union(*(_tree(below) for below in cls.__subclasses__()))


CLASSES = sorted(
    (c for c in _tree(CloudError) if c.__module__.startswith("airflow_multicloud.")),
    key=lambda c: c.__name__,
)
# What a subclass takes instead of a cloud and a code.
ARGUMENTS = {
    "FailoverError": {"attempts": (Attempt("s3://b/k", "aws", 7, ErrorKind.NOT_FOUND, "gone"),)},
    "IncompleteFetchError": {"attempts": (), "provenance": None},
    "OverwrittenError": {"written": "2", "others": ("1",), "is_current": False, "cloud": "aws"},
    "PreflightFailedError": {"report": PreflightReport(permissions=())},
    "QueryFailedError": {"result": {"answers": 2}},
    "ReplicationFailedError": {"report": {"failed": 3}},
    "ShippingFailedError": {"report": {"shipped": 3}},
    "SyncFailedError": {"report": {"conflict": 3}},
}
# What a subclass always is; it takes no kind.
KINDS = {"OverwrittenError": ErrorKind.PRECONDITION_FAILED}


def _made(cls: type[CloudError]) -> CloudError:
    common = {"cloud": "aws", "code": "NoSuch", "retry_after": timedelta(seconds=7)}
    kind = {} if cls.__name__ in KINDS else {"kind": ErrorKind.NOT_FOUND}
    return cls("bucket 'b' is gone", **kind, **ARGUMENTS.get(cls.__name__, common))


AGAIN = {
    "pickle": lambda e: pickle.loads(pickle.dumps(e)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def test_every_subclass_is_found():
    assert {"CloudError", "FailoverError", "ReplicationFailedError", "TargetError"} <= {
        c.__name__ for c in CLASSES
    }


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("again", AGAIN)
def test_survives_pickling_with_every_field(cls, again):
    error = _made(cls)
    found = AGAIN[again](error)
    assert type(found) is cls
    assert str(found) == str(error)
    assert vars(found) == vars(error)
    assert found.kind is KINDS.get(cls.__name__, ErrorKind.NOT_FOUND)


@pytest.mark.parametrize("cls", CLASSES)
def test_context_stands_before_the_message_and_nothing_else_changes(cls):
    error = _made(cls)
    found = error.with_context("destinations[0]\nFORGED")
    assert type(found) is cls
    assert str(found) == f"destinations[0]\\nFORGED: {error}"
    assert vars(found) == vars(error)


@pytest.mark.parametrize(("had", "now"), [(None, "gcp"), ("aws", "aws")])
def test_a_cloud_is_added_where_none_is_named(had, now):
    error = CloudError("x", kind=ErrorKind.NOT_FOUND, cloud=had, code="c")
    assert (error.on_cloud("gcp").cloud, error.cloud, error.on_cloud("gcp").code) == (now, had, "c")


def test_nothing_of_an_error_forges_a_line():
    error = CloudError("a\nb", kind=ErrorKind.NOT_FOUND, code="Access\nFORGED\x1b")
    assert (str(error), error.code) == (r"a\nb", r"Access\nFORGED\x1b")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.code) == (str(error), error.code)


RETRYABLE = {
    ErrorKind.THROTTLED,
    ErrorKind.UNAVAILABLE,
    ErrorKind.TIMEOUT,
    ErrorKind.CAPACITY,
    ErrorKind.INTEGRITY,
    ErrorKind.SOURCE_CHANGED,
    ErrorKind.BUSY,
}


@pytest.mark.parametrize("kind", ErrorKind)
def test_retryable_follows_from_the_kind(kind):
    assert kind.retryable is (kind in RETRYABLE)
    assert CloudError("x", kind=kind).retryable is kind.retryable


def test_one_tree():
    assert all(issubclass(cls, CloudError) for cls in CLASSES)
    assert {
        "ProviderNotAvailableError",
        "ProviderNotInitializedError",
        "CredentialsError",
        "StorageError",
        "DeploymentError",
        "CostAnalysisError",
    } <= {cls.__name__ for cls in CLASSES}


def test_kind_is_a_word():
    assert f"{ErrorKind.NOT_FOUND}" == "not_found"
    assert ErrorKind("not_found") is ErrorKind.NOT_FOUND
