"""Who is asked: Secrets Manager, or moto's STS."""

from __future__ import annotations

import uuid
from http import HTTPStatus

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.aws.secrets.service import SecretsService
from airflow_multicloud.testing.local_clouds.aws.telemetry.front import Front
from airflow_multicloud.testing.local_clouds.aws.telemetry.signatures import Signed
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.state import State


class SecretsServer(Front):
    """Answers requests to Secrets Manager, and hands those to STS on to moto."""

    def __init__(self, state: State) -> None:
        super().__init__(state, {"secretsmanager": SecretsService(state)})

    def answer(self, request: Request, caller: Signed) -> Answer:
        """The answer to a request whose signature was looked at."""
        if caller.service == "sts" and caller.problem is not None:
            return _stranger()
        return super().answer(request, caller)


def _stranger() -> Answer:
    """A caller whom STS does not know; form and code: "Common Errors" of its API reference."""
    message = "The security token included in the request is invalid."
    return Answer(
        status=HTTPStatus.FORBIDDEN,
        body=(
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
            f"<Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>{message}</Message>"
            f"</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        ).encode(),
        headers={"content-type": "text/xml"},
    )
