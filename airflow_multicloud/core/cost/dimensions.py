"""What costs can be broken down by, and the SQL of it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_multicloud.core.cost.focus import COLUMNS, ROLLUP, STORE_COLUMNS, TEXT, quoted
from airflow_multicloud.core.cost.store.views import View
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.lists import texts

#: How charges that lack a dimension are named: they are part of every breakdown.
NONE = "(none)"

#: How the lines beyond a limit are summed up.
OTHER = "(other)"

#: A tag's or label's key as a dimension: ``tag:team``. Where a charge has no such key, one that
#: differs in case alone ("Team") counts: Azure and people take them for the same.
TAG_PREFIX = "tag:"

#: Every column that can be grouped by.
DIMENSIONS: tuple[str, ...] = (
    *STORE_COLUMNS,
    *(column.name for column in COLUMNS if column.type == TEXT and not column.json),
)


_TAG = """coalesce(
    element_at(Tags, {key})[1],
    list_sort(list_filter(map_entries(Tags), lambda tag: lower(tag.key) = lower({key})))[1].value
)"""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Validated dimensions.

    :param expressions: SQL of each dimension's text, never null.
    :param parameters: the query parameters that the expressions take.
    :param source: the narrowest view that has all dimensions.
    """

    names: tuple[str, ...]
    expressions: tuple[str, ...]
    parameters: dict[str, object]
    source: View


def parse_grouping(group_by: Sequence[str]) -> Grouping:
    """Check the dimensions and turn them into SQL.

    :raises CostAnalysisError: kind ``invalid_argument``, naming what is allowed.
    """
    names = texts(group_by, "group_by", what="dimensions", error=CostAnalysisError)
    if not names:
        raise _invalid("group_by: none given, expected at least one dimension")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise _invalid(f"group_by names {', '.join(repeated)} more than once")
    expressions: list[str] = []
    parameters: dict[str, object] = {}
    for number, name in enumerate(names):
        if name.startswith(TAG_PREFIX):
            key = name.removeprefix(TAG_PREFIX)
            if not key:
                raise _invalid(f"group_by has {name!r}; a tag's key must follow, like 'tag:team'")
            parameters[f"tag_{number}"] = key
            value = _TAG.format(key=f"$tag_{number}")
        elif name in DIMENSIONS:
            value = f"{quoted(name)}::VARCHAR"
        else:
            close = difflib.get_close_matches(name, DIMENSIONS, n=1, cutoff=0.6)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise _invalid(
                f"group_by has {name!r}{hint} Allowed: {', '.join(DIMENSIONS)} "
                f"and {TAG_PREFIX}<key>"
            )
        expressions.append(f"coalesce(nullif({value}, ''), '{NONE}')")
    return Grouping(
        names=names,
        expressions=tuple(expressions),
        parameters=parameters,
        source=View.ROLLUP if set(names) <= set(ROLLUP) else View.COSTS,
    )


def _invalid(message: str) -> CostAnalysisError:
    return CostAnalysisError(message, kind=ErrorKind.INVALID_ARGUMENT)
