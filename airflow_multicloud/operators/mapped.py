"""What Airflow's UI calls each of a mapped task's instances."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_multicloud.text import printable, shortened

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

#: A name of the context's, and the template that Airflow renders when the task has ended.
_NAME = "multicloud_label"
_TEMPLATE = f"{{{{ {_NAME} }}}}"
#: Airflow has room for 250 characters.
_LONGEST = 200


def label_mapped(task: BaseOperator, context: Context, by: tuple[str, ...]) -> None:
    """Have a mapped task called by what it works on, unless its author has said by what.

    :param by: the names of its arguments that say it.
    """
    given: Any = context
    map_index = getattr(given.get("ti"), "map_index", None)
    is_mapped = isinstance(map_index, int) and map_index >= 0
    if not by or not is_mapped or given.get("map_index_template") is not None:
        return
    texts = [text for name in by if (text := _text(getattr(task, name, None)))]
    label = shortened(printable(" → ".join(texts)), _LONGEST)
    if label:
        # What Airflow would read as a number or list, in DAGs that render native objects.
        given[_NAME] = f"{by[0]} {label}" if _is_literal(label) else label
        given["map_index_template"] = _TEMPLATE


def _text(value: object) -> str:
    """An argument in words: of a target or destination its name or URI."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_text, value)))
    for name in ("name", "uri"):
        found = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if isinstance(found, str):
            return found
    return ""


def _is_literal(label: str) -> bool:
    try:
        ast.literal_eval(label)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False
    return True
