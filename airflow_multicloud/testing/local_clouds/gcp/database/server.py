"""What the local Cloud SQL answers: tokens, faults, and the methods of two discovery documents."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import body_of
from airflow_multicloud.testing.local_clouds.gcp.database import lags
from airflow_multicloud.testing.local_clouds.gcp.database.backups import Backups
from airflow_multicloud.testing.local_clouds.gcp.database.instances import Instances
from airflow_multicloud.testing.local_clouds.gcp.database.refusals import refusal
from airflow_multicloud.testing.local_clouds.gcp.database.world import World, check_project
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused
from airflow_multicloud.testing.local_clouds.gcp.grpc.tokens import Tokens
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Refusal, Service
from airflow_multicloud.testing.local_clouds.gcp.service_account import TOKEN_PATH
from airflow_multicloud.testing.local_clouds.kit.http import Answer, target_of
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFaultKind

# Method → which call of the port it belongs to.
_CASES = {
    "sql.instances.get": DatabaseCall.DESCRIBE,
    "sql.instances.list": DatabaseCall.LIST,
    "sql.Backups.ListBackups": DatabaseCall.LIST,
    "sql.Backups.CreateBackup": DatabaseCall.SNAPSHOT,
    "sql.instances.restoreBackup": DatabaseCall.RESTORE,
    "sql.instances.clone": DatabaseCall.RESTORE,
    "sql.instances.promoteReplica": DatabaseCall.PROMOTE,
    "sql.instances.patch": DatabaseCall.POWER,
    "sql.instances.delete": DatabaseCall.REMOVE,
    "sql.Backups.DeleteBackup": DatabaseCall.REMOVE,
}


class CloudSqlServer:
    """Answers requests.

    :param tokens: gives tokens for what the service account has signed.
    """

    def __init__(self, world: World, state: State, tokens: Tokens) -> None:
        self._world = world
        self._state = state
        self._tokens = tokens
        instances = Instances(world)
        handlers = {**instances.handlers, **Backups(world, instances).handlers}
        self._services = (
            Service(
                "sqladmin.v1",
                {method: self._met(handler) for method, handler in handlers.items()},
            ),
            lags.service(world),
        )

    def __call__(self, request: Request) -> Answer:
        """The answer to a request."""
        try:
            answer = self._answer(request)
        except Refusal as refused:
            answer = Answer(status=refused.status, body=body_of(refused))
        self._state.log(request, answer.status)
        return answer

    def _answer(self, request: Request) -> Answer:
        if (scripted := self._state.scripted(request)) is not None:
            return scripted
        if (request.method, request.path) == ("POST", TOKEN_PATH):
            return self._tokens.give(request)
        try:
            self._tokens.check({"authorization": request.headers.get("Authorization", "")})
        except Refused as refused:
            reason = "authError"
            raise Refusal(HTTPStatus.UNAUTHORIZED, str(refused), reason=reason) from None
        target = target_of(request)
        with self._world.lock:
            for service in self._services:
                found = service.answer(request.method, target, request.get_data())
                if found is not None:
                    return Answer(body=found)
        raise Refusal(HTTPStatus.NOT_FOUND, f"The requested URL {target} was not found.")

    def _met(self, handler: Callable[[Call], Any]) -> Callable[[Call], Any]:
        """A method whose calls faults may meet."""

        def handled(call: Call) -> Any:
            given = call.parameters
            check_project(given.get("project") or given.get("parent") or _project_in(given["name"]))
            case, name = _CASES.get(call.method), _name_in(call)
            faults = self._world.faults
            if case and (fault := faults.meet(DatabaseFaultKind.REFUSE, case, name)):
                raise refusal(fault.error)
            found = handler(call)
            if case and faults.meet(DatabaseFaultKind.LOSE_ANSWER, case, name):
                raise ConnectionAbortedError
            return found

        return handled


def _project_in(name: str) -> str:
    return "/".join(name.split("/")[:2])


def _name_in(call: Call) -> str:
    """Of what a call is about: of what is made, when something is."""
    body = call.body or {}
    made = body.get("cloneContext", {}).get("destinationInstanceName") or body.get("description")
    given = call.parameters
    return str(made or given.get("instance") or given.get("name") or "")
