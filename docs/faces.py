"""Write what type checkers and editors read of the packages that import names when asked for.

At run time such a package has one list, of the modules and what it offers of each (see
:func:`airflow_multicloud.lazy.lazy_face`). Its ``__init__.pyi`` is made from that list.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import airflow_multicloud

NOTE = "# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.\n"
_ROOT = Path(airflow_multicloud.__file__).parent
_LONGEST = 100


def stubs() -> dict[Path, str]:
    """Each stub's place, and what it is to have."""
    return {
        path.with_suffix(".pyi"): _stub(places)
        for path in sorted(_ROOT.rglob("__init__.py"))
        if (places := _places(path.read_text())) is not None
    }


def _places(source: str) -> dict[str, str] | None:
    """What the package's list has; ``None`` for a package without one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy_face":
            found: dict[str, str] = ast.literal_eval(node.args[1])
            return found
    return None


def _stub(places: dict[str, str]) -> str:
    lines = (
        line
        for module, names in sorted(places.items())
        for name in sorted(names.split(), key=_order)
        for line in _imported(module, name)
    )
    return "\n".join((NOTE, *lines, ""))


def _imported(module: str, name: str) -> Iterator[str]:
    """One name, in the form that says that it is offered here; formatted as Ruff does."""
    line = f"from {module} import {name} as {name}"
    if len(line) <= _LONGEST:
        yield line
    else:
        yield from (f"from {module} import (", f"    {name} as {name},", ")")


def _order(name: str) -> tuple[int, str]:
    """Constants, classes, functions: as Ruff sorts imports."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name.lower())
