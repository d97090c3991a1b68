"""The headers that authenticate a request of which no client of Google's takes care."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from google.auth.credentials import AnonymousCredentials, TokenState
from google.auth.transport.requests import Request

if TYPE_CHECKING:
    from google.auth.credentials import Credentials


class Bearer:
    """One set of credentials; safe for many threads.

    A token is fetched by the thread that asks, so that what goes wrong reaches the caller as
    google-auth's own error: gRPC would make an outage of the service of it.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._request = Request()
        self._lock = threading.Lock()

    @property
    def anonymous(self) -> bool:
        """Whether requests go out without any."""
        return isinstance(self._credentials, AnonymousCredentials)

    def headers(self) -> dict[str, str]:
        """The headers, with a token that is good for some minutes.

        :raises google.auth.exceptions.GoogleAuthError: when there is none to be had.
        """
        if self.anonymous:
            return {}
        with self._lock:
            if self._credentials.token_state is not TokenState.FRESH:
                self._credentials.refresh(self._request)  # type: ignore[no-untyped-call]
        found: dict[str, str] = {}
        self._credentials.apply(found)  # type: ignore[no-untyped-call]
        return found
