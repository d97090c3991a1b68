"""YAML as it is read from files that people give."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.cli.commands import preflight
from airflow_multicloud.cli.yaml_text import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "hunter2-canary"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key a is there twice, line 3"),
        ('{"a": {"b": 1, "b": 2}}', "the key b is there twice, line 1"),
        ("[" * 3000, "it is nested too deeply"),
        (f"password: {PASSWORD}: x\n", "mapping values are not allowed here, line 1"),
        (f"{PASSWORD}: [", "line 1"),
        ("a: 2026-13-45", "a date or a number in it is none"),
        (f"{PASSWORD}\x00", "it has characters that are not allowed there"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_else(text, said):
    with pytest.raises(ValueError, match=said) as caught:
        read_yaml(text)
    assert PASSWORD not in str(caught.value)


def test_merged_keys_are_not_there_twice():
    text = "a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, x: 3}\nd: {<<: *b}"
    assert read_yaml(text) == {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}, "d": {"x": 2}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: 1\na: 2", "twice, line 2"),
        ("- a".encode("utf-16"), "it is not in UTF-8"),
        (f"- {{password: {PASSWORD}, b: c}}".encode(), "a mapping of password, b given"),
    ],
)
def test_preflight_of_a_wrong_file(tmp_path: Path, capsys, content, said):
    file = tmp_path / "wrong.yaml"
    file.write_bytes(content)
    with pytest.raises(SystemExit):
        preflight.run(_arguments(str(file)))
    told = capsys.readouterr().err
    assert said in told
    assert PASSWORD not in told


def test_preflight_of_no_path(capsys):
    with pytest.raises(SystemExit):
        preflight.run(_arguments("a\0b"))
    assert "expected a path" in capsys.readouterr().err


def _arguments(file: str) -> Namespace:
    return Namespace(
        file=file, render="aws", warn_unknown=False, output="json", verbose=False, format="json"
    )
