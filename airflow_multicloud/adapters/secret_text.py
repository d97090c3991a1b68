"""Credentials that no header can hold, and errors that would show them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow_multicloud.errors import CredentialsError, ErrorKind

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# http.client's ValueError, which libraries wrap, and requests' own; the value itself follows.
# The services' code InvalidHeaderValue has other words after it.
_HEADER = re.compile(r"(\bheader\b.{0,20}?\bvalue\b).*", re.DOTALL | re.IGNORECASE)


# "user:password@" before a URL's host. What follows a colon is a password unless it is a port;
# it may contain anything. Bounded: each "://" in a long text is a place to begin at.
_USER = re.compile(
    r"""(?<=://)(?:[^\s/?\#:@["'`]{0,1024}:(?!\d{1,5}(?:[/?\#\s"'`]|$))[^\s"'`]{0,1024}|[^\s/?\#"'`]{0,1024})@"""
)


def without_user(text: str) -> str:
    """A text with URLs, without the user and password that may be in them."""
    return _USER.sub("", text)


def without_header_values(text: str) -> str:
    """An error's text without the header value that it refuses: that may be a token."""
    return _HEADER.sub(r"\1 (not shown: it may be a secret)", text)


def check_control_characters(
    conn_id: str | None, fields: Mapping[str, object], *, cloud: str
) -> None:
    """Refuse credentials with a line break or the like, as a copied file's last one.

    None of them is of any use, and errors of the HTTP libraries show what they refuse.

    :param fields: as the connection names them.
    :raises CredentialsError: kind ``invalid_argument``, naming the field only.
    """
    for name, value in fields.items():
        if isinstance(value, str) and _CONTROL.search(value):
            raise CredentialsError(
                f"connection {conn_id!r}: {name} has a control character (a line break at its "
                "end, most likely); take it out",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=cloud,
            )
