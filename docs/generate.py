"""Write what the documentation can know from code: the reference and the support matrix.

``python docs/generate.py`` writes them; with ``--check`` it only says what is out of date, and
then ends with status 1.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from airflow_multicloud import registry
from airflow_multicloud.ports import cost
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.contracts.object_store.rigs import (
    OPTIONAL_CAPABILITIES,
    has_capability,
)

DOCS = Path(__file__).parent

NOTE = "<!-- Written by docs/generate.py from the code; `python docs/generate.py` renews it. -->\n"

#: The services a cloud may have; those without a port are not there yet.
SERVICES = (
    "object_store",
    "metrics",
    "logs",
    "secrets",
    "compute",
    "database",
    "cost",
    "identity",
)


#: Service → what its hooks may have besides.
CAPABILITIES: dict[str, tuple[type, ...]] = {
    "object_store": OPTIONAL_CAPABILITIES,
    "cost": (
        cost.CostQueries,
        cost.CostForecasts,
        cost.CostRecommendations,
        cost.PriceLists,
    ),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the reference."""

    name: str
    title: str
    modules: tuple[str, ...]


PAGES = (
    Page("api", "Python API", ("airflow_multicloud.api",)),
    Page(
        "operators",
        "Operators",
        tuple(
            f"airflow_multicloud.operators.{name}"
            for name in ("object_store", "drill", "params", "cost")
        ),
    ),
    Page(
        "sensors-and-triggers",
        "Sensors and triggers",
        (
            "airflow_multicloud.sensors.object_store",
            "airflow_multicloud.sensors.cost",
            "airflow_multicloud.triggers.poll",
        ),
    ),
    Page(
        "locations-and-registry",
        "Locations and registry",
        ("airflow_multicloud.locations", "airflow_multicloud.registry"),
    ),
    Page(
        "ports",
        "Ports",
        tuple(f"airflow_multicloud.ports.{name}" for name in ("object_store", "cost", "identity")),
    ),
    Page(
        "costs",
        "Costs",
        (
            "airflow_multicloud.labels",
            *(
                f"airflow_multicloud.core.cost.{name}"
                for name in (
                    "store",
                    "quality",
                    "figures",
                    "money",
                    "compare",
                    "smallest_bill",
                    "anomalies",
                    "surprises",
                    "forecast",
                    "seasonal",
                    "budget",
                    "attribution",
                    "prices",
                    "price_file",
                    "refresh_prices",
                    "rates_file",
                    "unconverted",
                    "workload",
                    "transfer",
                    "recommendations",
                    "report",
                )
            ),
        ),
    ),
    Page("errors", "Errors", ("airflow_multicloud.errors",)),
    Page("telemetry", "Telemetry", ("airflow_multicloud.core.telemetry",)),
    Page(
        "testing",
        "Testing",
        tuple(
            f"airflow_multicloud.testing.{name}"
            for name in (
                "fixtures",
                "local_clouds",
                "memory_cloud",
                "memory_cloud.object_store",
                "contracts",
                "contracts.object_store.rigs",
                "contracts.object_store.objects",
                "contracts.object_store.awkward_keys",
                "contracts.object_store.conditions",
                "contracts.object_store.parts",
                "contracts.object_store.capabilities",
                "offline",
            )
        ),
    ),
)


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    stale = {
        path: text
        for path, text in pages().items()
        if not path.is_file() or path.read_text() != text
    }
    if arguments == ["--check"]:
        for path in stale:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)} is out of date\n")
        return 1 if stale else 0
    for path, text in stale.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return 0


def pages() -> dict[Path, str]:
    """Every generated page."""
    made = {DOCS / "reference" / f"{page.name}.md": reference(page) for page in PAGES}
    return {DOCS / "support-matrix.md": support_matrix(), **made}


# The support matrix


