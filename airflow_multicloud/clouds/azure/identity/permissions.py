"""What the caller may do, by the roles that Azure says it has at a scope.

https://learn.microsoft.com/rest/api/authorization/permissions: what all role assignments to the
caller and its groups grant, at the scope and above it. Azure has no call that judges an action, so
that is done here, by the documented rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    ProxyPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.authorization import AuthorizationManagementClient

from airflow_multicloud.adapters.answers import Tokens, well_formed
from airflow_multicloud.adapters.permissions import (
    Question,
    checked_actions,
    refused,
    shown,
    unasked,
)
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.identity.deny_assignments import Denial
from airflow_multicloud.clouds.azure.identity.errors import manager_translated
from airflow_multicloud.clouds.azure.identity.facts import why_not_named
from airflow_multicloud.clouds.azure.identity.operations import Operations, operations_of
from airflow_multicloud.clouds.azure.identity.principals import Principals
from airflow_multicloud.clouds.azure.identity.roles import OperationSet
from airflow_multicloud.clouds.azure.identity.storage import storage_checks
from airflow_multicloud.clouds.azure.resending import ReadableWaits
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, PermissionCheck

#: The SDK's, which has this operation for resource groups and resources only.
_API_VERSION: Final = "2022-04-01"
_CALL: Final = "Microsoft.Authorization/permissions"
#: ``Provider/type/…/verb``; ``*`` for a part of it, as in ``…/query/*/read``.
_OPERATION = re.compile(
    r"(?=.{5,512}\Z)[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)+(?:/(?:[A-Za-z0-9.$_-]+|\*))+"
)
_SCOPE = re.compile(
    r"/subscriptions/[0-9a-fA-F-]{36}"
    r"(?:/resourceGroups/[^/\s?#]{1,90}(?:/providers/[^/\s?#]+(?:/[^/\s?#]+/[^/\s?#]+)+)?)?",
    re.IGNORECASE,
)
_LONGEST = 2048


class RolePermissions(Principals):
    """The port's ``check_permissions``."""

    def check_permissions(
        self,
        actions: Sequence[str],
        resource: str,
        *,
        to_be_made: bool = False,  # noqa: ARG002  # Azure tells of any id below what is there
        context: Mapping[str, str] = MappingProxyType({}),  # noqa: ARG002  # it has no such keys
    ) -> tuple[PermissionCheck, ...]:
        """Judge the actions by the caller's roles and by what is denied to everybody.

        Data actions need roles with ``dataActions``. Conditions of role assignments (on names and
        tags of blobs) are not seen. A role that was assigned takes minutes to count. A ``wasb``
        connection with a key or a shared access signature is judged by that, see
        :mod:`~airflow_multicloud.clouds.azure.identity.storage`.

        :param actions: as ``Microsoft.Compute/virtualMachines/start/action``; a part may be ``*``,
            which is allowed when all is that it stands for.
        :param resource: the id of a subscription, a resource group or a resource.
        :param to_be_made: makes no difference: roles count for whatever lies below their scope.
        :param context: makes no difference.
        :raises CredentialsError: the credentials are refused; ``invalid_argument`` for what is no
            action or resource of Azure.
        """
        expected = "Provider/type/verb, as Microsoft.Compute/virtualMachines/read; '*' for a part"
        given = checked_actions(actions, _OPERATION, expected=expected, cloud=NAME)
        untold = why_not_named(resource, self.conn_id) if isinstance(resource, str) else None
        scope = _checked_scope(resource) if untold is None else resource
        if self.account is not None and self._azure.resource_manager.credential is None:
            return storage_checks(self.account, self.conn_id, given, scope)
        if untold is not None:
            return unasked(given, resource, untold)
        question = Question(resource=resource, asked=_CALL)
        try:
            roles = list(self._roles(scope))
            denials, unread = self._denials(scope)
        except CredentialsError as err:
            if err.kind is ErrorKind.UNAUTHENTICATED:
                raise
            return tuple(question.unknown(action, err) for action in given)
        providers = {action.partition("/")[0].casefold() for action in given}
        operations = {provider: self._operations(provider) for provider in providers}
        return tuple(
            _judged(
                question,
                action,
                roles=roles,
                denials=denials,
                unread=unread,
                operations=operations[action.partition("/")[0].casefold()],
            )
            for action in given
        )

    def _roles(self, scope: str) -> Iterator[OperationSet]:
        """What each role of the caller grants at a scope."""
        doing = f"asking Azure for the caller's permissions on {scope}"
        client = self._azure.client("permissions", self._open_permissions)
        url = f"{quote(scope)}/providers/{_CALL}?api-version={_API_VERSION}"
        link: str | None = client.format_url(url)
        tokens = Tokens(doing, NAME, area=CredentialsError)
        while link:
            with manager_translated(doing):
                answer = client.send_request(HttpRequest("GET", link))
                if answer.status_code != HTTPStatus.OK:
                    raise HttpResponseError(response=answer)
            with well_formed(doing, NAME, area=CredentialsError):
                page: Mapping[str, Any] = answer.json()
                found = [OperationSet.read(one) for one in page["value"]]
                link = page.get("nextLink")
            if link:
                self._check_link(link, doing)
                tokens.note(link)
            yield from found

    def _check_link(self, link: str, doing: str) -> None:
        """The next page is on the same host: it would get the token."""
        if not link.startswith(f"{self._azure.resource_manager.endpoint}/"):
            raise CredentialsError(
                f"{doing}: the next page is on another host, which is never followed",
                kind=ErrorKind.INTEGRITY,
                cloud=NAME,
            )

    def _denials(self, scope: str) -> tuple[list[Denial], str | None]:
        """The deny assignments that apply, or why they are not known."""
        doing = f"asking Azure for the deny assignments on {scope}"
        try:
            with manager_translated(doing):
                every = list(
                    self._authorization.deny_assignments.list_for_scope(
                        scope.strip("/"), filter="atScope()"
                    )
                )
            object_id = self._object_id() if every else ""
            with well_formed(doing, NAME, area=CredentialsError):
                read = [Denial.read(one, object_id=object_id, scope=scope) for one in every]
        except CredentialsError as err:
            if err.kind is not ErrorKind.PERMISSION_DENIED:
                raise
            return [], "deny assignments may not be read, and are not looked at"
        return [one for one in read if one is not None], None

    def _operations(self, provider: str) -> Operations:
        return self._azure.client(
            f"operations of {provider}", lambda: operations_of(self._authorization, provider)
        )

    @property
    def _authorization(self) -> AuthorizationManagementClient:
        manager = self._azure.resource_manager
        return self._azure.client(
            "authorization",
            lambda: AuthorizationManagementClient(
                manager.require_credential(),
                manager.subscription_id or "none",  # No request here is of the client's.
                **manager.client_options(),
            ),
        )

    def _open_permissions(self) -> PipelineClient[HttpRequest, HttpResponse]:
        manager = self._azure.resource_manager
        return PipelineClient(
            base_url=manager.endpoint,
            policies=[
                RequestIdPolicy(),
                UserAgentPolicy("airflow-multicloud"),
                ProxyPolicy(),
                ReadableWaits(),
                BearerTokenCredentialPolicy(manager.require_credential(), *manager.scopes),
            ],
            connection_verify=manager.verify,
        )


