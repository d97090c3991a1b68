"""Refusals that services share, by the protocol that they speak.

"Common Errors" of their API References: the same in each that speaks JSON, with the status 400, and
in each that speaks the query protocol, with 403.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

#: Code, message and status.
Words = tuple[str, str, HTTPStatus]

_DENIED: Final = (
    "User: arn:aws:iam::123456789012:user/local is not authorized to perform this action"
)
_BAD_KEY: Final = "The security token included in the request is invalid."
_BAD_SIGNATURE: Final = (
    "The request signature we calculated does not match the signature you provided."
)

JSON_THROTTLED: Final[Words] = ("ThrottlingException", "Rate exceeded", HTTPStatus.BAD_REQUEST)
JSON_DENIED: Final[Words] = ("AccessDeniedException", _DENIED, HTTPStatus.BAD_REQUEST)
JSON_BAD_KEY: Final[Words] = ("UnrecognizedClientException", _BAD_KEY, HTTPStatus.BAD_REQUEST)
#: What is wrong with a caller (see ``Signed``) → what is said of it.
JSON_STRANGERS: Final[Mapping[str, Words]] = {
    "missing": (
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
        HTTPStatus.BAD_REQUEST,
    ),
    "key": JSON_BAD_KEY,
    "signature": ("InvalidSignatureException", _BAD_SIGNATURE, HTTPStatus.BAD_REQUEST),
}

QUERY_DENIED: Final[Words] = ("AccessDenied", _DENIED, HTTPStatus.FORBIDDEN)
QUERY_BAD_KEY: Final[Words] = ("InvalidClientTokenId", _BAD_KEY, HTTPStatus.FORBIDDEN)
#: Likewise.
QUERY_STRANGERS: Final[Mapping[str, Words]] = {
    "missing": (
        "MissingAuthenticationToken",
        "Request must contain either a valid (registered) AWS access key ID or X.509 certificate.",
        HTTPStatus.FORBIDDEN,
    ),
    "key": QUERY_BAD_KEY,
    "signature": ("SignatureDoesNotMatch", _BAD_SIGNATURE, HTTPStatus.FORBIDDEN),
}
