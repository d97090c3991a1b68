"""EC2's own answer to whether a call is allowed: the same request with ``DryRun``.

"DryRun" in the common query parameters of the Amazon EC2 API reference: ``DryRunOperation`` when
the caller has the permissions, ``UnauthorizedOperation`` otherwise.
"""

from __future__ import annotations

from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from airflow_multicloud.adapters.permissions import Question
from airflow_multicloud.clouds.aws.errors import code_of
from airflow_multicloud.clouds.aws.identity.arns import EVERYTHING, Arn
from airflow_multicloud.clouds.aws.identity.client import IdentityBase
from airflow_multicloud.clouds.aws.identity.errors import translated
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, PermissionCheck

_ALLOWED, _DENIED = "DryRunOperation", "UnauthorizedOperation"
# What can be undone: somebody's stand-in for EC2 that ignores DryRun must not cost a machine.
_OF_INSTANCE = frozenset({"StartInstances", "StopInstances", "GetConsoleOutput"})


class DryRuns(IdentityBase):
    """Asks EC2 what IAM's simulator can't tell."""

    def _by_dry_run(
        self, checks: tuple[PermissionCheck, ...], arn: Arn | None
    ) -> tuple[PermissionCheck, ...]:
        """The same answers, but EC2's own for what is not known.

        :param arn: the resource; ``None`` for every resource.
        :raises CredentialsError: when the credentials are refused.
        """
        return tuple(
            self._dry_run(check, arn) if check.decision is Decision.UNKNOWN else check
            for check in checks
        )

    def _dry_run(self, check: PermissionCheck, arn: Arn | None) -> PermissionCheck:
        service, _, name = check.action.partition(":")
        if service != "ec2" or (arn is not None and arn.service != "ec2"):
            return check
        region = arn.region if arn and arn.region != EVERYTHING else None
        client = self._session.client("ec2", region=region or None)
        given = _arguments(client, name, arn)
        if given is None:
            return check
        question = Question(resource=check.resource, asked=f"{check.action} (DryRun)")
        try:
            with translated(f"trying {check.action} with DryRun"):
                return _tried(client, name, given, question, check)
        except CredentialsError as err:
            if err.kind is ErrorKind.UNAUTHENTICATED:
                raise
            return question.unknown(check.action, f"{check.reason}; {err}")


def _arguments(client: Any, name: str, arn: Arn | None) -> dict[str, Any] | None:
    """What a harmless call takes besides ``DryRun``; ``None`` for any other.

    Looking takes nothing; of an instance its id is enough.
    """
    model = client.meta.service_model
    if name not in model.operation_names:
        return None
    shape = model.operation_model(name).input_shape
    if shape is None or "DryRun" not in shape.members:
        return None
    if name.startswith("Describe") and not shape.required_members:
        return {}
    kind, _, instance = (arn.rest if arn else "").partition("/")
    if name in _OF_INSTANCE and kind == "instance" and "*" not in instance:
        return (
            {"InstanceIds": [instance]}
            if "InstanceIds" in shape.members
            else {"InstanceId": instance}
        )
    return None


def _tried(
    client: Any, name: str, given: dict[str, Any], question: Question, check: PermissionCheck
) -> PermissionCheck:
    try:
        getattr(client, xform_name(name))(DryRun=True, **given)
    except ClientError as err:
        if code_of(err) == _ALLOWED:
            return question.answer(check.action, Decision.ALLOW, "EC2 says that it would succeed")
        if code_of(err) == _DENIED:
            return question.answer(check.action, Decision.DENY, "EC2 says that it is not allowed")
        raise
    return question.unknown(check.action, "EC2 answered as if DryRun had not been asked for")
