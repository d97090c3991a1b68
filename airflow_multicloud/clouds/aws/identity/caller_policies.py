"""The policies of the caller itself, where the simulator's answer on a pattern is not enough.

Asked about ``bucket/sales/*`` the simulator sees no statement on ``bucket/sales/private/*``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.identity.documents import Statement, statements_of
from airflow_multicloud.clouds.aws.identity.errors import translated
from airflow_multicloud.clouds.aws.identity.sources import PolicySource, PolicySources
from airflow_multicloud.errors import CredentialsError, ErrorKind


@dataclass(frozen=True, slots=True)
class Limits:
    """What may take away some of what a pattern stands for.

    :param unread: why it is not known.
    """

    statements: tuple[Statement, ...]
    resource: str
    unread: CredentialsError | None = None

    def may_turn(self, action: str, missing: Iterable[str]) -> bool:
        """Whether what is allowed may be denied when keys of conditions have a value."""
        keys = frozenset(map(str.casefold, missing))
        return self.unread is not None or any(
            one.may_turn(action, self.resource, keys) for one in self.statements
        )

    def why_not(self, action: str) -> str | CredentialsError | None:
        """Why an action that is allowed on the pattern may be denied all the same."""
        if self.unread is not None:
            return self.unread
        for one in self.statements:
            if one.limits_below(action, self.resource):
                return (
                    f"the caller's policies allow it on {self.resource}, but {one.name} denies or "
                    "does not allow it on some of that"
                )
        return None


class CallerPolicies(PolicySources):
    """Reads them: attached ones, inline ones, those of a user's groups, and the boundary."""

    def _limits_below(self, source: PolicySource, resource: str) -> Limits:
        """What may take away some of what a pattern stands for.

        :raises CredentialsError: when the credentials are refused.
        """
        doing = f"reading the policies of {source.arn}"
        try:
            with translated(doing):
                told = list(self._documents(source))
            with well_formed(doing, NAME, area=CredentialsError):
                read = tuple(one for name, text in told for one in statements_of(name, text))
        except CredentialsError as err:
            if err.kind is ErrorKind.UNAUTHENTICATED:
                raise
            why = (
                f"the caller's policies allow it on {resource}, but may deny it on some of that, "
                f"and could not be read: {err}"
            )
            return Limits((), resource, CredentialsError(why, kind=err.kind, cloud=NAME))
        return Limits(read, resource)

    def _documents(self, source: PolicySource) -> Iterator[tuple[str, Mapping[str, Any]]]:
        iam: Any = self._session.client("iam")
        name = source.arn.rpartition("/")[2]
        if source.is_user:
            boundary = iam.get_user(UserName=name)["User"].get("PermissionsBoundary")
            yield from self._documents_of("user", name)
            for page in iam.get_paginator("list_groups_for_user").paginate(UserName=name):
                for group in page["Groups"]:
                    yield from self._documents_of("group", group["GroupName"])
        else:
            boundary = iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary")
            yield from self._documents_of("role", name)
        if boundary:
            yield self._managed(boundary["PermissionsBoundaryArn"])

    def _documents_of(self, kind: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Attached and inline policies of a ``user``, a ``group`` or a ``role``."""
        iam: Any = self._session.client("iam")
        whose = {f"{kind.title()}Name": name}
        for page in iam.get_paginator(f"list_attached_{kind}_policies").paginate(**whose):
            for attached in page["AttachedPolicies"]:
                yield self._managed(attached["PolicyArn"])
        get = getattr(iam, f"get_{kind}_policy")
        for page in iam.get_paginator(f"list_{kind}_policies").paginate(**whose):
            for policy in page["PolicyNames"]:
                yield policy, get(**whose, PolicyName=policy)["PolicyDocument"]

    def _managed(self, arn: str) -> tuple[str, Mapping[str, Any]]:
        iam: Any = self._session.client("iam")
        policy = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
        document: Mapping[str, Any] = version["PolicyVersion"]["Document"]
        return policy["PolicyName"], document
