"""What the caller may do, by IAM's policy simulator; what that can't tell, by EC2's dry runs.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html. It knows the
caller's own policies, its permissions boundary and the organization's service control policies. It
does not know the policies of resources, nor a session's own policy that somebody else gave it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.permissions import Asking, Question, unasked
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.identity.arns import (
    EVERYTHING,
    Arn,
    checked,
    checked_resource,
    unescaped,
)
from airflow_multicloud.clouds.aws.identity.dry_runs import DryRuns
from airflow_multicloud.clouds.aws.identity.errors import translated
from airflow_multicloud.clouds.aws.identity.sources import PolicySource, PolicySources
from airflow_multicloud.clouds.aws.identity.verdicts import Verdict, verdict_of
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, PermissionCheck

_CALL: Final = "iam:SimulatePrincipalPolicy"
#: Actions of one request: IAM's model names no limit, and an answer has a page of 100 results.
_AT_ONCE: Final = 100
#: Where the resource's own policy decides, whatever the caller's says: "Key policies in AWS KMS".
_DECIDED_BY_RESOURCE: Final = frozenset({"kms"})


class SimulatedPermissions(PolicySources, DryRuns):
    """The port's ``check_permissions``."""

    def check_permissions(
        self, actions: Sequence[str], resource: str
    ) -> tuple[PermissionCheck, ...]:
        """Simulate the caller's policies.

        An action is allowed when the user's or role's policies, its permissions boundary and the
        organization's policies allow it. ``unknown`` is what they can't tell: a resource of another
        account, whose own policy decides too; conditions on values that only a request has; root
        users and federated sessions; and everything, when the caller may not simulate. EC2's calls
        that change nothing of which that is so are then tried with ``DryRun``.

        :param actions: as ``s3:PutObject``, without wildcards.
        :param resource: an ARN, or ``*`` for actions that can't be limited to a resource. As in
            policies, ``${*}``, ``${?}`` and ``${$}`` stand for these characters.
        :raises CredentialsError: the credentials are refused; ``invalid_argument`` for what is no
            action or resource of AWS.
        """
        given, arn = checked(actions), checked_resource(resource)
        question = Question(resource=resource, asked=_CALL)
        try:
            source = self._policy_source()
        except CredentialsError as err:
            if not err.kind.is_outage:
                raise
            return unasked(given, resource, err)
        if source.arn:
            found = Asking(
                question, lambda some: self._judged(question, source, some, arn), _AT_ONCE
            ).about(given)
        else:
            found = unasked(given, resource, source.why_not or "")
        return self._by_dry_run(found, arn)

    def _judged(
        self, question: Question, source: PolicySource, actions: Sequence[str], arn: Arn | None
    ) -> Mapping[str, PermissionCheck]:
        told = self._simulated(source, actions, question.resource)
        doing = f"reading the answer of {_CALL}"
        with well_formed(doing, NAME, area=CredentialsError):
            read = [(str(one["EvalActionName"]).casefold(), verdict_of(one)) for one in told]
        verdicts: dict[str, Verdict] = {}
        for name, verdict in read:
            verdicts[name] = verdicts[name].and_also(verdict) if name in verdicts else verdict
        allowed = any(one.decision is Decision.ALLOW for one in verdicts.values())
        why_not = self._why_not(source, arn) if allowed else None
        found: dict[str, PermissionCheck] = {}
        for action in actions:
            if (one := verdicts.get(action.casefold())) is not None:
                if one.decision is Decision.ALLOW and why_not is not None:
                    found[action] = question.unknown(action, why_not)
                else:
                    found[action] = question.answer(action, one.decision, one.reason(source, arn))
        return found

    def _simulated(
        self, source: PolicySource, actions: Sequence[str], resource: str
    ) -> list[Mapping[str, Any]]:
        doing = f"asking {_CALL} about {source.arn}"
        with translated(doing):
            pages = self._session.client("iam").get_paginator("simulate_principal_policy")
            return [
                one
                for page in pages.paginate(
                    PolicySourceArn=source.arn,
                    ActionNames=list(actions),
                    ResourceArns=[unescaped(resource)],
                    ContextEntries=self._context(source, resource),
                )
                for one in page["EvaluationResults"]
            ]

    def _context(self, source: PolicySource, resource: str) -> list[dict[str, Any]]:
        """What is known of any request of this connection to this resource, and nothing else.

        "AWS global condition context keys" in the IAM User Guide.
        """
        arn = Arn.read(resource)
        known = {"aws:PrincipalArn": source.arn, "aws:PrincipalAccount": source.account}
        if arn is not None and arn.region:
            known["aws:RequestedRegion"] = arn.region
        if arn is not None and self._session.endpoint_url(arn.service) is None:
            return [
                *_entries(known, "string"),
                *_entries({"aws:SecureTransport": "true"}, "boolean"),
            ]
        return _entries(known, "string")

    def _why_not(self, source: PolicySource, arn: Arn | None) -> str | None:
        """Why what the caller's policies allow may be denied all the same."""
        if source.why_not is not None:
            return source.why_not
        if arn is None:
            return None
        if arn.account and arn.account not in (source.account, "aws"):
            return (
                f"the caller's policies allow it, but {arn.text} is of account {arn.account}, "
                "whose own policy on it must allow it too, and is not simulated"
            )
        if arn.service in _DECIDED_BY_RESOURCE:
            return "the caller's policies allow it, but the key's own policy decides"
        if arn.service == "s3" and not arn.account:
            return self._why_not_ours(arn, source.account)
        return None

    def _why_not_ours(self, arn: Arn, account: str) -> str | None:
        """Whether a bucket may be another account's: its ARN does not tell."""
        bucket = arn.rest.partition("/")[0]
        if EVERYTHING in bucket:
            return f"the caller's policies allow it, but not whose the buckets {bucket} are"
        try:
            with translated(f"asking S3 whether {bucket} is of account {account}"):
                self._session.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
        except CredentialsError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return None  # It will be of the account that makes it.
            return (
                f"the caller's policies allow it, but {bucket} may be of another account, or its "
                f"own policy refuse it: {err}"
            )
        return None


def _entries(values: Mapping[str, str], kind: str) -> list[dict[str, Any]]:
    return [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": kind}
        for name, value in values.items()
    ]
