"""Clients whose answers botocore checks against the service's model, where no server exists."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import boto3
from botocore.stub import Stubber

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from botocore.client import BaseClient


class Services:
    """Gives stubbed clients; every answer that was put in must have been asked for in the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._stubbed: dict[str, tuple[BaseClient, Stubber]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        if kind is None:
            for _, stubber in self._stubbed.values():
                stubber.assert_no_pending_responses()

    def __call__(self, service: str) -> BaseClient:
        return self._of(service)[0]

    def answer(self, service: str, operation: str, answer: dict[str, Any], **asked: Any) -> None:
        """The next request must be this one."""
        self._of(service)[1].add_response(operation, answer, asked)

    def refuse(self, service: str, operation: str, code: str, message: str = "no") -> None:
        """The next request must be of this operation, and gets an error."""
        self._of(service)[1].add_client_error(operation, code, message)

    def _of(self, service: str) -> tuple[BaseClient, Stubber]:
        if service not in self._stubbed:
            client = boto3.client(
                service,
                region_name="us-east-1",
                aws_access_key_id="key",
                aws_secret_access_key="secret",
            )
            self._stubbed[service] = client, self._stack.enter_context(Stubber(client))
        return self._stubbed[service]
