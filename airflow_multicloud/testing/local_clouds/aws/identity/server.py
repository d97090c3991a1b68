"""Who is asked: STS, IAM, and what S3 and EC2 tell of permissions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.aws.compute import answers as ec2
from airflow_multicloud.testing.local_clouds.aws.compute.answers import XmlAnswer
from airflow_multicloud.testing.local_clouds.aws.compute.queries import read as read_ec2
from airflow_multicloud.testing.local_clouds.aws.identity import ACCOUNT, ROLE
from airflow_multicloud.testing.local_clouds.aws.identity.listing import Listing
from airflow_multicloud.testing.local_clouds.aws.identity.policies import Unevaluable
from airflow_multicloud.testing.local_clouds.aws.identity.queries import Refused, answer_of, read
from airflow_multicloud.testing.local_clouds.aws.identity.simulator import simulated
from airflow_multicloud.testing.local_clouds.aws.identity.world import Caller, World
from airflow_multicloud.testing.local_clouds.aws.telemetry.common_words import QUERY_STRANGERS
from airflow_multicloud.testing.local_clouds.aws.telemetry.signatures import Signed, signed
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.state import State

Handler = Callable[[Caller, Mapping[str, Any]], Mapping[str, Any]]
#: "The plaintext that you use for both inline and managed session policies can't exceed 2,048
#: characters."
_LONGEST_POLICY = 2048
_CREATED = datetime(2026, 1, 1, tzinfo=UTC)
_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:{ROLE}"
# "Common errors" of the STS API reference.
_STRANGERS = {
    **QUERY_STRANGERS,
    "missing": (
        "MissingAuthenticationToken",
        "Request is missing Authentication Token",
        HTTPStatus.FORBIDDEN,
    ),
    "ended": (
        "ExpiredToken",
        "The security token included in the request is expired",
        HTTPStatus.FORBIDDEN,
    ),
}


class IdentityServer:
    """Answers requests by the policies of who makes them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._world = World(state)
        self._listing = Listing(self._world)
        self._handlers: Mapping[tuple[str, str], Handler] = {
            ("sts", "GetCallerIdentity"): self._caller_identity,
            ("sts", "AssumeRole"): self._assume_role,
            ("sts", "GetFederationToken"): self._federation_token,
            ("iam", "GetRole"): self._get_role,
            ("iam", "SimulatePrincipalPolicy"): self._simulate,
            **{("iam", name): partial(self._listed, name) for name in self._listing.operations},
        }

    def __call__(self, request: Request) -> Answer:
        """The answer to a request."""
        sent = signed(request, self._world.secrets)
        action = ""
        try:
            caller = self._caller(request, sent)
            action, answer = self._answer(request, sent, caller)
        except (Refused, ec2.Refusal) as refused:
            answer = refused.answer
        answer = self._state.scripted(request) or answer
        self._state.log(request, answer.status, action=f"{sent.service}:{action}")
        return answer

    def _caller(self, request: Request, sent: Signed) -> Caller:
        problem = sent.problem
        caller = self._world.callers.get(sent.key)
        if problem is None and caller is not None:
            if request.headers.get("X-Amz-Security-Token", "") != caller.token:
                problem = "key"
            elif not caller.is_good:
                problem = "ended"
        if problem is not None or caller is None:
            raise Refused(*_STRANGERS[problem or "key"])
        return caller

    def _answer(self, request: Request, sent: Signed, caller: Caller) -> tuple[str, Answer]:
        if sent.service == "s3":
            return self._bucket(request, caller)
        if sent.service == "ec2":
            call = read_ec2(request.get_data(), sent.region)
            return call.action, self._dry_run(call.action, call.given, sent.region, caller)
        operation, given = read(sent.service, request.get_data())
        handler = self._handlers.get((sent.service, operation.name))
        if handler is None:
            raise Refused(
                "InvalidAction", f"{operation.name} is not served", HTTPStatus.NOT_IMPLEMENTED
            )
        return operation.name, answer_of(operation, handler(caller, given))

    def _check(self, caller: Caller, action: str, resource: str) -> None:
        if not self._may(caller, action, resource):
            raise Refused(
                "AccessDenied",
                f"User: {caller.arn} is not authorized to perform: {action} on resource: "
                f"{resource}",
                HTTPStatus.FORBIDDEN,
            )

    def _may(self, caller: Caller, action: str, resource: str) -> bool:
        context = {"aws:PrincipalArn": caller.arn, "aws:PrincipalAccount": ACCOUNT}
        try:
            outcome = self._world.judge(caller, action, resource, context)
        except Unevaluable as err:
            raise Refused("MalformedPolicyDocument", str(err)) from None
        return outcome.decision == "allowed"

    def _caller_identity(self, caller: Caller, _given: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"Account": ACCOUNT, "Arn": caller.arn, "UserId": "AIDALOCAL"}

    def _get_role(self, caller: Caller, given: Mapping[str, Any]) -> Mapping[str, Any]:
        name = given["RoleName"]
        self._check(caller, "iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/{name}")
        if name != ROLE.rpartition("/")[2]:
            raise Refused(
                "NoSuchEntity", f"The role with name {name} cannot be found.", HTTPStatus.NOT_FOUND
            )
        return {
            "Role": {
                "Path": f"/{ROLE.partition('/')[2].rpartition('/')[0]}/",
                "RoleName": name,
                "RoleId": "AROALOCALLOCALLOCAL",
                "Arn": _ROLE_ARN,
                "CreateDate": _CREATED,
                **self._listing.boundary(ROLE),
            }
        }

    def _listed(self, name: str, caller: Caller, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self._check(caller, f"iam:{name}", self._listing.arn_of(given))
        return self._listing.operations[name](given)

    def _simulate(self, caller: Caller, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self._check(caller, "iam:SimulatePrincipalPolicy", given["PolicySourceArn"])
        return simulated(self._world, given)

    def _assume_role(self, caller: Caller, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self._check(caller, "sts:AssumeRole", given["RoleArn"])
        # The role trusts the account's users.
        if given["RoleArn"] != _ROLE_ARN or not caller.principal.startswith("user/"):
            raise Refused(
                "AccessDenied",
                f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: "
                f"{given['RoleArn']}",
                HTTPStatus.FORBIDDEN,
            )
        name = ROLE.rpartition("/")[2]
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{given['RoleSessionName']}"
        credentials = self._opened(ROLE, arn, given, timedelta(hours=1))
        user = {"AssumedRoleId": f"AROALOCALLOCALLOCAL:{given['RoleSessionName']}", "Arn": arn}
        return {"Credentials": credentials, "AssumedRoleUser": user}

    def _federation_token(self, caller: Caller, given: Mapping[str, Any]) -> Mapping[str, Any]:
        arn = f"arn:aws:sts::{ACCOUNT}:federated-user/{given['Name']}"
        self._check(caller, "sts:GetFederationToken", arn)
        if caller.token:
            raise Refused(
                "AccessDenied",
                "Cannot call GetFederationToken with session credentials",
                HTTPStatus.FORBIDDEN,
            )
        # Without a policy a federated session has none of the user's permissions.
        policy = given if "Policy" in given else {**given, "Policy": '{"Statement": []}'}
        credentials = self._opened(caller.principal, arn, policy, timedelta(hours=12))
        user = {"FederatedUserId": f"{ACCOUNT}:{given['Name']}", "Arn": arn}
        return {"Credentials": credentials, "FederatedUser": user}

    def _opened(
        self, principal: str, arn: str, given: Mapping[str, Any], usual: timedelta
    ) -> Mapping[str, Any]:
        policy = None
        if (text := given.get("Policy")) is not None:
            if len(text) > _LONGEST_POLICY:
                raise Refused("PackedPolicyTooLarge", "The session policy is too large")
            try:
                policy = json.loads(text)
            except ValueError:
                raise Refused("MalformedPolicyDocument", "Syntax errors in policy.") from None
        lifetime = timedelta(seconds=given.get("DurationSeconds", usual.total_seconds()))
        try:
            key, caller = self._world.open_session(principal, arn, policy, lifetime)
        except (Unevaluable, KeyError, TypeError) as err:
            raise Refused("MalformedPolicyDocument", f"Syntax errors in policy: {err}") from None
        return {
            "AccessKeyId": key,
            "SecretAccessKey": caller.secret,
            "SessionToken": caller.token,
            "Expiration": caller.expires_at,
        }

    def _bucket(self, request: Request, caller: Caller) -> tuple[str, Answer]:
        """``HeadBucket``, whose refusals have no body, and ``GetBucketPolicy``."""
        bucket = request.path.strip("/")
        asked = (request.method, request.query_string)
        if asked == ("GET", b"policy") and "/" not in bucket:
            return "GetBucketPolicy", self._bucket_policy(bucket, request, caller)
        if asked != ("HEAD", b"") or "/" in bucket:
            return "", Answer(status=HTTPStatus.NOT_IMPLEMENTED)
        found = self._world.bucket(bucket)
        if found is None:
            return "HeadBucket", Answer(status=HTTPStatus.NOT_FOUND)
        good = self._is_ours(found, request) and self._may(
            caller, "s3:ListBucket", f"arn:aws:s3:::{bucket}"
        )
        return "HeadBucket", Answer(status=HTTPStatus.OK if good else HTTPStatus.FORBIDDEN)

    def _bucket_policy(self, bucket: str, request: Request, caller: Caller) -> Answer:
        found = self._world.bucket(bucket)
        if found is None:
            return _s3_error("NoSuchBucket", "The specified bucket does not exist", 404)
        action, arn = "s3:GetBucketPolicy", f"arn:aws:s3:::{bucket}"
        if not self._is_ours(found, request) or not self._may(caller, action, arn):
            return _s3_error("AccessDenied", "Access Denied", 403)
        if "policy" not in found:
            return _s3_error("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
        return Answer(body=found["policy"])

    def _is_ours(self, bucket: Mapping[str, Any], request: Request) -> bool:
        owner = bucket["account"]
        expected = request.headers.get("x-amz-expected-bucket-owner", owner)
        return bool(expected == owner == ACCOUNT)

    def _dry_run(
        self, action: str, given: Mapping[str, Any], region: str, caller: Caller
    ) -> Answer:
        if not given.get("DryRun"):
            raise ec2.Refusal("UnsupportedOperation", "Only requests with DryRun are served")
        ids = given.get("InstanceIds") or [given.get("InstanceId")]
        resources = [
            f"arn:aws:ec2:{region}:{ACCOUNT}:instance/{one}" if one else "*" for one in ids
        ]
        if all(self._may(caller, f"ec2:{action}", resource) for resource in resources):
            raise ec2.Refusal(
                "DryRunOperation",
                "Request would have succeeded, but DryRun flag is set.",
                HTTPStatus.PRECONDITION_FAILED,
            )
        raise ec2.Refusal(
            "UnauthorizedOperation",
            "You are not authorized to perform this operation.",
            HTTPStatus.FORBIDDEN,
        )


def _s3_error(code: str, message: str, status: int) -> Answer:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return XmlAnswer(status=HTTPStatus(status), body=text, content_type="application/xml")