def _checked_scope(resource: str) -> str:
    fits = isinstance(resource, str) and len(resource) <= _LONGEST and _SCOPE.fullmatch(resource)
    if not fits:
        raise refused(
            "resource",
            f"{shown(resource)} given; expected the id of a subscription, a resource group or a "
            "resource (/subscriptions/…/resourceGroups/…/providers/…)",
            NAME,
        )
    return resource


def _judged(
    question: Question,
    action: str,
    *,
    roles: Sequence[OperationSet],
    denials: Sequence[Denial],
    unread: str | None,
    operations: Operations,
) -> PermissionCheck:
    by_action = any(role.has_action(action) for role in roles)
    by_data_action = any(role.has_data_action(action) for role in roles)
    is_data = operations.kind_of(action)
    kinds = (True, False) if is_data is None else (is_data,)
    if is_data is None and by_action is not by_data_action:
        why = f"whether it is a data action is not known: {operations.why_unknown(action)}"
        return question.unknown(action, why)
    if not (by_data_action if is_data else by_action):
        if any(role.has_some(action, is_data=kind) for role in roles for kind in kinds):
            why = f"roles of the caller at {question.resource} or above grant a part of it"
            return question.unknown(action, why)
        why = f"no role of the caller at {question.resource} or above grants it"
        if by_action:
            why += "; it is a data action, which only a role's dataActions grant"
        return question.answer(action, Decision.DENY, why)
    if (denied := _denied(question, action, denials, kinds)) is not None:
        return denied
    why = f"a role of the caller at {question.resource} or above grants it"
    return question.answer(action, Decision.ALLOW, f"{why}; {unread}" if unread else why)


def _denied(
    question: Question, action: str, denials: Sequence[Denial], kinds: Sequence[bool]
) -> PermissionCheck | None:
    """What deny assignments do to an action that roles grant; ``None`` when they do nothing.

    :param kinds: whether it is a data action, or both where that is not known.
    """
    for denial in denials:
        name = f"the deny assignment {denial.name!r}"
        if any(denial.denies(action, is_data=kind) for kind in kinds):
            if denial.doubt is not None:
                return question.unknown(action, f"{name} denies it, or may: {denial.doubt}")
            return question.answer(action, Decision.DENY, f"{name} denies it, whatever roles grant")
        if any(denial.denies_some(action, is_data=kind) for kind in kinds):
            return question.unknown(action, f"{name} may deny a part of it")
    return None
