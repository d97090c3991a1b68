"""What the documentation says is so: code compiles and runs, links and commands exist."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
DOCS = CHECKOUT / "docs"
# The reference is made from code; docs/generate.py --check is its test.
PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(p for p in DOCS.rglob("*.md") if p.parent.name != "reference"),
]
BLOCK = re.compile(
    r"(?:^<!-- (runs|not run: [^>\n]+) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def _blocks(page: Path, *languages: str) -> list[tuple[bool, str]]:
    """Whether each is run, and its code."""
    return [
        (mark == "runs", code)
        for mark, language, code in BLOCK.findall(page.read_text())
        if language in languages
    ]


def _name(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_python_compiles(page: Path) -> None:
    for _, code in _blocks(page, "python"):
        ast.parse(code, filename=str(page))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_python_is_run_or_says_why_not(page: Path) -> None:
    """``<!-- runs -->`` or ``<!-- not run: why -->`` is right above each block."""
    text = page.read_text()
    unmarked = [
        code
        for mark, language, code in BLOCK.findall(text)
        if language in ("python", "py") and not mark
    ]
    assert unmarked == []
    # Blocks that the expression above does not find, indented ones for example.
    fences = re.findall(r"^ *(?:```|~~~) ?(?:python|py)\b", text, re.MULTILINE)
    assert len(fences) == len(_blocks(page, "python", "py"))


# Locations of real clouds become the memory cloud's, with a space per connection id.
_PRELUDE = """
import os
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.memory_cloud.object_store import Hook

memory_cloud.register()
for conn_id in CONNECTIONS:
    os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = "memory://"
    store = Hook(conn_id)
    for bucket in ("lake", "releases"):
        store.ensure_bucket(bucket)
for name in ("sales/a.parquet", "sales/b.parquet", "sales/c.tmp", "stock/a.parquet"):
    Hook("aws_default").put_object(ObjectRef("lake", name), name.encode())
"""
_LOCATION = re.compile(r"\b(?:s3|gs|abfs)://(\w+)@")
_CONNECTION = re.compile(r'"(\w+_default)"')


def _runnable() -> list[Path]:
    return [page for page in PAGES if any(runs for runs, _ in _blocks(page, "python"))]


@pytest.mark.parametrize("page", _runnable(), ids=_name)
def test_python_runs(page: Path, tmp_path: Path) -> None:
    """A page's marked blocks, one after the other, in a process of their own."""
    code = "\n".join(code for runs, code in _blocks(page, "python") if runs)
    conn_ids = {*_LOCATION.findall(code), *_CONNECTION.findall(code), "aws_default", "aws_local"}
    prelude = _PRELUDE.replace("CONNECTIONS", repr(sorted(conn_ids)))
    script = tmp_path / "page.py"
    script.write_text(prelude + _LOCATION.sub(r"mem://\1@", code))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", str(script)],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_pages_have_runnable_code() -> None:
    stems = {page.stem for page in _runnable()}
    assert stems >= {"README", "replicate", "recover", "python", "costs"}
    assert stems >= {"object-storage", "metrics", "logs", "secrets", "compute", "identity"}


