"""Whose policies decide what the caller may do."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_multicloud.clouds.aws.identity.arns import Arn
from airflow_multicloud.clouds.aws.identity.client import IdentityBase
from airflow_multicloud.clouds.aws.identity.errors import translated
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Principal

#: Extras of ``assume_role_kwargs`` that have a session be less than its role.
SESSION_POLICIES = ("Policy", "PolicyArns")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySource:
    """The user or role whose policies are simulated.

    :param account: of the caller.
    :param arn: empty where there is none, as of an account's root user.
    :param why_not: why an allowed action may be denied all the same, or why nothing is simulated.
    """

    account: str
    arn: str
    why_not: str | None = None

    @property
    def is_user(self) -> bool:
        """Whether it is a user, and not a role."""
        return ":user/" in self.arn


class PolicySources(IdentityBase):
    """Finds it by the caller's ARN.

    "IAM identifiers" in the IAM User Guide: a session's ARN has its role's name, not its path.
    """

    def _policy_source(self) -> PolicySource:
        """The caller's.

        :raises CredentialsError: when AWS refuses the credentials or can't be reached.
        """
        caller = self.who_am_i()
        arn = Arn.read(caller.principal)
        kind, _, rest = ("", "", "") if arn is None else arn.rest.partition("/")
        if arn is not None and kind == "user":
            return PolicySource(account=caller.account_id, arn=arn.text)
        if arn is not None and kind == "assumed-role":
            return self._role(arn, rest.partition("/")[0], caller)
        if kind == "federated-user":
            why = (
                f"{caller.principal} is a federated session, whose own policy can't be asked for; "
                "use the user's or a role's credentials"
            )
        else:
            why = (
                f"{caller.principal} has no policies that could be simulated (an account's root "
                "user is limited by its organization only); use a user's or a role's credentials"
            )
        return PolicySource(account=caller.account_id, arn="", why_not=why)

    def _role(self, session: Arn, name: str, caller: Principal) -> PolicySource:
        # Names of roles are unique in an account whatever their path, so this one is right where
        # the role has none, and nobody's elsewhere.
        found = f"arn:{session.partition}:iam::{caller.account_id}:role/{name}"
        try:
            with translated(f"asking IAM for the role {name}"):
                found = self._session.client("iam").get_role(RoleName=name)["Role"]["Arn"]
        except CredentialsError as err:
            if err.kind is ErrorKind.UNAUTHENTICATED:
                raise
        why = None
        kwargs = self._session.connection.assume_role_kwargs
        if limits := [extra for extra in SESSION_POLICIES if kwargs.get(extra)]:
            why = (
                f"the role's policies allow it, but the connection's assume_role_kwargs limit the "
                f"session by {' and '.join(limits)}, which can't be simulated"
            )
        return PolicySource(account=caller.account_id, arn=found, why_not=why)
