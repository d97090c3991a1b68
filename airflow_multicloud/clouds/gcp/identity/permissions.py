"""What the caller may do: each resource is asked by ``testIamPermissions``.

https://cloud.google.com/iam/docs/testing-permissions. The caller needs no permission to ask about
itself. The answer includes grants on the resource and above it, and deny policies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.permissions import Asking, Question, checked_actions, unasked
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.identity.client import IdentityBase
from airflow_multicloud.clouds.gcp.identity.errors import is_googles, translated
from airflow_multicloud.clouds.gcp.identity.resources import Target, project_of_new, target_of
from airflow_multicloud.clouds.gcp.rest import RestApi
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision, PermissionCheck

#: "Permissions with wildcards (such as * or storage.*) are not allowed."
_PERMISSION = re.compile(r"(?=.{5,128}\Z)[a-z][a-zA-Z0-9]*(?:\.[a-zA-Z0-9]+){2,}")
#: Resource Manager takes no more: "you can check up to 100 permissions in a single request".
_AT_ONCE: Final = 100


class TestedPermissions(IdentityBase):
    """The port's ``check_permissions``."""

    def check_permissions(
        self,
        actions: Sequence[str],
        resource: str,
        *,
        to_be_made: bool = False,
        context: Mapping[str, str] = MappingProxyType({}),  # noqa: ARG002  # conditions are on what is asked
    ) -> tuple[PermissionCheck, ...]:
        """Ask the resource itself, or its project where it can't be asked.

        What a resource does not list is denied. ``unknown`` is what can't be tested on this kind of
        resource, what only a grant below the asked one could give, and what is not answered.

        :param actions: permissions, as ``storage.objects.create``, without wildcards.
        :param resource: a full resource name.
        :param to_be_made: of a bucket that is not there, the connection's project is asked.
        :param context: makes no difference.
        :raises CredentialsError: the credentials are refused; ``invalid_argument`` for what is no
            permission or resource of Google Cloud.
        """
        expected = "service.resource.verb, as storage.objects.create, without wildcards"
        given = checked_actions(actions, _PERMISSION, expected=expected, cloud=NAME)
        target = target_of(resource)
        if target is None:
            why = "neither this kind of resource can be asked, nor does its name have a project"
            return unasked(given, resource, why)
        question = Question(resource=resource, asked=target.call)
        # Here, on the thread that may ask Airflow, and once.
        with translated(f"opening connection {self.gcp_conn_id!r}"):
            api = self._tester(target)

        def told(some: Sequence[str]) -> Mapping[str, PermissionCheck]:
            try:
                return _told(api, target, question, some)
            except CredentialsError as err:
                if err.kind is not ErrorKind.NOT_FOUND:
                    raise
                if not is_googles(err):
                    raise CredentialsError(
                        f"{err}; this endpoint does not tell what the caller may do",
                        kind=ErrorKind.UNSUPPORTED,
                        cloud=NAME,
                        code=err.code,
                    ) from err
                if not to_be_made:
                    raise
            above = project_of_new(self._session.needed_project, target.what)
            return _told(self._tester(above), above, replace(question, asked=above.call), some)

        return Asking(question, told, _AT_ONCE).about(given)

    def _tester(self, target: Target) -> RestApi:
        """Asking changes nothing, so every request may be sent again."""
        session = self._session
        return session.client(
            f"permissions of {target.service}",
            lambda: RestApi(
                session.endpoint_of(target.service) or target.endpoint,
                session.credentials,
                retries=session.retries,
                area=CredentialsError,
                repeats_all=True,
            ),
        )


def _told(
    api: RestApi, target: Target, question: Question, actions: Sequence[str]
) -> Mapping[str, PermissionCheck]:
    doing = f"asking {target.what} what the caller may do"
    with translated(doing):
        if target.by_query:
            query = urlencode([("permissions", action) for action in actions])
            answer = api.ask("GET", f"{target.path}?{query}")
        else:
            answer = api.ask("POST", target.path, body={"permissions": list(actions)})
    with well_formed(doing, NAME, area=CredentialsError):
        held = frozenset(map(str, answer.get("permissions", ())))
    return {action: _check(target, question, action, held) for action in actions}


def _check(
    target: Target, question: Question, action: str, held: frozenset[str]
) -> PermissionCheck:
    if action in held:
        return question.answer(
            action, Decision.ALLOW, f"granted to the caller on {target.what} or above it"
        )
    if target.told is not None and target.told.fullmatch(action) is None:
        return question.unknown(action, f"{target.what} does not tell of this permission")
    lacking = f"neither {target.what} nor anything above it grants it to the caller"
    if target.unsure is not None:
        return question.unknown(action, f"{lacking}, but {target.unsure}")
    return question.answer(action, Decision.DENY, f"{lacking}, or a deny policy takes it away")
