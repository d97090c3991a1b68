"""Which requests that add something are sent again: those that are known to have added nothing.

azure-core sends a POST again after statuses 500, 503 and 504, and after any error with a
``Retry-After``, also where the service has carried it out. What was added then counts twice.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse

# A wait longer than azure-core itself ever backs off is left to whoever retries the task.
_LONGEST_WAIT = RetryPolicy.BACKOFF_MAX
_TRIES = 3


class RefusedOnly(RetryPolicy[HttpRequest, HttpResponse]):
    """azure-core's retries, but only after a refusal: 429, or what is known to be one.

    A connection that fails is no reason either: what azure-core takes for a failure to connect may
    be an answer that broke off.

    :param is_refusal: of an answer with another status: whether nothing was carried out.
    """

    def __init__(self, is_refusal: Callable[[HttpResponse], bool] = lambda _: False) -> None:
        super().__init__(retry_status=_TRIES)
        self._is_refusal = is_refusal

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        """Whether an answer refuses the request, and does not ask for too long a wait."""
        answer: HttpResponse = response.http_response
        refused = answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or self._is_refusal(answer)
        wait = self.get_retry_after(response)
        return bool(settings["total"]) and refused and (wait is None or wait <= _LONGEST_WAIT)
