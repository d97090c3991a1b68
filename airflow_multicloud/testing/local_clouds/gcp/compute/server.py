"""What Compute Engine answers: scripted faults first, then the API; and what its owner asks."""

from __future__ import annotations

import socket
from http import HTTPStatus

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.gcp.compute.engine import Engine
from airflow_multicloud.testing.local_clouds.gcp.compute.faults import AnswerLost
from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import body_of
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Refusal, document
from airflow_multicloud.testing.local_clouds.gcp.service_account import TOKEN_PATH
from airflow_multicloud.testing.local_clouds.kit.http import Answer, Respond, target_of
from airflow_multicloud.testing.local_clouds.kit.state import State, administration

DOCUMENT = "compute.v1"


def revision() -> str:
    """The revision of the discovery document that requests and answers are checked against."""
    return document(DOCUMENT).revision


def responding(engine: Engine, state: State) -> Respond:
    """Compute Engine."""
    service = engine.service

    def respond(request: Request) -> Answer:
        try:
            answer = state.scripted(request) or _asked(request)
        except AnswerLost:
            connection: socket.socket = request.environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            answer = Answer()
        except Refusal as refusal:
            answer = Answer(status=refusal.status, body=body_of(refusal))
        state.log(request, answer.status)
        return answer

    def _asked(request: Request) -> Answer:
        target = target_of(request)
        found = service.answer(request.method, target, request.get_data())
        if found is None:
            path = request.path
            raise Refusal(HTTPStatus.NOT_FOUND, f"The requested URL {path} was not found.")
        return Answer(body=found)

    return respond


def administering(state: State) -> Respond:
    """The administration, and tokens for the service account that signs URLs."""
    administer = administration(state)

    def respond(request: Request) -> Answer:
        if (request.method, request.path) == ("POST", TOKEN_PATH):
            # It says nothing, for whoever asks (RFC 6749, 5.1).
            body = {"access_token": "local", "expires_in": 3600, "token_type": "Bearer"}
            return Answer(body=body)
        return administer(request)

    return respond
