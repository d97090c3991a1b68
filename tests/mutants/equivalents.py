"""What a fault in does not change: left out by rule, and by a short list with reasons."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Module constants that say how much is done at once, how often is looked or how many are named:
#: another value is as right. (module below the package, constant) → what it is.
TUNING = {
    ("core/ledger/merging.py", "_ONE_BY_ONE"): "from when going through both states costs less",
    ("core/replication/ahead.py", "_WAITING"): "how many pages wait for their reader",
    ("core/replication/catalog.py", "_BATCH"): "how many rows one statement writes",
    ("core/replication/confirmation.py", "_ONE_BY_ONE"): "from when one listing costs less",
    ("core/replication/recording.py", "INTERVAL"): "how often finished objects are recorded",
    ("core/replication/execution.py", "_AHEAD"): "how many objects are waiting for a thread",
    ("core/replication/progress.py", "INTERVAL"): "how often progress is logged",
    ("core/records.py", "_LONGEST"): "a bound far above what this package writes",
    ("core/replication/shards.py", "_OBJECT_WEIGHT"): "an estimate of what a request costs",
    ("core/replication/history.py", "_FURTHEST"): "how many commits are gone through",
    ("core/replication/resuming.py", "_LOOKED_THROUGH"): "how many commits are gone through",
    ("core/replication/status.py", "_BACK"): "how many commits are gone through",
    ("core/replication/settling.py", "_FRESH"): "a margin for clocks that differ",
    ("core/replication/temporary.py", "BYTES_PER_OBJECT"): "an estimate that a message states",
    ("core/failover/copies.py", "_TO_ASK"): "how long another candidate may take to answer",
    ("core/failover/judging.py", "_TO_ASK"): "how long another candidate may take to answer",
    ("core/failover/judging.py", "_LOOKED_AT"): "how many entries are looked at",
    ("core/failover/corroboration.py", "_LOOKED_THROUGH"): "how many names are looked at",
    ("core/failover/tree.py", "_SLOW"): "how many slow objects are enough to change over",
}

#: Of a class: how its objects are kept, not what they do.
_CLASS_FLAGS = frozenset(
    ["frozen", "slots", "kw_only", "eq", "order", "weakref_slot", "gc", "array_like"]
)


@dataclass(frozen=True)
class Span:
    """Part of a module: from a line and column up to another."""

    start: tuple[int, int]
    end: tuple[int, int]

    def holds(self, position: tuple[int, int]) -> bool:
        return self.start <= position < self.end


def without_effect(tree: ast.Module, module: str) -> list[Span]:
    """Where a fault changes no behaviour.

    :param module: path of the module below the package.
    """
    return [
        Span((part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0))
        for node in ast.walk(tree)
        for part in _parts(node, module)
    ]


def _parts(node: ast.AST, module: str) -> Iterator[ast.expr | ast.stmt]:
    match node:
        case ast.arg(annotation=ast.expr() as annotation):
            yield annotation
        case ast.FunctionDef(returns=ast.expr() as returns):
            yield returns
        case ast.AnnAssign():
            yield node if _is_tuning(node.target, module) else node.annotation
        case ast.Assign(targets=[*targets]) if any(_is_tuning(one, module) for one in targets):
            yield node
        case ast.ClassDef():
            calls = [one for one in node.decorator_list if isinstance(one, ast.Call)]
            flags = [*node.keywords, *(flag for call in calls for flag in call.keywords)]
            yield from (flag.value for flag in flags if flag.arg in _CLASS_FLAGS)
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            yield node.test
            yield from node.body
        case ast.Call(func=ast.Attribute(value=ast.Name(id="_log"))):
            yield node
        case ast.Call(func=ast.Name(id="zip")):  # Of what has one length anyway.
            yield from (one.value for one in node.keywords if one.arg == "strict")


def _is_tuning(target: ast.expr, module: str) -> bool:
    names = {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
    return "__all__" in names or any((module, name) in TUNING for name in names)
