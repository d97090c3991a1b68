"""One result of IAM's policy simulator, in this package's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.clouds.aws.identity.arns import Arn
from airflow_multicloud.clouds.aws.identity.sources import PolicySource
from airflow_multicloud.ports.identity import Decision

# PolicyEvaluationDecisionType of IAM's model.
_DECISIONS = {
    "allowed": Decision.ALLOW,
    "explicitDeny": Decision.DENY,
    "implicitDeny": Decision.DENY,
}
#: Services whose resources have policies that allow a caller of the same account by themselves:
#: "AWS services that work with IAM" in the IAM User Guide, as far as this package uses them.
_HAVE_POLICIES = frozenset({"s3", "secretsmanager", "kms", "sqs", "sns", "logs"})
#: Those whose policies may deny, too, and are not read here: buckets' are, and a key's decides.
POLICIES_UNREAD = frozenset({"secretsmanager", "sqs", "sns"})
# "Overview of managing access permissions to your CloudWatch Logs resources": policies of log
# groups let services deliver to them.
_GROUPS_POLICIES = frozenset({"logs"})
_MOST_NAMED = 3
#: Begins what nobody knows beforehand, in a resource; no role's name has it.
_UNTOLD = "{"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the simulator says.

    :param explicit: whether a statement denies it, and not only none allows it.
    :param policies: the policies whose statements decide.
    :param missing: condition keys that a policy asks for and nobody knows beforehand.
    :param layers: what else denies it: an organization's policy, a boundary.
    :param open: whether it is allowed as far as the condition keys are known.
    :param organized: whether an organization's policies count, of which the simulator does not tell
        the condition keys that it was not given.
    """

    decision: Decision
    explicit: bool = False
    policies: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    open: bool = False
    organized: bool = False

    def and_also(self, other: Verdict) -> Verdict:
        """Both: what one of them denies is denied, what one can't tell is not known."""
        order = (Decision.ALLOW, Decision.UNKNOWN, Decision.DENY)
        worst = max(self, other, key=lambda one: (order.index(one.decision), one.explicit))
        return Verdict(
            decision=worst.decision,
            explicit=worst.explicit,
            policies=worst.policies,
            missing=tuple(dict.fromkeys((*self.missing, *other.missing))),
            layers=tuple(dict.fromkeys((*self.layers, *other.layers))),
            open=self.open and other.open,
            organized=self.organized or other.organized,
        )

    def reason(self, source: PolicySource, arn: Arn | None) -> str:
        """Why, in a sentence."""
        by = f" ({', '.join(self.policies[:_MOST_NAMED])})" if self.policies else ""
        if self.decision is Decision.UNKNOWN:
            return (
                f"policies of {source.arn} depend on {', '.join(self.missing)}, which only a "
                f"request has"
            )
        if self.decision is Decision.ALLOW:
            is_unseen = arn is not None and arn.service in _GROUPS_POLICIES
            unseen = "; a policy of the resource itself is not looked at" if is_unseen else ""
            return f"allowed by policies of {source.arn}{by}{unseen}{self._unknown_conditions}"
        if self.explicit:
            return f"explicitly denied{by}{_also(self.layers)}"
        if self.layers:
            return f"implicitly denied: {' and '.join(self.layers)}"
        return f"implicitly denied: no policy of {source.arn} allows it"

    @property
    def is_by_silence(self) -> bool:
        """Whether it is denied only because none of the caller's policies allows it."""
        return self.decision is Decision.DENY and not self.explicit and not self.layers

    def why_maybe(self, source: PolicySource, arn: Arn | None) -> str | None:
        """Why the resource itself, say, may allow what no policy of the caller allows."""
        if arn is not None and arn.service == "iam" and _UNTOLD in arn.rest:
            return (
                f"no policy of {source.arn} allows it for every role, and only IAM tells which "
                "role this is"
            )
        if arn is None or arn.service not in _HAVE_POLICIES:
            return None
        if arn.service == "s3" and not arn.account:
            return None  # A bucket's is read.
        if arn.account and arn.account != source.account:
            return None  # Across accounts both must allow it.
        return (
            f"no policy of {source.arn} allows it; a policy of the resource itself may, and is not "
            "read"
        )

    @property
    def _unknown_conditions(self) -> str:
        if not self.organized:
            return ""
        return "; what the organization's policies ask of a request is not told"


def verdict_of(result: Mapping[str, Any]) -> Verdict:
    """An ``EvaluationResult`` with what it says of its resource.

    :raises LookupError: (or another of :data:`~airflow_multicloud.adapters.answers.MALFORMED`)
        when it is none.
    """
    specific = result.get("ResourceSpecificResults") or ()
    # Beside a resource they are in its own result, where the decision is of all results together.
    missing = tuple(
        dict.fromkeys(
            str(name)
            for one in (result, *specific)
            for name in one.get("MissingContextValues") or ()
        )
    )
    found = _verdict(result, result["EvalDecision"], missing)
    for one in specific:
        found = found.and_also(_verdict(one, one["EvalResourceDecision"], missing))
    return found


def _verdict(told: Mapping[str, Any], decision: str, missing: tuple[str, ...]) -> Verdict:
    organization = told.get("OrganizationsDecisionDetail") or {}
    boundary = told.get("PermissionsBoundaryDecisionDetail") or {}
    layers = []
    if organization.get("AllowedByOrganizations") is False:
        layers.append("the organization's service control policies do not allow it")
    if boundary.get("AllowedByPermissionsBoundary") is False:
        layers.append("the caller's permissions boundary does not allow it")
    details = told.get("EvalDecisionDetails") or {}
    layers += [f"{name} says {value}" for name, value in details.items() if value != "allowed"]
    policies = (str(one.get("SourcePolicyId")) for one in told.get("MatchedStatements") or ())
    return Verdict(
        decision=Decision.UNKNOWN if missing else _DECISIONS[decision],
        explicit=decision == "explicitDeny",
        policies=tuple(dict.fromkeys(policies)),
        missing=missing,
        layers=tuple(layers) if decision != "allowed" else (),
        open=decision == "allowed",
        organized=bool(organization),
    )


def _also(layers: tuple[str, ...]) -> str:
    return f"; {' and '.join(layers)}" if layers else ""
