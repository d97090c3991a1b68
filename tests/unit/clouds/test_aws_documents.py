"""What is read in IAM's policy documents."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_multicloud.clouds.aws.identity.documents import Statement, statements_of

LAKE = "arn:aws:s3:::lake"
DENY = {"Effect": "Deny", "Action": "s3:Get*", "Resource": f"{LAKE}/sales/private/*"}


def statement(**changed: Any) -> Statement:
    told = {name: value for name, value in {**DENY, **changed}.items() if value is not None}
    return Statement.read("p", told)


@pytest.mark.parametrize(
    ("changed", "limits"),
    [
        ({}, True),
        ({"Action": "*"}, True),
        ({"Action": "S3:getobject"}, True),
        ({"Action": "s3:Put*"}, False),
        ({"Action": None, "NotAction": "s3:Put*"}, True),
        ({"Action": None, "NotAction": ["ec2:*", "s3:*"]}, False),
        ({"Resource": f"{LAKE}/*"}, False),
        ({"Resource": "*"}, False),
        ({"Resource": f"{LAKE}/*/private"}, True),
        ({"Resource": f"{LAKE}/sales/?"}, True),
        ({"Resource": f"{LAKE}/${{aws:username}}/*"}, True),
        ({"Resource": [f"{LAKE}/shop/*", f"{LAKE}/sal"]}, False),
        ({"Resource": None, "NotResource": f"{LAKE}/sales/private/*"}, False),
        ({"Effect": "Allow"}, False),
        ({"Effect": "Allow", "Resource": None, "NotResource": f"{LAKE}/sales/private/*"}, True),
        ({"Effect": "Allow", "Resource": None, "NotResource": f"{LAKE}/shop/*"}, False),
    ],
)
def test_what_takes_away_a_part_of_a_pattern(changed: dict[str, Any], limits: bool) -> None:
    assert statement(**changed).limits_below("s3:GetObject", f"{LAKE}/sales/*") is limits


@pytest.mark.parametrize(
    ("condition", "spares"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"Bool": {"AWS:SecureTransport": [False]}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"a": "b"}}, False),
        (None, False),
    ],
)
def test_what_is_about_plain_http_only(condition: Any, spares: bool) -> None:
    assert statement(Condition=condition).spares_tls is spares


@pytest.mark.parametrize(
    ("principal", "means"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": ["arn:aws:iam::999999999999:root", "123456789012"]}}, True),
        ({"Principal": {"AWS": "AIDAEXAMPLE"}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::999999999999:root"}}, False),
        ({"Principal": {"Service": "logging.s3.amazonaws.com"}}, False),
        ({"NotPrincipal": {"AWS": "arn:aws:iam::999999999999:root"}}, True),
    ],
)
def test_whom_a_statement_may_mean(principal: dict[str, Any], means: bool) -> None:
    assert statement(**principal).may_mean("123456789012") is means


def test_a_document_may_have_one_statement_without_a_list() -> None:
    assert statements_of("p", {"Statement": DENY}) == statements_of("p", {"Statement": [DENY]})
    with pytest.raises(LookupError):
        statements_of("p", {"Statement": {**DENY, "Effect": "Perhaps"}})
