"""Telling Airflow's masker of secret values, so that no log of a task shows them.

The masker looks for whole values. A log may show a part of one, or another form of it, so these
are told as well: the texts in a JSON value, the lines of any other, and escaped line breaks.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from airflow_multicloud.adapters.masking_later import is_masked_later
from airflow_multicloud.text import printable

#: Characters at least of a part: shorter ones are words of any log, and Airflow's masker takes
#: none by default (``[logging] min_length_masked_secret``).
SHORTEST_PART = 5
#: Parts at most: each is compared with every line of a log. Beyond them the whole is told.
MOST_PARTS = 200


def mask_value(value: bytes) -> None:
    """Tell the masker of a value, in this process and in the one that writes a task's log.

    :param value: text is UTF-8; of other bytes the base64 is told, by which they are shown.
    """
    if not value or is_masked_later():
        return
    # Imported here: core, the memory cloud and the command line load without Airflow.
    from airflow.providers.common.compat.sdk import mask_secret

    mask_secret([*forms_of(value)])


def forms_of(value: bytes) -> tuple[str, ...]:
    """The texts by which a value may be shown, the whole first.

    :param value: not empty.
    """
    encoded = base64.b64encode(value).decode()
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return (encoded,)
    parts = [text, text.strip(), printable(text), json.dumps(text)[1:-1], encoded]
    for part in _parts(text):
        if len(parts) >= MOST_PARTS:
            break
        parts.append(part)
    whole, *others = dict.fromkeys(parts)
    return (whole, *(part for part in others if len(part) >= SHORTEST_PART))


def _parts(text: str) -> Iterator[str]:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = None
    if isinstance(read, dict | list | str):
        yield from _texts(read)
    else:
        lines = text.splitlines()
        yield from (line.strip() for line in lines if len(lines) > 1)


def _texts(read: object) -> Iterator[str]:
    """The texts in what was read as JSON, and their lines."""
    waiting = [read]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
            yield from (line.strip() for line in value.splitlines())
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
