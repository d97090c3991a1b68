"""Pages as answers: what a browser may do with them, and how errors look."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from airflow_multicloud.core import pages
from airflow_multicloud.links.pages import path_of_task
from airflow_multicloud.plugins.page.asking import SECTIONS

#: What an error of a kind means, and what to do.
_MEANINGS = {
    401: ("Not signed in", "Sign in to Airflow, and open this page again."),
    403: (
        "Not allowed",
        "You may not read this: it takes reading the DAG, its runs, task instances and XComs. "
        "Ask whoever administers this Airflow.",
    ),
    404: ("Not found", "There is nothing here. Start from one of the pages above."),
    422: ("Not understood", "The address is not one of this page's. Start from one of them above."),
}


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of this package's own."""
    root = request.scope.get("root_path", "")
    text = pages.render(
        __package__,
        template,
        own_style=own_style(),
        root=root,
        task_url=lambda task: f"{root}{path_of_task(task)}",
        file_url=lambda task, number: f"{root}{path_of_task(task, of='file')}/{number}",
        sections=[(path, section.name) for path, section in SECTIONS.items()],
        now=datetime.now(UTC),
        **values,
    )
    return HTMLResponse(text, status, headers=_headers(_page_policy()))


def error_page(
    request: Request, status: int, meaning: str = "", *, title: str = ""
) -> HTMLResponse:
    """What went wrong, and what to do.

    :param meaning: by default that of the status, as the ``title``.
    """
    usual = _MEANINGS.get(status, ("This did not work", "Try again."))
    return page(
        request,
        "error.html.jinja",
        status,
        section="",
        title=title or usual[0],
        meaning=meaning or usual[1],
    )


def file_answer(content: bytes, media_type: str) -> Response:
    """A file that a task has written: it runs nothing, asks for nothing, and is of no origin."""
    policy = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    headers = {**_headers(policy), "Content-Type": media_type}
    return Response(content, headers=headers)


@cache
def own_style() -> Markup:
    """What only these pages look like."""
    # A style sheet of the package's own.
    return Markup(files(__package__).joinpath("ui.css").read_text("utf-8"))  # noqa: S704


@cache
def _page_policy() -> str:
    styles = " ".join(map(_hash, (pages.style_sheet(), own_style())))
    return (
        f"default-src 'none'; style-src {styles}; frame-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    )


def _hash(style: str) -> str:
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"


def _headers(policy: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
