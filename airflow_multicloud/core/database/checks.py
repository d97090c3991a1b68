"""What is to be checked of the tables of a database, as it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, cast

from airflow_multicloud.core.database.given import duration, line, moment, refused
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.lists import elements, texts

#: In place of an expectation: what was measured before.
BASELINE: Final = "baseline"
_CHECKSUM = re.compile(r"[a-z0-9-]{1,40}:[0-9a-f]{16,128}")
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCheck:
    """What is expected of one table; at least one thing.

    :param table: its name, exactly; no schema before it.
    :param schema: in which it is; the one that the connection looks in first when left out.
    :param rows: how many it has; or ``"baseline"``.
    :param rows_tolerance: by which share of ``rows`` their number may differ, from 0 to 1.
    :param at_least_rows: how many it has at least.
    :param checksum: of its content in any order, as an earlier report has it; or ``"baseline"``.
    :param columns: that count for the checksum; all of them when left out.
    :param newest: a column of times, of which the newest is looked at. One without a timezone is
        taken as UTC.
    :param newest_at_least: what the newest must not be before; or ``"baseline"``.
    :param max_age: how long before the restored moment the newest may be, at most.
    """

    table: str
    schema: str | None = None
    rows: int | str | None = None
    rows_tolerance: float = 0.0
    at_least_rows: int | None = None
    checksum: str | None = None
    columns: tuple[str, ...] = ()
    newest: str | None = None
    newest_at_least: datetime | str | None = None
    max_age: timedelta | None = None

    @property
    def name(self) -> str:
        """The table for people."""
        return self.table if self.schema is None else f"{self.schema}.{self.table}"

    @property
    def wants_baseline(self) -> bool:
        """Whether something is expected to be as it was measured before."""
        return BASELINE in (self.rows, self.checksum, self.newest_at_least)

    @property
    def expectations(self) -> tuple[str, ...]:
        """What is compared, each by its parameter."""
        names = ("rows", "at_least_rows", "checksum", "newest_at_least", "max_age")
        return tuple(name for name in names if getattr(self, name) is not None)


def read_checks(given: object) -> tuple[TableCheck, ...]:
    """Checks as a DAG or a file has them: a list of mappings of the fields of a check.

    :raises DatabaseError: ``invalid_argument``, naming what is wrong; also for none at all.
    """
    if isinstance(given, str):
        raise refused("checks", given, "a list of mappings")
    found = elements(given, "checks", dict, TableCheck, what="mappings", error=DatabaseError)
    if not found:
        raise refused("checks", "an empty list", "at least one: nothing checked is nothing proven")
    checks = tuple(
        _checked(f"checks[{number}]", cast("dict[str, Any] | TableCheck", one))
        for number, one in enumerate(found)
    )
    names = [check.name for check in checks]
    for name in names:
        if names.count(name) > 1:
            raise refused("checks", name, "each table once")
    return checks


def _checked(parameter: str, given: Mapping[str, Any] | TableCheck) -> TableCheck:
    if isinstance(given, TableCheck):
        given = {field.name: getattr(given, field.name) for field in fields(TableCheck)}
    known = [field.name for field in fields(TableCheck)]
    unknown = sorted(str(key) for key in given if key not in known)
    if unknown:
        raise refused(parameter, ", ".join(unknown), f"only {', '.join(known)}")
    table = _identifier(f"{parameter}: table", given.get("table"))
    schema = given.get("schema")
    if schema is None and "." in table:
        raise refused(
            f"{parameter}: table", table, "a name without its schema, which is given as schema; "
            "where the name itself has a full stop, give the schema as well",
        )  # fmt: skip
    check = TableCheck(
        table=table,
        schema=None if schema is None else _identifier(f"{parameter}: schema", schema),
        rows=_rows(f"{parameter}: rows", given.get("rows")),
        rows_tolerance=_share(f"{parameter}: rows_tolerance", given.get("rows_tolerance")),
        at_least_rows=_least(f"{parameter}: at_least_rows", given.get("at_least_rows")),
        checksum=_checksum(f"{parameter}: checksum", given.get("checksum")),
        columns=_columns(f"{parameter}: columns", given.get("columns")),
        newest=_optional_identifier(f"{parameter}: newest", given.get("newest")),
        newest_at_least=_newest(f"{parameter}: newest_at_least", given.get("newest_at_least")),
        max_age=_age(f"{parameter}: max_age", given.get("max_age")),
    )
    _check_whole(parameter, check)
    return check


def _check_whole(parameter: str, check: TableCheck) -> None:
    if not check.expectations:
        raise DatabaseError(
            f"{parameter}: nothing is expected of {check.name}; give rows, at_least_rows, "
            "checksum, or newest with newest_at_least or max_age",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    for_newest = check.newest_at_least is not None or check.max_age is not None
    if for_newest != (check.newest is not None):
        raise refused(
            f"{parameter}: newest", check.newest,
            "a column exactly when newest_at_least or max_age is given",
        )  # fmt: skip
    if check.rows_tolerance and check.rows is None:
        raise refused(f"{parameter}: rows_tolerance", check.rows_tolerance, "rows with it")
    if check.columns and check.checksum is None:
        raise refused(f"{parameter}: columns", ", ".join(check.columns), "checksum with it")


def _identifier(parameter: str, given: object) -> str:
    name = line(parameter, given, what="a name")
    if len(name) > _LONGEST_NAME:
        raise refused(parameter, name, f"at most {_LONGEST_NAME} characters")
    return name


def _optional_identifier(parameter: str, given: object) -> str | None:
    return None if given is None else _identifier(parameter, given)


def _rows(parameter: str, given: object) -> int | str | None:
    if given is None or given == BASELINE:
        return given if given is None else BASELINE
    if type(given) is not int or given < 0:
        raise refused(parameter, given, "a whole number, 0 or more, or 'baseline'")
    return given


def _least(parameter: str, given: object) -> int | None:
    if given is None:
        return None
    if type(given) is not int or given < 1:
        raise refused(parameter, given, "a whole number, 1 or more")
    return given


def _share(parameter: str, given: object) -> float:
    if given is None:
        return 0.0
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        raise refused(parameter, given, "a share from 0 to 1")
    return float(given)


def _checksum(parameter: str, given: object) -> str | None:
    if given is None or given == BASELINE:
        return given if given is None else BASELINE
    text = line(parameter, given)
    if not _CHECKSUM.fullmatch(text):
        raise refused(parameter, text, "'baseline', or a checksum as a report has it: ALGORITHM:…")
    return text


def _columns(parameter: str, given: object) -> tuple[str, ...]:
    if not given:
        return ()
    found = texts(given, parameter, what="columns", error=DatabaseError)
    return tuple(_identifier(f"{parameter}[{n}]", one) for n, one in enumerate(found))


def _newest(parameter: str, given: object) -> datetime | str | None:
    if given is None or given == BASELINE:
        return given if given is None else BASELINE
    return moment(parameter, given)


def _age(parameter: str, given: object) -> timedelta | None:
    return None if given is None else duration(parameter, given)