def support_matrix() -> str:
    """Which cloud has which service, and which optional capabilities its object store has."""
    memory_cloud.register()
    # Others may be installed beside this distribution; they have documentation of their own.
    ours = [c for c in registry.list_providers() if c.module.startswith("airflow_multicloud.")]
    clouds = sorted(ours, key=lambda cloud: (cloud.name == "memory", cloud.title))
    head = ["", *(cloud.title for cloud in clouds)]
    services = [[f"`{name}`", *(_service(name, c.module) for c in clouds)] for name in SERVICES]
    facts = [
        ["connection types", *(_codes(c.conn_types) for c in clouds)],
        ["URI schemes", *(_codes(f"{s}://" for s in c.uri_schemes) for c in clouds)],
        ["for exports only", *(_codes(f"{s}://" for s in c.export_schemes) for c in clouds)],
        ["default connection", *(_codes(dict.fromkeys(c.uri_schemes.values())) for c in clouds)],
        ["install", *(f"`{c.requirement}`" for c in clouds)],
    ]
    return (
        f"{NOTE}\n# Support matrix\n\n"
        "Found in the installed code, not written by hand: a service is there when its port and "
        "the cloud's module for it are, an optional capability when the cloud's hook has every "
        "member of it. The in-memory cloud is for tests.\n\n"
        f"## Clouds\n\n{_table(head, facts)}\n"
        f"## Services\n\n{_table(head, services)}\n"
        "## Optional capabilities\n\n"
        + "".join(
            f"### `{service}`\n\n{_table(head, _powers(service, [c.module for c in clouds]))}\n"
            for service in CAPABILITIES
        )
        + "Each capability has a contract class that runs against every hook that has it; see "
        "[Run the contract suite](how-to/contract-suite.md).\n"
    )


def _powers(service: str, modules: list[str]) -> list[list[str]]:
    there = [find_spec(f"{module}.{service}") is not None for module in modules]
    hooks = [
        importlib.import_module(f"{module}.{service}").Hook if found else None
        for module, found in zip(modules, there, strict=True)
    ]
    return [
        [
            f"[`{capability.__name__}`](reference/ports.md#{capability.__name__.lower()})",
            *(
                "yes" if hook is not None and has_capability(hook, capability) else "–"
                for hook in hooks
            ),
        ]
        for capability in CAPABILITIES[service]
    ]


def _service(name: str, module: str) -> str:
    if find_spec(f"airflow_multicloud.ports.{name}") is None:
        return "not yet"
    return "–" if find_spec(f"{module}.{name}") is None else "yes"


def _codes(texts: Any) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# The reference


def reference(page: Page) -> str:
    """One page: every public class and function of its modules."""
    parts = [f"{NOTE}\n# {page.title}\n"]
    for name in page.modules:
        module = importlib.import_module(name)
        parts.append(f"## `{name}`\n\n{markdown(module.__doc__)} {_source(name)}\n")
        parts.extend(_described(name, thing, 3) for name, thing in public(module))
    return "\n".join(parts)


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """What a module offers: what it names in ``__all__``, and what it defines, in order."""
    named = set(getattr(module, "__all__", ()))
    # A lazy face has in its namespace only what was asked for already.
    offered = {name: getattr(module, name) for name in sorted(named)}
    for name, found in {**vars(module), **offered}.items():
        if name.startswith("_") or name == "Hook":
            continue
        # A fixture is an object around its function.
        value = found if inspect.isclass(found) else getattr(found, "__wrapped__", found)
        here = getattr(value, "__module__", None) == module.__name__
        if (inspect.isclass(value) or inspect.isfunction(value)) and (name in named or here):
            yield name, value


def _described(name: str, thing: Any, level: int) -> str:
    heading = f"{'#' * level} {name}\n\n"
    source = _source(thing.__module__, thing.__qualname__)
    if inspect.isclass(thing):
        return f"{heading}{source}\n\n{_class(name, thing, level)}"
    return f"{heading}{source}\n\n{_signature(name, thing)}{markdown(thing.__doc__)}\n"


def _source(module: str, name: str = "") -> str:
    """A link to where it is defined, which docs/source_links.py gives a page and a line.

    The link has no line itself: each edit above it would make the page out of date.
    """
    file = Path(inspect.getsourcefile(importlib.import_module(module)) or "")
    where = file.relative_to(DOCS.parent).as_posix()
    return f"[source](../../{where}{f'#{name}' if name else ''}){{ .source }}"


