"""STS's answer to who is asking: every caller of the local RDS is of its account."""

from __future__ import annotations

from http import HTTPStatus

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.aws.database import ACCOUNT_ID
from airflow_multicloud.testing.local_clouds.aws.identity.queries import Refused, answer_of, read
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_OPERATION = "GetCallerIdentity"
_CALLER = {
    "Account": ACCOUNT_ID,
    "Arn": f"arn:aws:iam::{ACCOUNT_ID}:user/local",
    "UserId": "AIDALOCAL",
}


def answer(request: Request) -> tuple[str, Answer]:
    """The operation of a request that is signed for STS, and the answer to it."""
    try:
        operation, _ = read("sts", request.get_data())
    except Refused as refused:
        return "", refused.answer
    if operation.name == _OPERATION:
        return _OPERATION, answer_of(operation, _CALLER)
    told = f"{operation.name} is not served"
    return operation.name, Refused("InvalidAction", told, HTTPStatus.NOT_IMPLEMENTED).answer
