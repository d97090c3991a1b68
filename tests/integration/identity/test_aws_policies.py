"""What the AWS hook makes of policies that the simulator does not see, or not all of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.clouds.aws.identity import StsIdentityHook
from airflow_multicloud.ports.identity import Decision, PermissionCheck
from airflow_multicloud.testing.local_clouds.aws.identity import ACCOUNT, ROLE, USER
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

USER_CONN, ROLE_CONN = "aws_identity_local", "aws_role_local"
LAKE = "arn:aws:s3:::lake"
GET = "s3:GetObject"
PRIVATE = {"Effect": "Deny", "Action": GET, "Resource": f"{LAKE}/sales/private/*"}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
SILENT = {"principal": USER, "clear": True}


@pytest.fixture
def admin(local_iam: LocalServer) -> Iterator[Admin]:
    admin = Admin(local_iam.endpoint)
    admin.reset()
    yield admin
    admin.reset()


def policy(*statements: dict[str, Any], principal: str = USER, **more: Any) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"principal": principal, "policy": "p", "document": document, **more}


def bucket(*statements: dict[str, Any], name: str = "lake") -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"bucket": name, "account": ACCOUNT, **({"policy": document} if statements else {})}


def asked(
    resource: str = f"{LAKE}/sales/*", action: str = GET, conn_id: str = USER_CONN
) -> PermissionCheck:
    (check,) = StsIdentityHook(conn_id).check_permissions([action], resource)
    return check


@pytest.mark.parametrize(
    "more", [{}, {"inline": True}, {"group": "staff"}, {"group": "staff", "inline": True}]
)
def test_a_denial_below_a_prefix_is_found_wherever_it_is(
    admin: Admin, more: dict[str, Any]
) -> None:
    admin.seed("identity", [bucket(), policy(PRIVATE, **more)])
    check = asked()
    assert check.decision is Decision.UNKNOWN
    assert "but p denies or does not allow it on some of that" in check.reason
    assert asked(f"{LAKE}/sales/public/*").decision is Decision.ALLOW
    assert asked(f"{LAKE}/sales/private/*").decision is Decision.DENY
    assert asked(action="s3:PutObject").decision is Decision.ALLOW


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (f"{LAKE}/sales/private/a${{*}}", Decision.DENY),
        (f"{LAKE}/${{?}}/a${{$}}b", Decision.ALLOW),
        (f"{LAKE}/sales/a${{*}}b", Decision.ALLOW),
        (f"{LAKE}/${{*}}/*", Decision.UNKNOWN),
    ],
)
def test_characters_that_stand_for_themselves_are_no_patterns(
    admin: Admin, resource: str, expected: Decision
) -> None:
    other = {**PRIVATE, "Resource": f"{LAKE}/${{*}}/private/*"}
    unreadable = {"Effect": "Deny", "Action": "iam:GetUser", "Resource": "*"}
    admin.seed("identity", [bucket(), policy(PRIVATE, other, unreadable)])
    assert asked(resource).decision is expected


@pytest.mark.parametrize("inline", [False, True])
def test_a_roles_policies_are_read_too(admin: Admin, inline: bool) -> None:
    admin.seed("identity", [bucket(), policy(PRIVATE, principal=ROLE, inline=inline)])
    assert asked(conn_id=ROLE_CONN).decision is Decision.UNKNOWN
    assert asked(conn_id=USER_CONN).decision is Decision.ALLOW


@pytest.mark.parametrize(
    "limit",
    [
        [ALL, PRIVATE],
        [{"Effect": "Allow", "Action": "*", "NotResource": f"{LAKE}/sales/private/*"}],
    ],
)
@pytest.mark.parametrize("conn_id", [USER_CONN, ROLE_CONN])
def test_a_boundary_may_take_some_away(
    admin: Admin, limit: list[dict[str, Any]], conn_id: str
) -> None:
    principal = ROLE if conn_id == ROLE_CONN else USER
    admin.seed("identity", [bucket(), policy(*limit, principal=principal, layer="boundary")])
    check = asked(conn_id=conn_id)
    assert check.decision is Decision.UNKNOWN
    assert "boundary denies or does not allow it" in check.reason


@pytest.mark.parametrize(
    "unreadable", ["iam:ListUserPolicies", "iam:GetPolicyVersion", "iam:ListGroupsForUser"]
)
def test_what_policies_say_is_not_known_where_they_may_not_be_read(
    admin: Admin, unreadable: str
) -> None:
    denied = {"Effect": "Deny", "Action": unreadable, "Resource": "*"}
    admin.seed("identity", [bucket(), policy(denied)])
    check = asked()
    assert check.decision is Decision.UNKNOWN
    assert unreadable in check.reason
    # Of a single object the simulator knows all.
    assert asked(f"{LAKE}/sales/one").decision is Decision.ALLOW


EVERYBODY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
OTHERS = {"AWS": "arn:aws:iam::999999999999:root"}
FROM_AFAR = {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({**EVERYBODY, "Resource": f"{LAKE}/*"}, Decision.DENY),
        ({**EVERYBODY, "Principal": {"AWS": "*"}, "Resource": f"{LAKE}/sales/*"}, Decision.DENY),
        ({**EVERYBODY, "Resource": f"{LAKE}/sales/private/*"}, Decision.UNKNOWN),
        ({**EVERYBODY, "Resource": f"{LAKE}/*", "Condition": FROM_AFAR}, Decision.UNKNOWN),
        ({**EVERYBODY, "NotResource": f"{LAKE}/sales/public/*"}, Decision.UNKNOWN),
        (
            {**EVERYBODY, "Principal": {"AWS": ACCOUNT}, "Resource": f"{LAKE}/*"},
            Decision.UNKNOWN,
        ),
        ({**EVERYBODY, "Principal": OTHERS, "Resource": f"{LAKE}/*"}, Decision.ALLOW),
        ({**EVERYBODY, "Resource": f"{LAKE}/shop/*"}, Decision.ALLOW),
        ({**EVERYBODY, "Action": "s3:PutObject", "Resource": f"{LAKE}/*"}, Decision.ALLOW),
        ({**EVERYBODY, "Effect": "Allow", "Resource": f"{LAKE}/*"}, Decision.ALLOW),
    ],
)
def test_a_buckets_policy_denies_whatever_the_callers_allow(
    admin: Admin, statement: dict[str, Any], expected: Decision
) -> None:
    admin.seed("identity", [bucket(statement)])
    check = asked()
    assert check.decision is expected, check.reason
    if expected is not Decision.ALLOW:
        assert "policy of the bucket lake" in check.reason


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (None, Decision.DENY),
        ({**EVERYBODY, "Effect": "Allow", "Resource": f"{LAKE}/*"}, Decision.UNKNOWN),
        ({**EVERYBODY, "Effect": "Allow", "Resource": f"{LAKE}/shop/*"}, Decision.DENY),
        (
            {**EVERYBODY, "Effect": "Allow", "Principal": OTHERS, "Resource": f"{LAKE}/*"},
            Decision.DENY,
        ),
        (
            {
                **EVERYBODY,
                "Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Resource": f"{LAKE}/*",
            },
            Decision.DENY,
        ),
    ],
)
def test_a_buckets_policy_may_allow_what_no_other_does(
    admin: Admin, statement: dict[str, Any] | None, expected: Decision
) -> None:
    own = policy({**ALL, "Action": ["iam:*", "s3:GetBucketPolicy"]})
    admin.seed("identity", [SILENT, own, bucket(*filter(None, [statement]))])
    check = asked()
    assert check.decision is expected, check.reason


def test_a_buckets_policy_that_may_not_be_read_leaves_both_open(admin: Admin) -> None:
    admin.seed("identity", [SILENT, policy({**ALL, "Action": ["iam:*", GET]}), bucket()])
    for action in (GET, "s3:PutObject"):
        check = asked(action=action)
        assert check.decision is Decision.UNKNOWN
        assert "AccessDenied" in check.reason


@pytest.mark.parametrize(
    ("resource", "allowed", "silent"),
    [
        (
            f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:s",
            Decision.UNKNOWN,
            Decision.UNKNOWN,
        ),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1", Decision.UNKNOWN, Decision.UNKNOWN),
        (f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:a", Decision.ALLOW, Decision.UNKNOWN),
        (f"arn:aws:ec2:us-east-1:{ACCOUNT}:volume/v", Decision.ALLOW, Decision.DENY),
        # Another account's must allow it as well, which does not help here.
        ("arn:aws:sqs:us-east-1:999999999999:q", Decision.UNKNOWN, Decision.DENY),
    ],
)
def test_a_resources_policy_that_is_not_read_may_decide(
    admin: Admin, resource: str, allowed: Decision, silent: Decision
) -> None:
    action = f"{resource.split(':')[2]}:Anything"
    assert asked(resource, action).decision is allowed
    admin.seed("identity", [SILENT, policy({**ALL, "Action": "iam:*"})])
    assert asked(resource, action).decision is silent


def test_no_policy_of_a_resource_helps_beyond_a_boundary(admin: Admin) -> None:
    admin.seed(
        "identity", [policy({**ALL, "Action": ["iam:*", "s3:GetBucket*"]}, layer="boundary")]
    )
    admin.seed("identity", [bucket({**EVERYBODY, "Effect": "Allow", "Resource": f"{LAKE}/*"})])
    check = asked()
    assert check.decision is Decision.DENY
    assert "permissions boundary" in check.reason