def _class(name: str, cls: type, level: int) -> str:
    shown = _bases(cls)
    if issubclass(cls, Enum):
        return f"{shown}{markdown(cls.__doc__)}\n{_members(cls)}"
    text = shown
    tests = name.endswith("Contract")
    error = issubclass(cls, BaseException)
    made = "__init__" in vars(cls) if error else not getattr(cls, "_is_protocol", False)
    if made and not tests:
        text += _signature(name, cls)
    text += f"{markdown(cls.__doc__)}\n"
    for member, value in vars(cls).items():
        if member.startswith("_"):
            continue
        function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if isinstance(value, property):
            text += f"\n{'#' * (level + 1)} {name}.{member}\n\n{markdown(value.fget.__doc__)}\n"
        elif inspect.isfunction(function) and tests:
            text += f"\n- `{member}`: {markdown(function.__doc__)}"
        elif inspect.isfunction(function):
            text += f"\n{'#' * (level + 1)} {name}.{member}\n\n"
            text += f"{_signature(member, function)}{markdown(function.__doc__)}\n"
    return f"{text.rstrip()}\n"


def _bases(cls: type) -> str:
    """What it derives from, as far as that is public."""
    known = (next(c for c in b.__mro__ if not _is_private(c)) for b in cls.__bases__)
    names = dict.fromkeys(c.__name__ for c in known if c not in (object, Enum))
    return f"*{', '.join(names)}*\n\n" if names else ""


def _is_private(cls: type) -> bool:
    ours = cls.__module__.startswith("airflow_multicloud.")
    return cls.__name__[0] == "_" or (ours and "._" in cls.__module__)


def _members(cls: type[Enum]) -> str:
    """An enum's members with the strings below them, which exist in source only."""
    tree: Any = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    said: dict[str, str] = {}
    last = ""
    for node in tree.body[0].body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            last = node.targets[0].id
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and last:
            said[last] = inspect.cleandoc(str(node.value.value))
            last = ""
    lines = []
    for member in cls:
        text = inline(said[member.name]).replace("\n", " ") if member.name in said else ""
        lines.append(f"- `{member.name}` = `{member.value!r}`{': ' if text else ''}{text}\n")
    return "\n" + "".join(lines)


def _signature(name: str, thing: Any) -> str:
    signature = inspect.signature(thing)
    returns = signature.return_annotation
    arrow = "" if returns in (inspect.Signature.empty, None, "None") else f" -> {_plain(returns)}"
    given = list(_arguments(thing, _parameters(thing, signature)))
    text = f"{name}({', '.join(given)}){arrow}"
    if len(text) > 88:  # noqa: PLR2004 - what fits beside the table of contents
        text = f"{name}(\n" + "".join(f"    {one},\n" for one in given) + f"){arrow}"
    return f"```py\n{text}\n```\n\n"


def _parameters(thing: Any, signature: inspect.Signature) -> list[inspect.Parameter]:
    """What may be given; for a class, what ``**kwargs`` hands to a base of this package's too."""
    found = {n: p for n, p in signature.parameters.items() if n not in ("self", "cls")}
    if not inspect.isclass(thing):
        return list(found.values())
    for base in thing.__mro__[1:]:
        rest = next((p for p in found.values() if p.kind is p.VAR_KEYWORD), None)
        if rest is None or not base.__module__.startswith("airflow_multicloud."):
            break
        # Airflow's metaclass gives each operator an __init__, also one that defines none.
        made = inspect.unwrap(vars(base).get("__init__", object.__init__))
        if not getattr(made, "__module__", "").startswith("airflow_multicloud."):
            continue
        del found[rest.name]
        more = inspect.signature(base).parameters
        keyword = {n: p for n, p in found.items() if p.kind is p.KEYWORD_ONLY}
        found = {n: p for n, p in found.items() if n not in keyword}
        found |= {n: p for n, p in more.items() if n != "self" and p.kind is not p.VAR_KEYWORD}
        found |= keyword
        found |= {n: p for n, p in more.items() if p.kind is p.VAR_KEYWORD}
    return list(found.values())


