"""Faces of packages: names that are imported when they are first asked for (PEP 562).

A DAG file that needs one operator should not pay for all of them, nor for what they are made of.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_face(
    package: str, places: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """A package's ``__getattr__``, ``__dir__`` and ``__all__``.

    Type checkers and editors read the package's ``__init__.pyi`` instead, which ``python
    docs/generate.py`` makes from the same list: to them, a package with a ``__getattr__`` would
    have every name.

    :param package: its ``__name__``.
    :param places: module → the names that the package offers of it, with spaces between.
    :return: all three.
    """
    modules = {name: module for module, names in places.items() for name in names.split()}

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(modules[name]), name)
        setattr(sys.modules[package], name, found)  # It is not asked for again.
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return get, names, sorted(modules)
