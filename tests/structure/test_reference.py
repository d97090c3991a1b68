"""The reference is complete: each parameter of what is public is shown once, no field is lost."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import griffe
import pytest

import airflow_multicloud

CHECKOUT = Path(__file__).parents[2]
PACKAGE = Path(airflow_multicloud.__file__).parent
REFERENCE = CHECKOUT / "docs" / "reference"
IDENTIFIERS = sorted(
    found
    for page in REFERENCE.glob("*.md")
    for found in re.findall(r"^::: (\S+)$", page.read_text(), re.MULTILINE)
)
#: Packages whose modules users and authors of clouds import: each stands on a page.
PUBLIC = ("operators", "sensors", "triggers", "ports", "adapters")
FIELD = re.compile(r":(?:param|raises|return|returns)\b[^:`\n]*:")
WRITTEN = re.compile(r"^ *:param \*{0,2}(\w+):", re.MULTILINE)
SELVES = ("self", "cls")
ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):`")


@cache
def _package() -> griffe.Object:
    sys.path.insert(0, str(CHECKOUT / "docs"))
    try:
        import griffe_docstrings
    finally:
        sys.path.pop(0)
    extensions = griffe.load_extensions("dataclasses", griffe_docstrings.SphinxDocstrings())
    loaded = griffe.load("airflow_multicloud", search_paths=[str(CHECKOUT)], extensions=extensions)
    assert isinstance(loaded, griffe.Object)
    return loaded


def _found(identifier: str) -> griffe.Object:
    name = identifier.removeprefix("airflow_multicloud.")
    found = _package()[name]
    return found.final_target if isinstance(found, griffe.Alias) else found


def _callables(scope: griffe.Object) -> list[griffe.Class | griffe.Function]:
    """What mkdocstrings shows of it: public members, also those that a face takes from modules."""
    found: list[griffe.Class | griffe.Function] = []
    exported = set(scope.exports or ()) if isinstance(scope, griffe.Module) else set()
    for name, member in scope.members.items():
        if name.startswith("_") or name == "Hook":
            continue
        if isinstance(member, griffe.Alias):
            if name not in exported:
                continue
            member = member.final_target  # noqa: PLW2901 - what the alias stands for
        if isinstance(member, griffe.Class | griffe.Function):
            found.append(member)
        if isinstance(member, griffe.Class):
            found += _callables(member)
    return found


def _shown() -> list[object]:
    callables = {c.path: c for name in IDENTIFIERS for c in _callables(_found(name))}
    return [pytest.param(c, id=path) for path, c in sorted(callables.items())]


def test_the_reference_has_pages() -> None:
    assert len(IDENTIFIERS) > len(PUBLIC)
    assert len(_shown()) > len(IDENTIFIERS)


@pytest.mark.parametrize("package", PUBLIC)
def test_every_public_module_stands_on_a_page(package: str) -> None:
    """A package stands there by its face, or by each of its modules."""
    lacking = []
    for path in sorted((PACKAGE / package).rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        shown = any(name == one or name.startswith(f"{one}.") for one in IDENTIFIERS)
        is_face = path.name == "__init__.py"
        if not shown and not is_face:
            lacking.append(name)
    assert lacking == []


def _python_of(one: griffe.Object) -> Any:
    """What Python itself makes of it: griffe's own reading is what the tests check."""
    outer, name = one.parent, one.name
    assert outer is not None
    if isinstance(outer, griffe.Module):
        return vars(importlib.import_module(outer.path))[name]
    found = inspect.getattr_static(_python_of(outer), name)
    return getattr(found, "__func__", found)  # of a class method or a static one


def _taken_by(callable_: Any) -> list[str]:
    """Names, without ``self``; what a class hands to a base of this package by ``**kwargs`` too."""
    if not inspect.isclass(callable_):
        return [name for name in inspect.signature(callable_).parameters if name not in SELVES]
    found: list[str] = []
    rest: list[str] = []
    for base in callable_.__mro__:
        init = vars(base).get("__init__")
        ours = base.__module__.startswith("airflow_multicloud.")
        if not ours or init is None or init.__module__ == "typing":  # a protocol's has none
            continue
        parameters = inspect.signature(init).parameters
        found += [name for name in parameters if name not in SELVES and name not in found]
        rest = [name for name, p in parameters.items() if p.kind is p.VAR_KEYWORD]
        if not rest:
            break
        found.remove(rest[0])
    else:
        found += rest  # these go to a base that is not of this package
    return found


@pytest.mark.parametrize("one", _shown())
def test_every_parameter_has_exactly_one_entry(one: griffe.Class | griffe.Function) -> None:
    assert one.docstring is not None
    entries = [
        entry.name.lstrip("*")
        for section in one.docstring.parsed
        if isinstance(section, griffe.DocstringSectionParameters)
        for entry in section.value
    ]
    assert entries == _taken_by(_python_of(one))
    written = WRITTEN.findall(one.docstring.value)
    assert sorted(written) == sorted(set(written))


@pytest.mark.parametrize("one", _shown())
def test_nothing_is_shown_raw(one: griffe.Class | griffe.Function) -> None:
    assert one.docstring is not None
    for section in one.docstring.parsed:
        if isinstance(section.value, str):
            texts = [section.value]
        else:
            texts = [getattr(entry, "description", "") for entry in section.value]
        for text in texts:
            assert FIELD.search(text) is None, text
            assert ROLE.search(text) is None, text


def _docstrings(path: Path) -> list[tuple[str, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node) or ""
            found.append((getattr(node, "name", "module"), text))
    return found


def test_one_field_per_line() -> None:
    """Of two fields on a line, the tools that read docstrings drop the second."""
    crowded = [
        f"{path.relative_to(PACKAGE)}: {name}: {line.strip()}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for name, text in _docstrings(path)
        for line in text.splitlines()
        if len(FIELD.findall(line)) > 1 or (FIELD.search(line) and not FIELD.match(line.strip()))
    ]
    assert crowded == []


def test_every_described_parameter_exists() -> None:
    """A ``:param`` of a public callable names one that it takes."""
    unknown = []
    for param in _shown():
        (one,) = param.values  # type: ignore[attr-defined]
        text = one.docstring.value
        named = set(WRITTEN.findall(text))
        import griffe_docstrings

        taken = {p.name for p in griffe_docstrings.parameters_of(one)}
        if isinstance(one, griffe.Class):
            taken |= {name for name, m in one.all_members.items() if m.is_attribute}
        unknown += [f"{one.path}: {name}" for name in sorted(named - taken)]
    assert unknown == []
