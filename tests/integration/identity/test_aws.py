"""What the AWS hook makes of a local IAM beyond the contract, and what that server refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from airflow_multicloud import api
from airflow_multicloud.clouds.aws.identity import StsIdentityHook
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, TokenScope
from airflow_multicloud.testing.local_clouds.aws.identity import ACCOUNT, ROLE, USER
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

USER_CONN, ROLE_CONN = "aws_identity_local", "aws_role_local"
BUCKET = "arn:aws:s3:::lab"
INSTANCE = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-0123456789abcdef0"
SCOPE = TokenScope(actions=("s3:ListBucket",), resources=(BUCKET,), valid_for=timedelta(minutes=30))

Attach = Callable[..., None]


@pytest.fixture
def admin(local_iam: LocalServer) -> Iterator[Admin]:
    admin = Admin(local_iam.endpoint)
    admin.reset()
    yield admin
    admin.reset()


@pytest.fixture
def attach(admin: Admin) -> Attach:
    """Attaches a policy of one statement."""

    def attached(statement: dict[str, Any], principal: str = USER, **more: Any) -> None:
        document = {"Version": "2012-10-17", "Statement": [statement]}
        admin.seed(
            "identity", [{"principal": principal, "policy": "p", "document": document, **more}]
        )

    return attached


def client(server: LocalServer, service: str, **more: Any) -> Any:
    """boto3's own, as the user."""
    given: Any = server.spec.connections[USER_CONN]
    options = {
        "endpoint_url": given["extra"]["endpoint_url"],
        "region_name": "us-east-1",
        "aws_access_key_id": given["login"],
        "aws_secret_access_key": given["password"],
        **more,
    }
    return boto3.client(service, **options)


