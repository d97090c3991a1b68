"""Credentials for a part of what the caller may do: sessions with a policy of their own, by STS.

https://docs.aws.amazon.com/STS/latest/APIReference/, API_AssumeRole.html and
API_GetFederationToken.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any, Final

import boto3

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.adapters.permissions import refused, shown
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.identity.arns import (
    EVERYTHING,
    checked,
    checked_resource,
    without_escapes,
)
from airflow_multicloud.clouds.aws.identity.errors import granting
from airflow_multicloud.clouds.aws.identity.sources import SESSION_POLICIES, PolicySources
from airflow_multicloud.errors import CredentialsError
from airflow_multicloud.ports.identity import ScopedToken, TokenScope

_SHORTEST: Final = timedelta(minutes=15)
#: By operation: DurationSeconds.
_LONGEST_OF_ROLE: Final = timedelta(hours=12)
_LONGEST_OF_USER: Final = timedelta(hours=36)
#: "The plaintext that you use for both inline and managed session policies can't exceed 2,048
#: characters."
_LONGEST_POLICY: Final = 2048
_SESSION: Final = "airflow-multicloud"
#: What stands for other text in an element Resource: "IAM policy elements: Variables and tags".
_SIGNS: Final = ("*", "?", "${")


class SessionTokens(PolicySources):
    """The port's ``scoped_token``."""

    def scoped_token(self, scope: TokenScope) -> ScopedToken:
        """Credentials of a session whose policy allows these actions on these resources only.

        A connection with a role takes it on once more, with the policy. A user's connection asks
        for a federated session; those may not call IAM, nor STS but for ``GetCallerIdentity``.

        :param scope: resources may end in ``*``; ``valid_for`` is from 15 minutes to 12 hours, or
            36 for a user; the role's own longest session limits it, too.
        :raises CredentialsError: ``permission_denied``; ``invalid_argument`` for another time, a
            policy that is too long, or credentials that can't be narrowed.
        """
        policy = _policy(scope)
        role = self._session.connection.role_arn
        told = self._of_role(role, scope, policy) if role else self._of_user(scope, policy)
        with well_formed("reading STS's answer", NAME, area=CredentialsError):
            given = told["Credentials"]
            secret, token = str(given["SecretAccessKey"]), str(given["SessionToken"])
            mask_value(secret.encode())
            mask_value(token.encode())
            credentials = {"access_key": given["AccessKeyId"], "secret_key": secret, "token": token}
            return ScopedToken(
                credentials=credentials, expires_at=given["Expiration"].astimezone(UTC)
            )

    def _of_role(self, role: str, scope: TokenScope, policy: str) -> Mapping[str, Any]:
        connection = self._session.connection
        seconds = _seconds(scope.valid_for, _LONGEST_OF_ROLE)
        if connection.assume_role_method != "assume_role":
            raise self._not_narrowed(f"it takes on its role by {connection.assume_role_method}")
        kwargs = dict(connection.assume_role_kwargs)
        if limits := [extra for extra in SESSION_POLICIES if kwargs.get(extra)]:
            raise self._not_narrowed(
                f"its assume_role_kwargs have {' and '.join(limits)}, which would widen the "
                "token's own policy"
            )
        with granting(f"taking on {role} with a policy"):
            # As the user or machine that may take on the role: the role itself may not.
            own = boto3.session.Session(**connection.session_kwargs)
            sts = own.client(
                "sts",
                region_name=self._session.region,
                endpoint_url=connection.get_service_endpoint_url("sts", sts_connection_assume=True),
                config=self._session.config,
                verify=self._session.verify,
            )
            told: Mapping[str, Any] = sts.assume_role(
                **{
                    "RoleSessionName": _SESSION,
                    **kwargs,
                    "RoleArn": role,
                    "Policy": policy,
                    "DurationSeconds": seconds,
                }
            )
        return told

    def _of_user(self, scope: TokenScope, policy: str) -> Mapping[str, Any]:
        seconds = _seconds(scope.valid_for, _LONGEST_OF_USER)
        source = self._policy_source()
        if not source.is_user:
            raise self._not_narrowed(
                "they do not belong to a user, and the connection names no role_arn"
            )
        with granting(f"asking STS for a federated session of {source.arn}"):
            told: Mapping[str, Any] = self._session.client("sts").get_federation_token(
                Name=_SESSION, Policy=policy, DurationSeconds=seconds
            )
        return told

    def _not_narrowed(self, why: str) -> CredentialsError:
        return refused(
            f"connection {self.aws_conn_id!r}",
            f"its credentials can't be narrowed: {why}; name the role that the token is to have in "
            "the extra role_arn, or use a user's key",
            NAME,
        )


def _policy(scope: TokenScope) -> str:
    actions = checked(scope.actions)
    if not scope.resources:
        raise refused("resources", "none given; expected ARNs, or '*'", NAME)
    for resource in scope.resources:
        _check_literal(resource)
    resources = [EVERYTHING] if EVERYTHING in scope.resources else list(scope.resources)
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
    if len(policy) > _LONGEST_POLICY:
        raise refused(
            "scope",
            f"its policy has {len(policy)} characters; STS takes {_LONGEST_POLICY}: name fewer "
            "actions or resources",
            NAME,
        )
    return policy


def _check_literal(resource: str) -> None:
    """Object names may contain characters that policies read as patterns and variables."""
    checked_resource(resource, "resources")
    named = without_escapes(resource).removesuffix("*")
    if found := next((sign for sign in _SIGNS if sign in named), None):
        raise refused(
            "resources",
            f"{shown(resource)} given; policies would read its {found!r} as more than it says: "
            "expected names, which may end in one '*'; for these characters write ${*}, ${?}, ${$}",
            NAME,
        )


def _seconds(valid_for: timedelta, longest: timedelta) -> int:
    if not _SHORTEST <= valid_for <= longest:
        raise refused("valid_for", f"{valid_for} given; STS gives {_SHORTEST} to {longest}", NAME)
    return int(valid_for.total_seconds())
