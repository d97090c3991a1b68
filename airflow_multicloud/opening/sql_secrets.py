"""Passwords and tokens of database connections, which no error and no log may show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_multicloud.adapters.masking import forms_of, mask_value
from airflow_multicloud.adapters.sdk_logs import without_secrets

#: Extras that hold a secret, by their names.
_SECRET = re.compile(r"password|passwd|passphrase|secret|token|private_?key", re.IGNORECASE)


def secrets_of(connection: Any) -> list[str]:
    """What a connection holds: its password, and those of its extra (``sslpassword``)."""
    extra = [value for key, value in connection.extra_dejson.items() if _SECRET.search(key)]
    return [one for one in (connection.password, *extra) if one and isinstance(one, str)]


def note_tokens(hook: Any, secrets: list[str]) -> None:
    """Have the tokens that a hook gets instead of a password masked, and taken out of errors.

    Airflow's hooks for PostgreSQL give (login, token, port), and those for MySQL (token, port).
    """
    get_token = getattr(hook, "get_iam_token", None)
    if get_token is None:
        return

    def noted(connection: Any) -> Any:
        found = get_token(connection)
        token = found[-2]
        secrets.append(token)
        mask_value(token.encode())
        return found

    hook.get_iam_token = noted


def scrub(err: BaseException, secrets: Iterable[str]) -> None:
    """Take secrets out of an error and of all that it was raised from.

    It stays the context of what is raised for it, also ``from None``, and not everybody who shows
    an error leaves that out.
    """
    forms = [form for secret in secrets for form in forms_of(secret.encode())]
    seen: set[int] = set()
    left: list[BaseException | None] = [err]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.args = _cleaned(one.args, forms)
        if notes := getattr(one, "__notes__", None):
            one.__notes__ = _cleaned(notes, forms)
        # An error that has a cause may have been raised while another was handled.
        left += [one.__cause__, one.__context__]


def _cleaned(value: Any, forms: Sequence[str]) -> Any:
    """A text without secrets, and whatever texts and bytes are in a collection."""
    if isinstance(value, str):
        return _clean(value, forms)
    if isinstance(value, bytes | bytearray):
        text = bytes(value).decode(errors="surrogateescape")
        return _clean(text, forms).encode(errors="surrogateescape")
    if isinstance(value, tuple | list | set | frozenset):
        inner = [_cleaned(one, forms) for one in value]
        return inner if isinstance(value, list) else tuple(inner)
    if isinstance(value, Mapping):
        return {_cleaned(key, forms): _cleaned(one, forms) for key, one in value.items()}
    return value


def _clean(text: str, forms: Iterable[str]) -> str:
    for form in forms:
        text = text.replace(form, "***")
    return without_secrets(text)
