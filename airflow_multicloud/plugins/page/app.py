"""The application: its routes, and who may ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from airflow.utils.session import create_session
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from airflow_multicloud.plugins.page import kinds
from airflow_multicloud.plugins.page.access import MAY_READ, Reader, ReaderDep
from airflow_multicloud.plugins.page.answers import error_page, file_answer, page
from airflow_multicloud.plugins.page.asking import CHOICES, DEFAULT_DAYS, SECTIONS, ask
from airflow_multicloud.plugins.page.events import events_of
from airflow_multicloud.plugins.page.files import KINDS, files_of
from airflow_multicloud.plugins.page.lines import lines_of
from airflow_multicloud.plugins.page.reading import NotShownError, check_file, limits, read_file
from airflow_multicloud.plugins.page.recorded import (
    Recorded,
    Sought,
    TaskRef,
    reports_of,
    seen,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def make_app() -> FastAPI:
    """The application. There is no route that does not ask who the user is."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=MAY_READ)
    app.add_api_route("/", _home)
    app.add_api_route("/{section}", _section)
    app.add_api_route("/task/{dag_id}/{run_id}/{task_id}/{map_index}", _task)
    app.add_api_route("/file/{dag_id}/{run_id}/{task_id}/{map_index}/{number}", _file)
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
        shown, period = ask(
            session,
            dag_ids,
            found,
            may_read_asset=reader.may_read_asset,
            days=days,
            now=datetime.now(UTC),
        )
    return page(request, f"{section}.html.jinja", section=section, shown=shown, period=period)


def _task(
    request: Request, reader: ReaderDep, dag_id: str, run_id: str, task_id: str, map_index: str
) -> Response:
    task = _ref(dag_id, run_id, task_id, map_index)
    with create_session() as session:
        found = seen(session, task)
        reports = _reports(session, reader, task, kinds.ALL)
    if found is None:
        raise HTTPException(404)
    return page(
        request,
        "task.html.jinja",
        section="",
        task_ref=task,
        seen=found,
        reports=[(one, lines_of(one.facts)) for one in reports],
        files=files_of(reports),
        limits=limits(),
    )


def _file(
    request: Request,
    reader: ReaderDep,
    dag_id: str,
    run_id: str,
    task_id: str,
    map_index: str,
    number: int,
) -> Response:
    task = _ref(dag_id, run_id, task_id, map_index)
    try:
        with create_session() as session:
            files = files_of(_reports(session, reader, task, KINDS))
            if not 0 <= number < len(files):
                raise HTTPException(404)
            check_file(session, task, files[number])
        # No connection to the database is held while a cloud is asked.
        content = read_file(files[number])
    except NotShownError as err:
        return error_page(request, err.status, str(err), title="The file is not shown")
    return file_answer(content, files[number].media_type)


def _reports(
    session: Session, reader: Reader, task: TaskRef, sought: Sequence[Sought]
) -> list[Recorded]:
    """What a task has reported; of what XCom has not, what it has told assets before."""
    found = reports_of(session, task, sought)
    keys = {one.key for one in found}
    for one in sought:
        if one.key not in keys:
            found += events_of(session, task, one, may_read=reader.may_read_asset)
    return found


def _ref(dag_id: str, run_id: str, task_id: str, map_index: str) -> TaskRef:
    """A task instance; where a task is not mapped, Airflow's UI leaves the placeholder."""
    is_number = map_index.isascii() and map_index.isdecimal()
    return TaskRef(dag_id, run_id, task_id, int(map_index[:9]) if is_number else -1)


def _nothing(rest: str) -> Response:  # noqa: ARG001 - whatever it is
    raise HTTPException(404)


def _refused(request: Request, err: Exception) -> Response:
    status = err.status_code if isinstance(err, AnyHTTPException) else 500
    return error_page(request, status)


def _not_understood(request: Request, _err: Exception) -> Response:
    return error_page(request, 422)