def connected(
    monkeypatch: pytest.MonkeyPatch, server: LocalServer, conn_id: str, **extra: Any
) -> StsIdentityHook:
    """A hook on a connection that differs in its extra."""
    given: Any = server.spec.connections[conn_id]
    changed = {**given, "extra": {**given["extra"], **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_CHANGED", json.dumps(changed))
    return StsIdentityHook("changed")


def deny(action: str | list[str], resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource}


def allow(action: str | list[str], resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def test_the_layer_that_denies_is_named(admin: Admin, attach: Attach) -> None:
    hook = StsIdentityHook(USER_CONN)
    attach(allow("s3:*"), layer="boundary")
    attach(allow(["s3:*", "sts:*", "iam:*"]), layer="organization")
    attach(deny("s3:DeleteObject"))
    attach(allow("iam:*"), layer="boundary")
    explicit, boundary, both = hook.check_permissions(
        ["s3:DeleteObject", "sts:AssumeRole", "ec2:RunInstances"], "*"
    )
    assert explicit.decision is boundary.decision is both.decision is Decision.DENY
    assert explicit.reason == "explicitly denied (p)"
    assert "permissions boundary" in boundary.reason
    assert "organization" not in boundary.reason
    assert "permissions boundary" in both.reason
    assert "organization's service control policies" in both.reason
    assert {check.asked for check in (explicit, boundary, both)} == {"iam:SimulatePrincipalPolicy"}


def test_what_nothing_allows_is_implicitly_denied(admin: Admin, attach: Attach) -> None:
    admin.seed("identity", [{"principal": USER, "clear": True}])
    attach(allow(["iam:*", "s3:GetObject"]))
    hook = StsIdentityHook(USER_CONN)
    allowed, denied = hook.check_permissions(["s3:GetObject", "s3:PutObject"], "*")
    assert (allowed.decision, denied.decision) == (Decision.ALLOW, Decision.DENY)
    assert denied.reason.startswith("implicitly denied: no policy of arn:aws:iam::")


def test_known_context_is_given(attach: Attach) -> None:
    """A condition on what is known beforehand is evaluated."""
    statement = allow("ec2:StartInstances")
    condition = {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}
    attach({**deny("ec2:StartInstances"), "Condition": condition})
    attach(statement)
    hook = StsIdentityHook(USER_CONN)
    (here,) = hook.check_permissions(["ec2:StartInstances"], INSTANCE)
    (there,) = hook.check_permissions(
        ["ec2:StartInstances"], INSTANCE.replace("us-east-1", "eu-west-1")
    )
    assert (here.decision, there.decision) == (Decision.ALLOW, Decision.DENY)


def test_tags_that_are_told_are_given(admin: Admin, attach: Attach) -> None:
    """A rendered policy for a deployment allows what is tagged as its own, and nothing else."""
    admin.seed("identity", [{"principal": USER, "clear": True}])
    key = "aws:ResourceTag/multicloud-deployment"
    condition = {"StringEquals": {key: "shop"}}
    every = f"arn:aws:ec2:*:{ACCOUNT}:instance/*"
    attach({**allow("ec2:TerminateInstances", every), "Condition": condition})
    attach(allow(["iam:*", "sts:*"]))
    hook = StsIdentityHook(USER_CONN)

    def decided(resource: str, **context: str) -> Decision:
        told = dict.fromkeys([key], context["tag"]) if context else {}
        (found,) = hook.check_permissions(["ec2:TerminateInstances"], resource, context=told)
        return found.decision

    instances = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/*"
    assert decided(instances, tag="shop") is decided(every, tag="shop") is Decision.ALLOW
    assert decided(instances, tag="other") is Decision.DENY
    assert decided(instances) is Decision.UNKNOWN


HELD, WANTED = (f"aws:{whose}Tag/multicloud-deployment" for whose in ("Resource", "Request"))


def test_a_rendered_policy_allows_its_deployment(admin: Admin) -> None:
    """Also the same call at a launch and later, though each has keys that the other has not."""
    target = {
        "name": "main",
        "conn_id": USER_CONN,
        "region": "us-east-1",
        "size": "t3.micro",
        "network": {"subnets": ["subnet-1"]},
        "artifacts": f"s3://{USER_CONN}@lab/apps/",
    }
    deploy = {"deployment_id": "shop", "artifact": f"s3://{USER_CONN}@lab/a", "targets": [target]}
    (policy,) = api.render_policy([{"deploy": deploy}], "aws")
    document = json.loads(json.dumps(policy.document).replace("{account}", ACCOUNT))
    document["Statement"].append(allow(["iam:*", "sts:*"]))
    clear = {"principal": USER, "clear": True}
    rendered = {"principal": USER, "policy": "p", "document": document}
    admin.seed("identity", [clear, rendered])
    report = api.run_preflight([{"deploy": deploy}])
    machines = [one for one in report.permissions if one.permission.startswith("ec2:")]
    assert {one.permission: one.reason for one in machines if one.decision != Decision.ALLOW} == {}
    assert {one.condition for one in machines if one.permission == "ec2:CreateTags"} == {
        f"{HELD} = shop",
        f"ec2:CreateAction = RunInstances and {WANTED} = shop",
    }


@pytest.mark.parametrize(
    "more",
    [
        {"Effect": "Deny", "Condition": {"StringEquals": {HELD: "other"}}},
        {"Effect": "Deny", "Condition": {"StringEquals": {"aws:PrincipalArn": f"${{{HELD}}}"}}},
        {"Effect": "Allow", "Condition": {"StringNotEquals": {HELD: "other"}}},
        {"Effect": "Allow", "Condition": {"StringEqualsIfExists": {HELD: "other"}}},
    ],
)
def test_a_key_that_may_take_away_what_is_allowed_leaves_it_open(
    admin: Admin, attach: Attach, more: dict[str, Any]
) -> None:
    admin.seed("identity", [{"principal": USER, "clear": True}])
    attach(allow(["iam:*", "sts:*"]))
    attach({**allow("ec2:CreateTags"), "Condition": {"StringEquals": {HELD: "shop"}}})
    if more["Effect"] == "Deny":
        attach(allow("ec2:CreateTags"))
    attach({**allow("ec2:CreateTags"), **more})
    (check,) = StsIdentityHook(USER_CONN).check_permissions(["ec2:CreateTags"], INSTANCE)
    assert check.decision is Decision.UNKNOWN


def test_a_role_that_nobody_can_name_yet(admin: Admin, attach: Attach) -> None:
    """Passing it is allowed where any may be passed, and else not known."""
    unnamed = f"arn:aws:iam::{ACCOUNT}:role/{{the role of runner}}"
    admin.seed("identity", [{"principal": USER, "clear": True}])
    attach(allow(["iam:Get*", "iam:List*", "iam:Simulate*", "sts:*"]))
    hook = StsIdentityHook(USER_CONN)
    (found,) = hook.check_permissions(["iam:PassRole"], unnamed)
    assert (found.decision, "every role" in found.reason) == (Decision.UNKNOWN, True)
    attach(allow("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/*"))
    (found,) = hook.check_permissions(["iam:PassRole"], unnamed)
    assert found.decision is Decision.ALLOW


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ("arn:aws:sqs:us-east-1:999999999999:q", "account 999999999999"),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1", "key's own policy"),
        ("arn:aws:s3:::somebodys", "another account"),
        ("arn:aws:s3:::some*", "whose the buckets"),
    ],
)
def test_what_the_resource_decides_is_not_known(admin: Admin, resource: str, why: str) -> None:
    admin.seed("identity", [{"bucket": "somebodys", "account": "999999999999"}])
    service = resource.split(":")[2]
    (check,) = StsIdentityHook(USER_CONN).check_permissions([f"{service}:Anything"], resource)
    assert check.decision is Decision.UNKNOWN
    assert why in check.reason


def test_a_deny_is_one_whoever_owns_the_resource(attach: Attach) -> None:
    attach(deny("sqs:*"))
    resource = "arn:aws:sqs:us-east-1:999999999999:q"
    (check,) = StsIdentityHook(USER_CONN).check_permissions(["sqs:SendMessage"], resource)
    assert check.decision is Decision.DENY


def test_a_bucket_that_is_not_there_yet_is_of_whoever_makes_it(admin: Admin) -> None:
    del admin
    hook = StsIdentityHook(USER_CONN)
    make, use = hook.check_permissions(["s3:CreateBucket", "s3:ListBucket"], BUCKET)
    assert (make.decision, use.decision) == (Decision.ALLOW, Decision.UNKNOWN)
    assert "there is no bucket lab" in use.reason
    assert use.kind is ErrorKind.NOT_FOUND
    for resource in (BUCKET, f"{BUCKET}/*"):
        (made,) = hook.check_permissions(["s3:ListBucket"], resource, to_be_made=True)
        assert made.decision is Decision.ALLOW


def test_no_policy_grants_in_a_bucket_that_is_not_there(admin: Admin, attach: Attach) -> None:
    admin.seed("identity", [{"principal": USER, "clear": True}])
    attach(allow(["iam:*", "s3:GetBucketPolicy"]))
    for to_be_made in (False, True):
        (check,) = StsIdentityHook(USER_CONN).check_permissions(
            ["s3:ListBucket"], BUCKET, to_be_made=to_be_made
        )
        assert check.decision is Decision.DENY


@pytest.mark.parametrize(("conn_id", "principal"), [(USER_CONN, USER), (ROLE_CONN, ROLE)])
def test_who_may_not_simulate_is_told_by_dry_runs(
    attach: Attach, conn_id: str, principal: str
) -> None:
    attach(deny(["iam:*", "ec2:StopInstances"]), principal)
    asked = [
        *("s3:GetObject", "ec2:StartInstances", "ec2:StopInstances"),
        *("ec2:DescribeInstances", "ec2:TerminateInstances"),
    ]
    found = StsIdentityHook(conn_id).check_permissions(asked, INSTANCE)
    assert [check.decision for check in found] == [
        Decision.UNKNOWN,
        Decision.ALLOW,
        Decision.DENY,
        Decision.ALLOW,
        # Not tried: a stand-in that ignores DryRun would do it.
        Decision.UNKNOWN,
    ]
    assert "not authorized to perform: iam:SimulatePrincipalPolicy" in found[0].reason
    assert [check.asked for check in found[:2]] == [
        "iam:SimulatePrincipalPolicy",
        "ec2:StartInstances (DryRun)",
    ]


def test_the_role_of_a_session_is_found_with_its_path(admin: Admin) -> None:
    (check,) = StsIdentityHook(ROLE_CONN).check_permissions(["s3:GetObject"], "*")
    assert check.decision is Decision.ALLOW
    assert f"arn:aws:iam::{ACCOUNT}:{ROLE}" in check.reason
    assert "iam:GetRole" in {one["action"] for one in admin.requests()}


def test_a_sessions_own_policy_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch, local_iam: LocalServer, admin: Admin
) -> None:
    """Its role's policies allow more than it may."""
    del admin
    limit = json.dumps({"Version": "2012-10-17", "Statement": [allow("iam:*")]})
    hook = connected(monkeypatch, local_iam, ROLE_CONN, assume_role_kwargs={"Policy": limit})
    (check,) = hook.check_permissions(["s3:GetObject"], "*")
    assert check.decision is Decision.UNKNOWN
    assert "assume_role_kwargs" in check.reason
    with pytest.raises(CredentialsError, match="can't be narrowed") as caught:
        hook.scoped_token(SCOPE)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_an_outage_is_unknown_and_asked_about_once(admin: Admin) -> None:
    """With 150 actions, which take two requests."""
    refusal = {"status": 400, "body": None}
    admin.script("/", [None, *[refusal] * 3])
    actions = [f"s3:Get{number}" for number in range(150)]
    found = StsIdentityHook(USER_CONN).check_permissions(actions, "*")
    assert {check.decision for check in found} == {Decision.UNKNOWN}
    assert [check.action for check in found] == actions


def test_many_actions_take_several_requests(admin: Admin) -> None:
    actions = [f"s3:Get{number}" for number in range(150)]
    found = StsIdentityHook(USER_CONN).check_permissions(actions, "*")
    assert {check.decision for check in found} == {Decision.ALLOW}
    asked = [one["action"] for one in admin.requests()]
    assert asked.count("iam:SimulatePrincipalPolicy") == 2


def test_a_policy_that_cannot_be_evaluated_costs_itself(attach: Attach) -> None:
    attach({**deny("s3:DeleteObject"), "Condition": {"NumericLessThan": {"s3:max-keys": "1"}}})
    good, bad, too = StsIdentityHook(USER_CONN).check_permissions(
        ["s3:GetObject", "s3:DeleteObject", "s3:PutObject"], "*"
    )
    assert (good.decision, too.decision) == (Decision.ALLOW, Decision.ALLOW)
    assert bad.decision is Decision.UNKNOWN
    assert "PolicyEvaluation" in bad.reason


def test_refused_credentials_are_an_error(
    monkeypatch: pytest.MonkeyPatch, local_iam: LocalServer
) -> None:
    given: Any = local_iam.spec.connections[USER_CONN]
    monkeypatch.setenv("AIRFLOW_CONN_CHANGED", json.dumps({**given, "password": "another"}))
    hook = StsIdentityHook("changed")
    for call in (lambda: hook.check_permissions(["s3:GetObject"], "*"), hook.who_am_i):
        with pytest.raises(CredentialsError) as caught:
            call()
        assert caught.value.kind is ErrorKind.UNAUTHENTICATED


def test_who_may_not_make_tokens_is_told_so(attach: Attach) -> None:
    attach(deny("sts:GetFederationToken"))
    with pytest.raises(CredentialsError, match="GetFederationToken") as caught:
        StsIdentityHook(USER_CONN).scoped_token(SCOPE)
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def test_who_may_not_take_on_the_role_again_has_credentials(attach: Attach) -> None:
    hook = StsIdentityHook(ROLE_CONN)
    hook.who_am_i()
    attach(deny("sts:AssumeRole"))
    with pytest.raises(CredentialsError, match="AssumeRole") as caught:
        hook.scoped_token(SCOPE)
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def test_a_policy_that_is_too_long_is_refused_here(admin: Admin) -> None:
    hook = StsIdentityHook(USER_CONN)
    resources = tuple(f"arn:aws:s3:::bucket-{number}/*" for number in range(100))
    scope = TokenScope(actions=("s3:GetObject",), resources=resources, valid_for=SCOPE.valid_for)
    with pytest.raises(CredentialsError, match="2048") as caught:
        hook.scoped_token(scope)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert admin.requests() == []


@pytest.mark.parametrize(
    "resource",
    ["arn:aws:s3:::b/*/x", "arn:aws:s3:::b/x?", "arn:aws:s3:::b/${aws:username}", f"{BUCKET}/**"],
)
def test_a_token_is_not_for_more_than_its_resources_name(admin: Admin, resource: str) -> None:
    scope = replace(SCOPE, resources=(resource,))
    with pytest.raises(CredentialsError, match="more than it says") as caught:
        StsIdentityHook(USER_CONN).scoped_token(scope)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert admin.requests() == []


def test_conditions_that_only_the_resources_result_tells_of_are_not_known(attach: Attach) -> None:
    """The result as a whole has them for no resource in particular only."""
    attach({**deny("s3:GetObject"), "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}})
    for resource in ("*", f"{BUCKET}/key"):
        (check,) = StsIdentityHook(USER_CONN).check_permissions(["s3:GetObject"], resource)
        assert check.decision is Decision.UNKNOWN
        assert "aws:SourceVpc" in check.reason


def test_what_an_organization_asks_of_a_request_is_not_told(attach: Attach) -> None:
    """Of its policies the simulator names no condition keys: an allow says that."""
    attach(allow("*"), layer="organization")
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    attach({**deny("s3:*"), "Condition": condition}, layer="organization")
    (check,) = StsIdentityHook(USER_CONN).check_permissions(["s3:GetObject"], "*")
    assert check.decision is Decision.ALLOW
    assert "organization's policies ask of a request is not told" in check.reason


def test_a_resource_without_a_region_says_how_to_name_one(admin: Admin) -> None:
    with pytest.raises(CredentialsError, match="region_name") as caught:
        StsIdentityHook(USER_CONN).check_permissions(
            ["logs:PutLogEvents"], f"arn:aws:logs:*:{ACCOUNT}:log-group:etl:*"
        )
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert admin.requests() == []


UNCHECKED = Config(parameter_validation=False, retries={"total_max_attempts": 1})


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"ActionNames": ["s3:GetObject"]}, "ValidationError"),
        (
            {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:{USER}", "ActionNames": ["s3"]},
            "ValidationError",
        ),
        (
            {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:{USER}", "ActionNames": ["s3:Get*"]},
            "InvalidInput",
        ),
        (
            {
                "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/nobody",
                "ActionNames": ["s3:GetObject"],
            },
            "NoSuchEntity",
        ),
        (
            {
                "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:{USER}",
                "ActionNames": ["s3:GetObject"],
                "ContextEntries": [
                    {
                        "ContextKeyName": "aws:a",
                        "ContextKeyValues": ["b"],
                        "ContextKeyType": "text",
                    }
                ],
            },
            "ValidationError",
        ),
        (
            {
                "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:{USER}",
                "ActionNames": ["s3:GetObject"],
                "MaxItems": 1001,
            },
            "ValidationError",
        ),
    ],
)
def test_the_simulator_refuses_what_the_model_does(
    local_iam: LocalServer, given: dict[str, Any], code: str
) -> None:
    iam = client(local_iam, "iam", config=UNCHECKED)
    with pytest.raises(ClientError) as caught:
        iam.simulate_principal_policy(**given)
    assert caught.value.response["Error"]["Code"] == code


def test_the_simulator_tells_where_the_model_says(local_iam: LocalServer, attach: Attach) -> None:
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    attach({**deny("s3:*"), "Condition": condition})
    attach(allow("*"), layer="boundary")
    attach(
        {**allow("*"), "Condition": {"StringNotEquals": {"aws:SourceIp": "::1"}}},
        layer="organization",
    )
    iam = client(local_iam, "iam")
    given = {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:{USER}", "ActionNames": ["s3:GetObject"]}
    (whole,) = iam.simulate_principal_policy(**given)["EvaluationResults"]
    assert whole["MissingContextValues"] == ["aws:SourceVpc"]
    assert "ResourceSpecificResults" not in whole
    resources = [f"{BUCKET}/a", f"{BUCKET}/b"]
    (both,) = iam.simulate_principal_policy(**given, ResourceArns=resources)["EvaluationResults"]
    assert "MissingContextValues" not in both
    assert both["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
    assert [one["EvalResourceName"] for one in both["ResourceSpecificResults"]] == resources
    for one in both["ResourceSpecificResults"]:
        assert one["EvalResourceDecision"] == "allowed"
        assert one["MissingContextValues"] == ["aws:SourceVpc"]
        assert one["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}
        assert "OrganizationsDecisionDetail" not in one


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"aws_secret_access_key": "another"}, "SignatureDoesNotMatch"),
        ({"aws_access_key_id": "unknown"}, "InvalidClientTokenId"),
        ({"aws_session_token": "made up"}, "InvalidClientTokenId"),
    ],
)
def test_strangers_are_refused(local_iam: LocalServer, changed: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        client(local_iam, "sts", **changed).get_caller_identity()
    assert caught.value.response["Error"]["Code"] == code
