"""Which faults ``make mutants`` makes, and that it makes them in copies."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import replace
from pathlib import Path

import airflow_multicloud
from tests.mutants.equivalents import TUNING
from tests.mutants.mutations import Mutation, is_another_program, mutations
from tests.mutants.trying import LIMIT, Covered, copied, covered, noticed

PACKAGE = Path(airflow_multicloud.__file__).parent
MODULE = '''"""A module."""
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["a", "b"][:2]


@dataclass(frozen=True, slots=True)
class Kept:
    size: int | None = None


def larger(a: int | None, *, than: "int | None" = None) -> bool | None:
    """Compare."""
    _log.debug("%s", a + 1)
    if a is None or than is None:
        return None
    return a > than + 1


PAIRS = zip("ab", "cd", strict=True)
'''
TEST = """from airflow_multicloud.larger import larger

def test_larger():
    assert larger(3, than=1)
    assert not larger(1, than=1)

def test_none():
    assert larger(None, than=1) is None
"""


def _checkout(path: Path) -> Path:
    (path / "airflow_multicloud").mkdir(parents=True)
    (path / "airflow_multicloud" / "__init__.py").touch()
    (path / "airflow_multicloud" / "larger.py").write_text(MODULE.replace("    _log", "    # _log"))
    (path / "tests" / "mutants").mkdir(parents=True)
    for module in (PACKAGE.parent / "tests" / "mutants").glob("*.py"):
        (path / "tests" / "mutants" / module.name).write_text(module.read_text())
    (path / "tests" / "__init__.py").touch()
    (path / "tests" / "test_larger.py").write_text(TEST)
    subprocess.run(("git", "init", "-q"), cwd=path, check=True)
    return path


def test_what_changes_no_behaviour_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(MODULE)
    found = [one for one in mutations(tmp_path, ("module.py",)) if is_another_program(MODULE, one)]
    assert {str(one) for one in found} == {
        f"module.py:{line} {operator}"
        for line, operator in (
            (19, "AddNot"),
            (19, "ReplaceComparisonOperator_Is_IsNot"),
            (19, "ReplaceOrWithAnd"),
            (21, "NumberReplacer"),
            (21, "ReplaceBinaryOperator_Add_Sub"),
            (21, "ReplaceComparisonOperator_Gt_GtE"),
            (21, "ReplaceComparisonOperator_Gt_LtE"),
            (21, "ReturnNothing"),
        )
    }


def test_faults_are_noticed_or_not_and_taken_back(tmp_path: Path) -> None:
    checkout = _checkout(tmp_path / "checkout")
    copy = copied(checkout, tmp_path / "copy")
    known = covered(copy, ("tests/test_larger.py",))
    made = mutations(copy, ("airflow_multicloud/larger.py",))
    results = {
        (one.operator, one.occurrence): noticed(copy, one, known.tests_for(one))
        for one in made
        if is_another_program((copy / one.module).read_text(), one)
        and one.operator in {"AddNot", "ReplaceComparisonOperator_Gt_GtE"}
    }
    # The tests compare 3 and 1 with 2, never one with itself. The first condition is TYPE_CHECKING.
    assert results == {("AddNot", 1): True, ("ReplaceComparisonOperator_Gt_GtE", 0): False}
    for path in (checkout, copy):
        module = path / "airflow_multicloud" / "larger.py"
        assert module.read_text() == MODULE.replace("    _log", "    # _log")


def test_constants_that_are_left_out_exist() -> None:
    for module, name in TUNING:
        tree = ast.parse((PACKAGE / module).read_text())
        assigned = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert name in assigned, f"{module} has no {name}"


def test_only_so_many_tests_are_tried_as_end_in_time() -> None:
    """Else a fault that no test notices would count as one that makes something wait for ever."""
    seconds = {"slow": LIMIT / 4, "quick": 1.0, "slower": LIMIT / 2, "elsewhere": 0.5}
    known = Covered(seconds, {"m.py": {7: frozenset({"slow", "quick", "slower"})}})
    at = Mutation("m.py", "AddNot", 0, 7, range(7, 8))
    assert known.tests_for(at) == ["quick", "slow"]
    assert known.tests_for(replace(at, lines=None)) == ["quick", "slow"]
