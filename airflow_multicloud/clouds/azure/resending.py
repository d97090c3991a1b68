"""Which requests are sent again, and after which wait.

azure-core sends a POST again after statuses 500, 503 and 504, and after any error with a
``Retry-After``, also where the service has carried it out. What was added then counts twice. So of
what adds something only that is sent again that is known to have added nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse

from airflow_multicloud.adapters.answers import MALFORMED

# Seconds: no service asks for more in earnest, and nothing can sleep for ever.
_DAY = 86_400.0
_TRIES = 3


class ReadableWaits(RetryPolicy[HttpRequest, HttpResponse]):
    """azure-core's retries, for answers that ask to wait in words that nobody can read, too."""

    def get_retry_after(self, response: Any) -> float | None:
        """The wait that an answer asks for, in seconds, as if it did not where that is none."""
        try:
            asked: float | None = super().get_retry_after(response)
        except MALFORMED:
            return None
        return None if asked is None else min(asked, _DAY)


class ShortWaits(ReadableWaits):
    """Likewise, but for waits that would hold a worker for too long.

    One that is longer than azure-core itself ever backs off is left to whoever retries the task.
    """

    LONGEST: Final = RetryPolicy.BACKOFF_MAX

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        """Whether to ask again."""
        return self._is_short(response) and super().is_retry(settings, response)

    def _is_short(self, response: Any) -> bool:
        wait = self.get_retry_after(response)
        return wait is None or wait <= self.LONGEST


class RefusedOnly(ShortWaits):
    """azure-core's retries, but only after a refusal: 429, or what is known to be one.

    A connection that fails is no reason either: what azure-core takes for a failure to connect may
    be an answer that broke off.

    :param is_refusal: of an answer with another status: whether nothing was carried out.
    """

    def __init__(self, is_refusal: Callable[[HttpResponse], bool] = lambda _: False) -> None:
        # Of methods that azure-core takes for repeatable, as PUT, it would repeat these as well.
        super().__init__(retry_status=_TRIES, retry_connect=0, retry_read=0)
        self._is_refusal = is_refusal

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        """Whether an answer refuses the request, and does not ask for too long a wait."""
        answer: HttpResponse = response.http_response
        refused = answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or self._is_refusal(answer)
        return bool(settings["total"]) and refused and self._is_short(response)
