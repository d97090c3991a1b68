"""What the caller may do, by IAM's policy simulator; what that can't tell, by EC2's dry runs.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html. It knows the
caller's own policies, its permissions boundary and the organization's service control policies. It
does not know the policies of resources, nor a session's own policy that somebody else gave it; and
of a resource that ends in ``*`` it sees what concerns all of it, not what concerns a part. Buckets'
policies and the caller's own are therefore read as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType
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
    without_escapes,
)
from airflow_multicloud.clouds.aws.identity.buckets import BucketPolicies, BucketPolicy, Said
from airflow_multicloud.clouds.aws.identity.caller_policies import CallerPolicies, Limits
from airflow_multicloud.clouds.aws.identity.dry_runs import DryRuns
from airflow_multicloud.clouds.aws.identity.errors import translated
from airflow_multicloud.clouds.aws.identity.sources import PolicySource
from airflow_multicloud.clouds.aws.identity.verdicts import POLICIES_UNREAD, Verdict, verdict_of
from airflow_multicloud.errors import CredentialsError
from airflow_multicloud.ports.identity import Decision, PermissionCheck

_CALL: Final = "iam:SimulatePrincipalPolicy"
#: Actions of one request: IAM's model names no limit, and an answer has a page of 100 results.
_AT_ONCE: Final = 100
#: Where the resource's own policy decides, whatever the caller's says: "Key policies in AWS KMS".
_DECIDED_BY_RESOURCE: Final = frozenset({"kms"})


class SimulatedPermissions(CallerPolicies, BucketPolicies, DryRuns):
    """The port's ``check_permissions``."""

    def check_permissions(
        self,
        actions: Sequence[str],
        resource: str,
        *,
        to_be_made: bool = False,
        context: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[PermissionCheck, ...]:
        """Simulate the caller's policies.

        An action is allowed when the user's or role's policies, its permissions boundary and the
        organization's policies allow it, and a bucket's policy does not deny it. ``unknown`` is
        what they can't tell: a resource of another account, whose own policy decides too, or one
        whose policy is not read and may grant or deny it; what is denied on some of a pattern;
        conditions on values that only a request has; root users and federated sessions; and
        everything, when the caller may not simulate. EC2's calls that change nothing of which that
        is so are then tried with ``DryRun``.

        :param actions: as ``s3:PutObject``, without wildcards.
        :param resource: an ARN, or ``*`` for actions that can't be limited to a resource. As in
            policies, ``${*}``, ``${?}`` and ``${$}`` stand for these characters.
        :param to_be_made: of a bucket that is not there, the caller's policies decide alone.
        :param context: condition keys with their values, as ``aws:ResourceTag/team``.
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
                question,
                lambda some: self._judged(
                    question, source, some, arn, to_be_made=to_be_made, context=context
                ),
                _AT_ONCE,
            ).about(given)
        else:
            found = unasked(given, resource, source.why_not or "")
        return self._by_dry_run(found, arn)

    def _judged(
        self,
        question: Question,
        source: PolicySource,
        actions: Sequence[str],
        arn: Arn | None,
        *,
        to_be_made: bool,
        context: Mapping[str, str],
    ) -> Mapping[str, PermissionCheck]:
        told = self._simulated(source, actions, question.resource, context)
        doing = f"reading the answer of {_CALL}"
        with well_formed(doing, NAME, area=CredentialsError):
            read = [(str(one["EvalActionName"]).casefold(), verdict_of(one)) for one in told]
        verdicts: dict[str, Verdict] = {}
        for name, verdict in read:
            verdicts[name] = verdicts[name].and_also(verdict) if name in verdicts else verdict
        text = EVERYTHING if arn is None else unescaped(arn.text)
        limits = cache(lambda: self._limits_below(source, text))
        for name, verdict in verdicts.items():
            missing = verdict.missing
            if missing and verdict.open and not limits().may_turn(name, missing):
                # Another statement of the same policies asks for these keys, and grants more.
                verdicts[name] = replace(verdict, decision=Decision.ALLOW, missing=())
        judge = self._judge(source, arn, verdicts.values(), limits, to_be_made=to_be_made)
        found: dict[str, PermissionCheck] = {}
        for action in actions:
            if (one := verdicts.get(action.casefold())) is not None:
                decision, why = judge(action, one)
                if decision is Decision.UNKNOWN:
                    found[action] = question.unknown(action, why)
                else:
                    found[action] = question.answer(action, decision, str(why))
        return found

    def _judge(
        self,
        source: PolicySource,
        arn: Arn | None,
        verdicts: Collection[Verdict],
        read: Callable[[], Limits],
        *,
        to_be_made: bool,
    ) -> Callable[[str, Verdict], Said]:
        """The answer for a verdict, with what the simulator does not see."""
        allowed = any(one.decision is Decision.ALLOW for one in verdicts)
        why_not = self._why_not(source, arn) if allowed else None
        silent = any(one.is_by_silence for one in verdicts)
        bucket = self._bucket_of(arn, source.account) if allowed or silent else None
        text = EVERYTHING if arn is None else unescaped(arn.text)
        limits = None
        if allowed and why_not is None and arn and EVERYTHING in without_escapes(arn.rest):
            limits = read()

        if to_be_made and bucket is not None and bucket.is_missing:
            bucket = None

        def judged(action: str, verdict: Verdict) -> Said:
            said: Said | None = None
            if verdict.decision is Decision.ALLOW:
                if why_not is not None:
                    return Decision.UNKNOWN, why_not
                said = bucket.on_allowed(action, text) if bucket is not None else None
                if said is None and limits and (why := limits.why_not(action)) is not None:
                    said = Decision.UNKNOWN, why
            elif verdict.is_by_silence:
                said = bucket.on_denied(action, text) if bucket is not None else None
                if said is None and (why := verdict.why_maybe(source, arn)) is not None:
                    said = Decision.UNKNOWN, why
            return said or (verdict.decision, verdict.reason(source, arn))

        return judged

    def _simulated(
        self,
        source: PolicySource,
        actions: Sequence[str],
        resource: str,
        context: Mapping[str, str],
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
                    ContextEntries=[
                        *self._context(source, resource),
                        *_entries(context, "string"),
                    ],
                )
                for one in page["EvaluationResults"]
            ]

    def _context(self, source: PolicySource, resource: str) -> list[dict[str, Any]]:
        """What is known of any request of this connection to this resource, and nothing else.

        "AWS global condition context keys" in the IAM User Guide.
        """
        arn = Arn.read(resource)
        known = {"aws:PrincipalArn": source.arn, "aws:PrincipalAccount": source.account}
        if arn is not None and arn.region not in ("", EVERYTHING):
            known["aws:RequestedRegion"] = arn.region
        if arn is not None and self._session.endpoint_url(arn.service) is None:
            return [
                *_entries(known, "string"),
                *_entries({"aws:SecureTransport": "true"}, "boolean"),
            ]
        return _entries(known, "string")

    def _why_not(self, source: PolicySource, arn: Arn | None) -> str | None:
        """Why an action may be denied even though the caller's policies allow it."""
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
        if arn.service in POLICIES_UNREAD or (arn.service == "s3" and arn.account):
            return "the caller's policies allow it, but the resource's own policy is not read"
        return None

    def _bucket_of(self, arn: Arn | None, account: str) -> BucketPolicy | None:
        """The policy of the bucket that is asked about; ``None`` for any other resource."""
        if arn is None or arn.service != "s3" or arn.account:
            return None
        return self._bucket_policy(arn.rest.partition("/")[0], account)


def _entries(values: Mapping[str, str], kind: str) -> list[dict[str, Any]]:
    return [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": kind}
        for name, value in values.items()
    ]