def _arguments(thing: Any, parameters: list[inspect.Parameter]) -> Iterator[str]:
    starred = False
    made = {f.name: f for f in fields(thing)} if is_dataclass(thing) else {}
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(
            parameter.kind, ""
        )
        starred = starred or bool(prefix)
        kind = (
            "" if parameter.annotation is parameter.empty else f": {_plain(parameter.annotation)}"
        )
        value = parameter.default
        if parameter.name in made and made[parameter.name].default_factory is not MISSING:
            value = made[parameter.name].default_factory()
        default = "" if value is parameter.empty else f" = {_value(value)}"
        yield f"{prefix}{parameter.name}{kind}{default}"


def _plain(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "…")


def _value(default: Any) -> str:
    """A default as one would write it."""
    if isinstance(default, Enum):
        text = repr(default.value)
    elif isinstance(default, timedelta):
        text = f"timedelta(seconds={default.total_seconds():.0f})"
    elif is_dataclass(default) and not isinstance(default, type):
        text = _made(default)
    elif isinstance(default, (frozenset, set)):
        text = (
            f"{{{', '.join(sorted(map(_value, default)))}}}"
            if default
            else f"{type(default).__name__}()"
        )
    elif isinstance(default, (tuple, list)):
        inner = ", ".join(map(_value, default))
        comma = "," if len(default) == 1 else ""
        text = f"({inner}{comma})" if isinstance(default, tuple) else f"[{inner}]"
    elif isinstance(default, Mapping):
        text = f"{{{', '.join(f'{_value(k)}: {_value(v)}' for k, v in default.items())}}}"
    elif inspect.isfunction(default) or inspect.isclass(default):
        text = default.__name__
    else:
        text = repr(default)
    return "…" if "<" in text or len(text) > _LONGEST else text


def _made(value: Any) -> str:
    """A dataclass's object, by what is not its default in it."""
    given = []
    for one in fields(value):
        usual = one.default if one.default_factory is MISSING else one.default_factory()
        held = getattr(value, one.name)
        if one.init and (usual is MISSING or held != usual):
            given.append(f"{one.name}={_value(held)}")
    return f"{type(value).__name__}({', '.join(given)})"


#: A default that is longer is left out.
_LONGEST = 120

_FIELD = re.compile(r":(param|raises|return)\s*([^:]*):\s*")
_ROLE = re.compile(r":(?:class|func|meth|mod|data):`~?([^`]+)`")


def markdown(doc: str | None) -> str:
    """A docstring as Markdown: fields become a list, literal blocks fenced ones."""
    if not doc:
        return ""
    text, fields = [], []
    # A docstring joined of two has two indentations.
    pieces = map(inspect.cleandoc, re.split(r"\n +\n", doc))
    lines = "\n\n".join(pieces).split("\n")
    target: list[str] = text
    for line in lines:
        if found := _FIELD.match(line.strip()):
            what, name = found[1], found[2].strip()
            label = {"param": f"`{name}`", "raises": f"raises `{name}`", "return": "returns"}[what]
            fields.append(f"- {label}: {line.strip()[found.end() :]}")
            target = fields
        elif target is fields and line.strip():
            fields[-1] += f" {line.strip()}"
        else:
            target = text
            text.append(line)
    body = _literal_blocks("\n".join(text).rstrip())
    listed = inline("\n".join(fields))
    return f"{body}\n\n{listed}" if body and listed else body or listed


def _literal_blocks(text: str) -> str:
    """``like this::`` and an indented block, as a fenced one."""
    parts: list[str] = []
    paragraphs = re.split(r"::\n\n((?:[ ]{4}.*\n?|\n)+)", text)
    for number, part in enumerate(paragraphs):
        if number % 2:
            parts.append(f":\n\n``` {{ .python }}\n{textwrap.dedent(part).strip()}\n```\n\n")
        else:
            parts.append(inline(part))
    return "".join(parts).rstrip()


def inline(text: str) -> str:
    """Roles and double backquotes as Markdown has them."""
    text = _ROLE.sub(lambda found: f"`{found[1].rpartition('.')[2]}`", text)
    return text.replace("``", "`")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
