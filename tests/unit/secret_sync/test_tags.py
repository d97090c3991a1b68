"""Tags that a destination can't have: whose they are, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from airflow_multicloud.core.secret_sync.tags import why_unfit
from airflow_multicloud.errors import ErrorKind, SecretsError

OWN = {"theirs": "xx", "larger": "xxxx", "mark": ""}
COPIED = {"team": "data"}


def _check(tags: Mapping[str, str]) -> None:
    if "odd" in tags:
        raise SecretsError("an odd one", kind=ErrorKind.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    ("own", "copied", "most", "told"),
    [
        (OWN, COPIED, 4, None),
        (OWN, COPIED, 3, "preserve_tags=False"),
        (OWN, COPIED, 2, "'larger', 'theirs', 'mark'"),
        (OWN, {}, 2, "'larger', 'theirs', 'mark'"),
        (OWN, {"odd": ""}, 9, "an odd one; preserve_tags=False"),
        ({"odd": ""}, COPIED, 9, "('odd') leave no room: an odd one"),
        ({str(number): "" for number in range(7)}, {}, 6, "'4', …)"),
    ],
)
def test_whose_they_are(
    own: dict[str, str], copied: dict[str, str], most: int, told: str | None
) -> None:
    why = why_unfit({**own, **copied}, of_source=copied, most=most, check=_check)
    assert (why is None) if told is None else (why is not None and told in why)
    if copied and why is not None and "preserve_tags" not in why:
        assert "some of them there" in why
