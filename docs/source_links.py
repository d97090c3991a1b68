"""A hook of mkdocs: the links of the reference to source lead to pages with the source.

``[source](../../airflow_multicloud/api/replicas.py#replicate)`` is a file of the checkout, which
a host of the repository shows as well. In the built documentation each such file gets a page, and
the link the line that the name after ``#`` is defined at. Nothing is loaded from elsewhere.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, InclusionLevel

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

CHECKOUT = Path(__file__).parents[1]
_LINK = re.compile(r"\]\(\.\./\.\./(airflow_multicloud/[\w/]+\.py)(?:#([\w.]+))?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every file that the reference links to; no search finds them."""
    reference = Path(config.docs_dir, "reference")
    linked = {
        found[1]
        for page in sorted(reference.glob("*.md"))
        for found in _LINK.finditer(page.read_text())
    }
    for name in sorted(linked):
        text = (CHECKOUT / name).read_text()
        fence = "`" * 8
        files.append(
            File.generated(
                config,
                f"source/{name.removesuffix('.py')}.md",
                content=f"---\nsearch:\n  exclude: true\n---\n\n# {name}\n\n"
                f'{fence}python linenums="1"\n{text}{fence}\n',
                inclusion=InclusionLevel.NOT_IN_NAV,
            )
        )
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Point the links of a page of the reference to those pages."""
    if not page.file.src_uri.startswith("reference/"):
        return markdown

    def pointed(found: re.Match[str]) -> str:
        name, symbol = found[1], found[2]
        line = _lines(name).get(symbol or "")
        anchor = f"#__codelineno-0-{line}" if line else ""
        return f"](../source/{name.removesuffix('.py')}.md{anchor})"

    return _LINK.sub(pointed, markdown)


@cache
def _lines(name: str) -> dict[str, int]:
    """Name → line, of what a module defines."""
    found: dict[str, int] = {}

    def look(body: list[ast.stmt], within: str) -> None:
        for node in body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                found[f"{within}{node.name}"] = node.lineno
                look(node.body, f"{within}{node.name}.")

    look(ast.parse((CHECKOUT / name).read_text()).body, "")
    return found
