"""Resource Manager, as far as it says which project a connection leads to.

Behind the administration's port, by REST: requests and answers are held against the discovery
document. Who has no token of the token endpoint's is refused.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused
from airflow_multicloud.testing.local_clouds.gcp.grpc.tokens import Tokens
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Refusal, Service
from airflow_multicloud.testing.local_clouds.gcp.secrets.rules import NUMBER
from airflow_multicloud.testing.local_clouds.kit.http import Answer, Respond, target_of
from airflow_multicloud.testing.local_clouds.kit.state import State

#: What its paths begin with: of no other service behind that port.
_PREFIX = "/v3/"


def projects(state: State, tokens: Tokens, otherwise: Respond) -> Respond:
    """Resource Manager, and what answers all other requests.

    :param tokens: that callers need.
    """
    service = Service("cloudresourcemanager.v3", {"cloudresourcemanager.projects.get": _get})

    def respond(request: Request) -> Answer:
        if not request.path.startswith(_PREFIX):
            return otherwise(request)
        answer = state.scripted(request) or asked(request)
        state.log(request, answer.status)
        return answer

    def asked(request: Request) -> Answer:
        target = target_of(request)
        try:
            tokens.check({"authorization": request.headers.get("Authorization", "")})
            found = service.answer(request.method, target, request.get_data())
        except Refused as refused:
            return _refused(Refusal(HTTPStatus.UNAUTHORIZED, str(refused)))
        except Refusal as refusal:
            return _refused(refusal)
        if found is None:
            missing = f"The requested URL {target} was not found."
            return _refused(Refusal(HTTPStatus.NOT_FOUND, missing))
        return Answer(body=found)

    return respond


def _get(call: Call) -> dict[str, Any]:
    name = call.parameters["name"]
    if name not in (f"projects/{PROJECT}", f"projects/{NUMBER}"):
        raise Refusal(HTTPStatus.FORBIDDEN, "The caller does not have permission")
    return {"name": f"projects/{NUMBER}", "projectId": PROJECT, "state": "ACTIVE"}


def _refused(refusal: Refusal) -> Answer:
    return Answer(status=refusal.status, body=refusal.body())