def _links(page: Path) -> Iterator[str]:
    text = BLOCK.sub("", page.read_text())
    for target in LINK.findall(text):
        if "://" not in target:
            yield target


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    """Files; the anchors on pages of docs/ are checked by ``mkdocs build --strict``."""
    broken = []
    for target in _links(page):
        path = target.partition("#")[0]
        if path and not (page.parent / path).is_file():
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    shell = "\n".join(code for _, code in _blocks(page, "sh", "console"))
    inline = "\n".join(re.findall(r"`(make [^`]+)`", page.read_text()))
    named = set(re.findall(r"\bmake ([a-z-]+)", f"{shell}\n{inline}"))
    assert named <= targets
    if page.name == "README.md":
        assert {"demo", "test"} <= named


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_parse(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every ``airflow multicloud …`` that is shown is one that the command line's parser takes."""
    from airflow_multicloud.__main__ import parser

    read = parser()
    # Also those of a list, which are indented.
    shown = re.compile(r"^( *)```(?:sh|console)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    for _, code in shown.findall(page.read_text()):
        for words in _commands(dedent(code)):
            try:
                read.parse_args(words)
            except SystemExit as err:
                assert err.code == 0, f"{words}: {capsys.readouterr().err[-500:]}"  # noqa: PT017


#: What ends a command in a shell.
_ENDS = frozenset("();<>|&")


def _commands(code: str) -> Iterator[list[str]]:
    """The words after each ``airflow multicloud`` or ``python -m airflow_multicloud``."""
    for name, first in re.findall(r"\bfor (\w+) in (\S+)", code):
        code = re.sub(rf"\${name}\b", first, code)
    lines = re.sub(r"^\$ |(?:^|(?<=\s))#.*$", "", code, flags=re.MULTILINE).replace("\\\n", " ")
    words = shlex.shlex(lines.replace("\n", " ; "), posix=True, punctuation_chars=True)
    words.whitespace_split = True
    words.commenters = ""
    found: list[str] | None = None
    before = ""
    for word in words:
        if found is not None and _ENDS.issuperset(word):
            yield found
            found = None
        elif found is not None:
            found.append(word)
        elif word in ("multicloud", "airflow_multicloud") and before in ("airflow", "-m"):
            found = []
        before = word


def test_commands_are_found() -> None:
    code = (
        "$ airflow multicloud mb \\\n    s3://a 'b c'  # why\n"
        "for x in one two; do python -m airflow_multicloud init $x | cat; done\n"
    )
    assert [*_commands(code)] == [["mb", "s3://a", "b c"], ["init", "one"]]


def _connections() -> list[object]:
    return [
        pytest.param(variable, json.loads(text), id=f"{page.stem}-{variable}-{number}")
        for page in PAGES
        for number, (variable, text) in enumerate(
            re.findall(r"(AIRFLOW_CONN_\w+)='(\{.*?\})'", page.read_text(), re.DOTALL)
        )
    ]


@pytest.mark.parametrize(("variable", "connection"), _connections())
def test_connection_examples(
    variable: str, connection: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are JSON, of a type that a cloud has; those for Azure open with what they promise."""
    from airflow_multicloud import registry
    from airflow_multicloud.ports.object_store import ObjectStore

    types = {t for cloud in registry.list_providers() for t in cloud.conn_types}
    assert connection["conn_type"] in {*types, "local_disk"}
    if connection["conn_type"] != "wasb" or "…" in json.dumps(connection, ensure_ascii=False):
        return
    tenant = "00000000-0000-0000-0000-000000000000"  # The SDK looks at its form.
    monkeypatch.setenv(variable, json.dumps(connection).replace("<tenant id>", tenant))
    hook = registry.resolve(ObjectStore, variable.removeprefix("AIRFLOW_CONN_").lower())
    extra = connection["extra"]
    assert isinstance(extra, dict)
    forms = {
        "shared_access_key": "account key",
        "sas_token": "shared access signature",
        "managed_identity_client_id": "Microsoft Entra token",
        "tenant_id": "Microsoft Entra token",
        "connection_string": "account key",
    }
    (form,) = {forms[name] for name in extra}
    assert hook.account.form == form


def test_spans_are_documented() -> None:
    """The registry has the names that the code opens, and the page shows the registry."""
    from airflow_multicloud.core.spans import SPANS

    source = "".join(p.read_text() for p in (CHECKOUT / "airflow_multicloud").rglob("*.py"))
    opened = re.findall(r"\boperation\(\s*\"([\w.]+)\"", source)
    assert set(opened) == {*SPANS}
    page = (DOCS / "telemetry.md").read_text()
    spans, _, metrics = page.partition("## Metrics")
    shown = dict(re.findall(r"^\| `multicloud\.([\w.]+)` \| (.*) \|$", spans, re.MULTILINE))
    assert shown == dict(SPANS)
    counted = re.findall(r"create_(?:counter|histogram)\(\"(multicloud\.\w+)\"", source)
    assert set(re.findall(r"^\| `(multicloud\.\w+)`", metrics, re.MULTILINE)) == {*counted}


def test_kinds_and_outcomes_are_documented() -> None:
    from airflow_multicloud.cli.exit_codes import ExitCode
    from airflow_multicloud.core.drill.verdict import Verdict
    from airflow_multicloud.core.replication.outcomes import Outcome
    from airflow_multicloud.errors import ErrorKind

    def rows(page: str) -> dict[str, str]:
        text = (DOCS / f"{page}.md").read_text()
        return dict(re.findall(r"^\| `?(\w+)`? \|(.*)\|$", text, re.MULTILINE))

    errors = rows("errors")
    assert {kind for kind, row in errors.items() if "| yes" in row} == {
        kind for kind in ErrorKind if kind.retryable
    }
    assert {*ErrorKind} <= {*errors}
    outcomes = rows("replicate")
    assert {o for o in Outcome if outcomes[o].endswith("| yes ")} == {
        o for o in Outcome if o.proven
    }
    assert {*Verdict} <= {*rows("drill")}
    assert {str(int(code)) for code in ExitCode} <= {*rows("cli")}


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_how_to_shows_all_of_the_fourth_cloud() -> None:
    package = CHECKOUT / "tests" / "fourth_cloud" / "localdisk_multicloud"
    page = (DOCS / "how-to" / "fourth-cloud.md").read_text()
    shown = set(re.findall(r'^--8<-- "(\S+)"$', page, re.MULTILINE))
    assert {str(p.relative_to(CHECKOUT)) for p in package.rglob("*.py")} <= shown
