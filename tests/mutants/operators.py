"""The kinds of faults that are made: Cosmic Ray's operators, and one of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import parso
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import get_operator

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A comparison becomes its opposite, or moves by one at its boundary. Others are left out: ``==``
#: for ``is`` changes nothing for most values, and the rest is noticed by whoever notices these.
_COMPARISONS = (
    ("Eq", "NotEq"),
    ("NotEq", "Eq"),
    ("Lt", "LtE"),
    ("Lt", "GtE"),
    ("LtE", "Lt"),
    ("LtE", "Gt"),
    ("Gt", "GtE"),
    ("Gt", "LtE"),
    ("GtE", "Gt"),
    ("GtE", "Lt"),
    ("Is", "IsNot"),
    ("IsNot", "Is"),
)
_ARITHMETIC = (
    ("Add", "Sub"),
    ("Sub", "Add"),
    ("Mul", "Div"),
    ("Div", "Mul"),
    ("FloorDiv", "Mul"),
    ("Mod", "Mul"),
    ("LShift", "RShift"),
    ("BitOr", "BitAnd"),
    ("BitAnd", "BitOr"),
)
_OTHERS = (
    "AddNot",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "NumberReplacer",
)


class ReturnNothing(Operator):
    """Return None instead of a value.

    A literal that is false or none already is left alone, as callers mostly treat both alike.
    """

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if node.type == "return_stmt" and node.children[1].get_code().strip() not in {
            "None",
            "False",
        }:
            yield (node.start_pos, node.end_pos)

    def mutate(self, node: Any, index: int) -> Any:
        node.children[1:] = [parso.parse(" None")]
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("def f(): return 1", "def f(): return None"),)


def operators() -> dict[str, Operator]:
    """Each operator by the name under which its faults are reported."""
    names = [
        *(f"ReplaceComparisonOperator_{old}_{new}" for old, new in _COMPARISONS),
        *(f"ReplaceBinaryOperator_{old}_{new}" for old, new in _ARITHMETIC),
        *_OTHERS,
    ]
    made = {name: get_operator(f"core/{name}")() for name in names}
    return made | {ReturnNothing.__name__: ReturnNothing()}
