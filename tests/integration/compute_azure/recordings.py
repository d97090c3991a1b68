"""Recorded answers of Azure, from the source distribution of an older SDK's tests.

The distribution is fetched once into the user's cache, beside the local servers, from wherever
the user's uv gets packages; it is neither unpacked nor built.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.testing.local_clouds.kit import install

LOCK = Path(__file__).with_name("recordings.txt")
HEADERS = ("Azure-AsyncOperation", "Location", "Retry-After")
# In a process of its own, as all that installs: this one may reach only loopback.
_DOWNLOAD = """
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=60) as answer, open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(answer, file)
"""
_JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request, its first answer, and what its operation told afterwards.

    :param asked: the request's body.
    :param headers: which of :data:`HEADERS` the answer has.
    :param looks: the answers of the operation, in their order.
    :param monitored: the status of what ``Location`` led to in the end, if anybody asked.
    """

    status: int
    headers: frozenset[str]
    body: Any
    asked: Any = None
    looks: tuple[Mapping[str, Any], ...] = field(default=())
    monitored: int | None = None

    @property
    def states(self) -> list[str]:
        """The states of its operation, each once."""
        return list(dict.fromkeys(look["status"] for look in self.looks))


def shape_of(value: Any, path: str = "") -> dict[str, str]:
    """The paths of a JSON document, and what type is there.

    The names of tags are no members, so they have no paths.
    """
    kind = _JSON_TYPES.get(type(value), "number")
    found = {path: kind}
    if isinstance(value, dict) and path != ".tags":
        for key, item in value.items():
            found |= shape_of(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            found |= shape_of(item, f"{path}[]")
    return found


def lacking(real: Any, ours: Any) -> list[str]:
    """The paths that a recorded answer has, and ours has not, or with another type."""
    seen = shape_of(ours)
    return sorted(
        f"{path}: {kind}, not {seen.get(path, 'there')}"
        for path, kind in shape_of(real).items()
        if seen.get(path) != kind
    )


class Recording:
    """One recorded test."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = entries

    def exchange(self, method: str, end: str) -> Exchange:
        """The first exchange of a method with a path.

        :param end: an expression for the path's end.
        """
        (at, first) = next(self._matching(method, end))
        headers = {name.lower(): value for name, value in first["ResponseHeaders"].items()}
        link = headers.get("azure-asyncoperation", "/none").partition("?")[0]
        later = [e for e in self._entries[at:] if e["RequestUri"].startswith(link)]
        monitors = [e for e in later if "monitor=true" in e["RequestUri"]]
        return Exchange(
            status=first["StatusCode"],
            headers=frozenset(name for name in HEADERS if name.lower() in headers),
            body=first["ResponseBody"],
            asked=first["RequestBody"],
            looks=tuple(e["ResponseBody"] for e in later if e not in monitors),
            monitored=monitors[-1]["StatusCode"] if monitors else None,
        )

    def _matching(self, method: str, end: str) -> Iterator[tuple[int, Any]]:
        for at, entry in enumerate(self._entries):
            path = entry["RequestUri"].partition("?")[0]
            if entry["RequestMethod"] == method and re.search(f"/{end}$", path):
                yield at, entry


def recording(name: str) -> Recording:
    """A recording by the end of its file's name.

    :raises ProviderNotAvailableError: when the distribution can't be had.
    """
    with zipfile.ZipFile(_distribution()) as archive:
        (file,) = (n for n in archive.namelist() if n.endswith(f"{name}.json"))
        return Recording(json.loads(archive.read(file))["Entries"])


def _distribution() -> Path:
    return install._installed("azure-recordings", LOCK, _fetch) / "distribution.zip"


def _fetch(directory: Path) -> None:
    # uv resolves to where the distribution lies, by the user's own settings, without building it.
    told = directory / "pylock.toml"
    command = ["pip", "compile", "--no-deps", "--quiet", "--format", "pylock.toml"]
    install._run(
        [install._uv(), *command, "--output-file", str(told), str(LOCK)], directory=directory
    )
    (package,) = tomllib.loads(told.read_text())["packages"]
    source = package.get("sdist")
    if source is None:
        raise ProviderNotAvailableError(
            "the package index has no source distribution of it", kind=ErrorKind.UNAVAILABLE
        )
    address = source.get("url") or (directory / source["path"]).resolve().as_uri()
    target = directory / "distribution.zip"
    install._run([sys.executable, "-I", "-c", _DOWNLOAD, address, str(target)], directory=directory)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    assert f"sha256:{digest}" in LOCK.read_text(), f"not what {LOCK.name} pins: {digest}"
