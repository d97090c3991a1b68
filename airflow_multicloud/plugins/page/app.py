"""The application: its routes, and who may ask."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from airflow.utils.session import create_session
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from airflow_multicloud.plugins.page.access import MAY_READ, ReaderDep
from airflow_multicloud.plugins.page.answers import error_page, page
from airflow_multicloud.plugins.page.asking import CHOICES, DEFAULT_DAYS, SECTIONS, ask


def make_app() -> FastAPI:
    """The application. There is no route that does not ask who the user is."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=MAY_READ)
    app.add_api_route("/", _home)
    app.add_api_route("/{section}", _section)
    app.add_api_route("/{rest:path}", _nothing)
    app.add_exception_handler(AnyHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    return app


def _home(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/{next(iter(SECTIONS))}")


def _section(
    request: Request,
    reader: ReaderDep,
    section: str,
    days: Annotated[int, Query(ge=1, le=max(CHOICES))] = DEFAULT_DAYS,
) -> Response:
    found = SECTIONS.get(section)
    if found is None:
        raise HTTPException(404)
    with create_session() as session:
        dag_ids = reader.dag_ids(session)
        shown, period = ask(session, dag_ids, found, days=days, now=datetime.now(UTC))
    return page(request, f"{section}.html.jinja", section=section, shown=shown, period=period)


def _nothing(rest: str) -> Response:  # noqa: ARG001 - whatever it is
    raise HTTPException(404)


def _refused(request: Request, err: Exception) -> Response:
    status = err.status_code if isinstance(err, AnyHTTPException) else 500
    return error_page(request, status)


def _not_understood(request: Request, _err: Exception) -> Response:
    return error_page(request, 422)
