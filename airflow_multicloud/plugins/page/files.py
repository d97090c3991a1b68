"""Files that tasks have written: which there are, and their content.

Which file is opened, nobody can say in a request: it is one that a task of this package's has
recorded, with its SHA-256. Only bytes of that digest are shown. So whoever can write XComs, and
names another file there, learns nothing of what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from airflow_multicloud.errors import CloudError
from airflow_multicloud.known_clouds import cloud_of_scheme
from airflow_multicloud.locations import parse_location
from airflow_multicloud.opening.places import is_uri
from airflow_multicloud.plugins.page import kinds
from airflow_multicloud.plugins.page.recorded import Recorded
from airflow_multicloud.plugins.page.shapes import facts_as, read_each

#: Whose reports name files.
KINDS = (kinds.DRILLED, kinds.COSTED)
_HTML = ".html"
#: A task writes a few.
_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFile:
    """A file that a task has written.

    :param number: among the task's.
    :param name: for a reader.
    :param uri: where the task says that it lies.
    :param sha256: of its bytes; empty where the task does not say it.
    """

    number: int
    name: str
    uri: str
    sha256: str

    @property
    def is_page(self) -> bool:
        """Whether it is for people."""
        return self.uri.endswith(_HTML)

    @property
    def media_type(self) -> str:
        """What a browser is told that it is; nothing but a page is more than text."""
        return f"text/{'html' if self.is_page else 'plain'}; charset=utf-8"

    @property
    def why_not(self) -> str | None:
        """Why it is not opened here, and how else to read it; ``None`` when it may be."""
        if not is_uri(self.uri):
            return (
                "it lies on the file system of the worker that wrote it, which this server does "
                "not read; give the task a target in an object store, or read it on that worker"
            )
        try:
            location = parse_location(self.uri, parameter="file")
            cloud_of_scheme(location.scheme, parameter="file")
        except CloudError as err:
            return str(err)
        if not self.sha256:
            return (
                "its report does not say what its bytes are, as an earlier release wrote it; read "
                f"it with: airflow multicloud fetch {self.uri} <a file>"
            )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    uri: str
    page: str
    sha256: str
    page_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    records: tuple[_Record, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Costs:
    files: Mapping[str, str]
    sha256: Mapping[str, str] = field(default_factory=dict)


def files_of(found: Iterable[Recorded]) -> tuple[RecordedFile, ...]:
    """The files that a task's reports name; pages come first, and are numbered first."""
    good, _ = read_each(found, _named)
    named = [one for several in good for one in several]
    named.sort(key=lambda one: not one[1].endswith(_HTML))
    return tuple(
        RecordedFile(number=number, name=name, uri=uri, sha256=sha256)
        for number, (name, uri, sha256) in enumerate(named[:_MOST])
    )


def _named(one: Recorded) -> list[tuple[str, str, str]]:
    if one.key == kinds.COSTED.key:
        costs = facts_as(_Costs, one)
        return [(name, uri, costs.sha256.get(name, "")) for name, uri in costs.files.items()]
    if one.operator not in kinds.DRILLED.operators:
        return []
    records = facts_as(_Evidence, one).records
    pages = [("evidence", record.page, record.page_sha256) for record in records]
    return [*pages, *(("evidence in JSON", record.uri, record.sha256) for record in records)]
