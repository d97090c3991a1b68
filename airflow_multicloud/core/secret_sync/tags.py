"""Whether the tags that a copy is to have fit its destination, and whose they are if not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from airflow_multicloud.errors import CloudError

#: Names of tags that a message has at most.
_NAMED: Final = 5


def why_unfit(
    tags: Mapping[str, str],
    *,
    of_source: Collection[str],
    most: int,
    check: Callable[[Mapping[str, str]], None],
) -> str | None:
    """Why the destination can't have these tags, and what to do; ``None`` when it can.

    :param of_source: names of those that are the source's; the others are the destination's own
        and the copy's mark.
    :param most: tags that a secret may have there.
    :param check: raises for tags that the destination can't have.
    """
    if (why := _why(tags, most, check)) is None:
        return None
    own = {key: value for key, value in tags.items() if key not in of_source}
    if (alone := _why(own, most, check)) is None:
        return f"{why}; preserve_tags=False leaves the source's out"
    largest = sorted(own, key=lambda key: len(key) + len(own[key]), reverse=True)
    names = ", ".join(map(repr, largest[:_NAMED])) + (", …" if len(own) > _NAMED else "")
    return (
        f"the tags that it has of its own at the destination ({names}) leave no room: {alone}; "
        "shorten or remove some of them there"
    )


def _why(
    tags: Mapping[str, str], most: int, check: Callable[[Mapping[str, str]], None]
) -> str | None:
    if len(tags) > most:
        return f"it needs {len(tags)} tags with the copy's, at most {most} allowed there"
    try:
        check(tags)
    except CloudError as err:
        return str(err)
    return None
