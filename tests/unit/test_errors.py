from __future__ import annotations

import copy
import pickle

import pytest

from airflow_multicloud import errors
from airflow_multicloud.errors import CloudError, ErrorKind

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, CloudError)
]


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_survives_pickling(cls, again):
    error = again(cls("bucket 'b' is gone", kind=ErrorKind.NOT_FOUND, cloud="aws", code="NoSuch"))
    assert type(error) is cls
    assert str(error) == "bucket 'b' is gone"
    assert (error.kind, error.cloud, error.code) == (ErrorKind.NOT_FOUND, "aws", "NoSuch")


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
