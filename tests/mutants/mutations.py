"""Finds every fault that can be made in a module, and makes it."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from .equivalents import Span, without_effect
from .operators import operators

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = "airflow_multicloud"
_OPERATORS = operators()


@dataclass(frozen=True)
class Mutation:
    """One fault in one module."""

    #: Path of the module, relative to the checkout.
    module: str
    operator: str
    #: Which of the places in the module where the operator fits, from 0.
    occurrence: int
    line: int
    #: The lines that run when the fault does; none if the module's import runs it.
    lines: range | None

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.operator}"

    def applied(self, source: str) -> str:
        """The module with this fault."""
        changed = mutate_code(source, _OPERATORS[self.operator], self.occurrence)
        if changed is None:
            raise ValueError(f"{self}: the module changed since its faults were found")
        return str(changed)

    def diff(self, source: str) -> str:
        """What the fault changes in ``source``."""
        before, after = source.splitlines(), self.applied(source).splitlines()
        lines = difflib.unified_diff(before, after, lineterm="", n=1)
        return "\n".join(f"    {line}" for line in list(lines)[2:])


def mutations(checkout: Path, under: tuple[str, ...]) -> list[Mutation]:
    """Every fault that may change behaviour, in the packages or modules named by ``under``.

    Some are no faults: :func:`is_another_program` says which, but takes a while for thousands.
    """
    return [
        found
        for place in under
        for path in _modules(checkout / place)
        for found in _of_module(path.read_text(), path.relative_to(checkout).as_posix())
    ]


def is_another_program(source: str, mutation: Mutation) -> bool:
    """Whether the fault gives a valid program that is not the same one."""
    try:
        changed = ast.parse(mutation.applied(source))
    except SyntaxError:
        return False
    before = ast.parse(source)
    if "BinaryOperator" in mutation.operator:
        # The star of a signature, which says that the rest is named, is no arithmetic.
        return _arithmetic(changed) != _arithmetic(before)
    return ast.dump(changed) != ast.dump(before)


def _arithmetic(tree: ast.Module) -> list[type[ast.operator]]:
    return [type(node.op) for node in ast.walk(tree) if isinstance(node, ast.BinOp)]


def _modules(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def _of_module(source: str, module: str) -> Iterator[Mutation]:
    tree = ast.parse(source)
    left_out = without_effect(tree, module.removeprefix(f"{PACKAGE}/"))
    statements = list(_statements(tree))
    nodes = list(ast_nodes(get_ast(source)))
    for name, operator in _OPERATORS.items():
        positions = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, position in enumerate(positions):
            if not any(span.holds(position) for span in left_out):
                lines = _lines(statements, position)
                yield Mutation(module, name, occurrence, position[0], lines)


def _statements(tree: ast.Module) -> Iterator[tuple[Span, range]]:
    """What is inside functions: each statement, or the head of a compound one, and its lines."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for body in function.body:
            for node in ast.walk(body):
                if isinstance(node, ast.stmt):
                    last = node.end_lineno or node.lineno
                    inner = getattr(node, "body", None)
                    head = max(node.lineno, inner[0].lineno - 1) if inner else last
                    span = Span((node.lineno, node.col_offset), (last, node.end_col_offset or 0))
                    yield span, range(node.lineno, head + 1)


def _lines(statements: list[tuple[Span, range]], position: tuple[int, int]) -> range | None:
    around = [(span, lines) for span, lines in statements if span.holds(position)]
    return max(around, key=lambda one: one[0].start)[1] if around else None
