"""A griffe extension: docstrings in Sphinx's form, read completely, as Markdown for mkdocstrings.

Roles (``:class:`~a.b.C```) become references, literal blocks (``::``) fenced ones. Every parameter
of a callable has exactly one entry: what its ``:param`` says, or that of the base of this package
which ``**kwargs`` goes to; where neither says anything, its type and default only.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from griffe import (
    Class,
    Docstring,
    DocstringParameter,
    DocstringSection,
    DocstringSectionParameters,
    Extension,
    Function,
    NameResolutionError,
    Object,
    ParameterKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from griffe import Parameter

_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):`(~?)([^`]+)`")
_LITERAL = re.compile(r"::\n\n((?: {4,}.*\n|\n)+)")
_ROOT = "airflow_multicloud"
_STARS = {ParameterKind.var_positional: "*", ParameterKind.var_keyword: "**"}


class SphinxDocstrings(Extension):
    """Rewrites every docstring when the whole package is there, so that bases can be found."""

    def on_package(self, *, pkg: Object, **_: Any) -> None:
        """Called once; stands after griffe's own extension for dataclasses."""
        objects = [pkg, *_members(pkg)]
        for obj in objects:
            if obj.docstring is not None:
                obj.docstring.value = as_markdown(obj.docstring.value, obj)
        for obj in objects:
            if isinstance(obj, Class | Function):
                docstring = obj.docstring = obj.docstring or Docstring("", parent=obj)
                sections = complete(obj, list(docstring.parse("sphinx", warnings=False)))
                vars(docstring)["parsed"] = sections  # a cached property


def _members(scope: Object) -> Iterator[Object]:
    for member in scope.members.values():
        if isinstance(member, Object):  # no alias
            yield member
            yield from _members(member)


def as_markdown(text: str, obj: Object) -> str:
    """A docstring's reStructuredText as Markdown; fields stay, for griffe's own parser."""
    text = _ROLE.sub(lambda found: _reference(found[2], obj, short=bool(found[1])), text)
    return _LITERAL.sub(_fenced, f"{text}\n").rstrip()


def _reference(name: str, obj: Object, *, short: bool) -> str:
    """A link where the documentation has a page for it, else the name alone."""
    shown = name.rpartition(".")[2] if short else name
    path = name
    if not name.startswith(f"{_ROOT}."):
        try:
            path = obj.resolve(name)
        except (NameResolutionError, KeyError):
            return f"`{shown}`"
    return f'<autoref identifier="{path}" optional><code>{shown}</code></autoref>'


def _fenced(found: re.Match[str]) -> str:
    return f":\n\n```\n{textwrap.dedent(found[1]).strip()}\n```\n\n"


def parameters_of(obj: Class | Function) -> list[Parameter]:
    """What may be given; for a class, what ``**kwargs`` hands to a base of this package too."""
    # griffe takes a dataclass's bare ``ClassVar`` for a field.
    found = {
        p.name: p
        for p in obj.parameters
        if p.name not in ("self", "cls") and str(p.annotation) != "ClassVar"
    }
    for base in _bases(obj) if isinstance(obj, Class) else ():
        rest = [p for p in found.values() if p.kind is ParameterKind.var_keyword]
        if not rest:
            break
        del found[rest[0].name]
        found |= {p.name: p for p in base.parameters if p.name not in ("self", *found)}
    return list(found.values())


def _bases(cls: Class) -> list[Class]:
    """Bases of this package that have parameters of their own."""
    return [c for c in cls.mro() if isinstance(c, Class) and "__init__" in c.members]


def complete(obj: Class | Function, sections: list[DocstringSection]) -> list[DocstringSection]:
    """The sections with one entry for every parameter, in the order of the signature."""
    written = _written(sections)
    for base in _bases(obj) if isinstance(obj, Class) else ():
        if base.docstring is not None:
            parsed = list(base.docstring.parse("sphinx", warnings=False))
            written = _written(parsed) | written
    entries = []
    for parameter in parameters_of(obj):
        name = _STARS.get(parameter.kind, "") + parameter.name
        described = written.get(parameter.name) or written.get(name)
        entries.append(
            DocstringParameter(
                name,
                annotation=parameter.annotation,
                description=described.description if described else "",
                value=None if name.startswith("*") else parameter.default,
            )
        )
    others = [s for s in sections if not isinstance(s, DocstringSectionParameters)]
    if not entries:
        return others
    # After the text, before what is returned and raised.
    text = sum(1 for s in others if s.kind.value == "text")
    return [*others[:text], DocstringSectionParameters(entries), *others[text:]]


def _written(sections: list[DocstringSection]) -> dict[str, DocstringParameter]:
    return {
        entry.name: entry
        for section in sections
        if isinstance(section, DocstringSectionParameters)
        for entry in section.value
    }
