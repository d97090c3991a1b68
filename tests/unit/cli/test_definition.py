"""What the command line says of itself, against what the Python API has."""

from __future__ import annotations

import re
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import fields
from pathlib import Path

import pytest
from airflow.cli.cli_config import ActionCommand, GroupCommand

from airflow_multicloud.api import (
    ContentDigest,
    DeletionPolicy,
    Depth,
    Destination,
    FailoverPolicy,
    ObjectFilter,
    OnConflict,
    OnError,
    OnInvalid,
    ReplicationOptions,
)
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.commands.object_store.fetch import policy_of
from airflow_multicloud.cli.commands.object_store.replicate import destinations_of, options_of
from airflow_multicloud.cli.definition import get_cli_commands
from airflow_multicloud.cli.definitions.parts import EXIT_CODES
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.core.failover.policy import OUTAGES
from airflow_multicloud.core.logs.lines import LineFormat
from airflow_multicloud.core.metrics.destinations import Transport
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.logs import Severity

_LOADED = """
import sys
from airflow.cli import cli_config
before = {*sys.modules}
import airflow_multicloud.cli.definition
print(*({*sys.modules} - before))
from airflow.cli import cli_parser
cli_parser.get_parser()
print(*(name for name in sys.modules if name.startswith("airflow_multicloud")))
"""
_OURS = [
    "airflow_multicloud",
    "airflow_multicloud.cli",
    "airflow_multicloud.cli.definition",
    "airflow_multicloud.cli.definitions",
    *(
        f"airflow_multicloud.cli.definitions.{name}"
        for name in (
            *("complaints", "compute", "compute.rollouts", "compute.standing"),
            *("cost", "cost.costs", "database", "database.databases"),
            *("drill", "logs", "logs.entries"),
            *("metrics", "metrics.metrics"),
            "object_store",
            *("object_store.fetching", "object_store.replication", "object_store.upkeep"),
            *("object_store.verification", "parts", "secrets", "secrets.secrets", "setup"),
        )
    ),
    "airflow_multicloud.cli.values",
    "airflow_multicloud.months",
]


def _group() -> GroupCommand:
    (group,) = get_cli_commands()
    assert isinstance(group, GroupCommand)
    return group


def _command(name: str) -> ActionCommand:
    (found,) = (c for c in _group().subcommands if c.name == name)
    assert isinstance(found, ActionCommand)
    return found


def _settings(name: str) -> dict[str, dict[str, object]]:
    """An option's settings by the name of its value."""
    return {arg.flags[0].lstrip("-").replace("-", "_"): arg.kwargs for arg in _command(name).args}


def _parse(name: str, *words: str) -> Namespace:
    parser = ArgumentParser()
    for arg in _command(name).args:
        arg.add_to_parser(parser)
    return parser.parse_args(words)


def test_other_airflow_commands_load_nothing_but_the_definition() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True
    )
    by_definition, at_start = ran.stdout.splitlines()[-2:]
    assert {*by_definition.split()} <= {*_OURS}
    assert {*at_start.split()} == {*_OURS, "airflow_multicloud.get_provider_info"}


def test_every_error_kind_has_an_exit_code_that_help_explains() -> None:
    explained = {int(n) for n in re.findall(r"^  (\d+) ", EXIT_CODES, re.MULTILINE)}
    assert explained == {*map(int, ExitCode)}
    assert {exit_codes.of_kind(kind) for kind in ErrorKind} == {*ExitCode} - {
        ExitCode.DONE,
        ExitCode.UNEXPECTED,
        ExitCode.INTERRUPTED,
        ExitCode.BROKEN_PIPE,
    }


@pytest.mark.parametrize("name", [c.name for c in _group().subcommands])
def test_every_command_has_examples_that_parse(name: str) -> None:
    epilog = _command(name).epilog
    assert epilog is not None
    assert EXIT_CODES in epilog
    joined = epilog.partition("Exit codes")[0].replace("\\\n", " ")
    examples = [line for line in joined.splitlines() if "airflow multicloud" in line]
    assert examples
    for example in examples:
        words = re.split(r" [|]{1,2} ", example)[0].replace("'", "").split()
        assert words[:3] == ["airflow", "multicloud", name]
        _parse(name, *words[3:])


def test_choices_are_those_of_the_api() -> None:
    assert _settings("verify")["depth"]["choices"] == tuple(Depth)
    assert _settings("replicate")["on_error"]["choices"] == tuple(OnError)
    assert _settings("replicate")["digest"]["choices"] == tuple(ContentDigest)
    assert _settings("ship-logs")["on_invalid"]["choices"] == tuple(OnInvalid)
    assert _settings("ship-logs")["source_format"]["choices"] == tuple(LineFormat)
    assert _settings("ship-logs")["severity"]["choices"] == tuple(Severity)
    assert _settings("query-logs")["severity"]["choices"] == tuple(Severity)
    assert _settings("export-metrics")["on_invalid"]["choices"] == tuple(OnInvalid)
    assert _settings("export-metrics")["transport"]["choices"] == tuple(Transport)
    assert _settings("sync-secrets")["on_conflict"]["choices"] == tuple(OnConflict)
    assert _settings("sync-secrets")["deletion_policy"]["choices"] == tuple(DeletionPolicy)


def test_every_field_is_an_option_and_none_given_means_the_defaults() -> None:
    args = _parse("replicate", "s3://a/", "gs://b/")
    assert options_of(args) == ReplicationOptions()
    of_fetch = vars(_parse("fetch", "s3://a/b", "--to", "c"))
    of_airflow = {"remembered"}
    assert {f.name for f in fields(FailoverPolicy)} - of_airflow <= {*of_fetch}


def test_defaults_in_the_help_are_those_of_the_api() -> None:
    told = 0
    for name, defaults in (("replicate", ReplicationOptions()), ("fetch", FailoverPolicy())):
        for option, settings in _settings(name).items():
            found = re.search(r"\(default: (.*)\)", str(settings.get("help")), re.DOTALL)
            if found is None or not hasattr(defaults, option):
                continue
            text, expected = found[1], getattr(defaults, option)
            if option == "large_object":
                expected = defaults.parts_above
            told += 1
            if option == "fail_over_on":
                assert {*text.split(", ")} == expected == OUTAGES
            else:
                converted = settings.get("type", str)
                assert callable(converted)
                assert converted(text) == expected, option
    assert told == 11


def test_options_are_handed_on() -> None:
    args = _parse(
        "replicate",
        *("s3://a/", "gs://b/", "abfs://c/", "--include", "*.csv", "--include", "*.parquet"),
        *("--exclude", "tmp/*", "--min-size", "1K", "--max-age", "7d", "--immutable"),
        *("--on-error", "fail", "--min-success-ratio", "0.9", "--part-size", "16M"),
        *("--delete-extraneous", "--max-delete", "3", "--bandwidth-limit", "1M"),
        *("--max-replace", "10%"),
    )
    assert args.destination == ["gs://b/", "abfs://c/"]
    options = options_of(args)
    assert options.filter == ObjectFilter(
        include=("*.csv", "*.parquet"),
        exclude=("tmp/*",),
        min_size=1024,
        max_age=args.max_age,
    )
    assert (args.max_age.days, options.immutable, options.on_error) == (7, True, OnError.FAIL)
    assert (options.min_success_ratio, options.part_size) == (0.9, 16 << 20)
    assert (options.delete_extraneous, options.max_delete) == (True, 3)
    assert options.max_replace == 0.1
    assert options.bandwidth_limit == 1 << 20


def test_what_a_ledger_must_be_is_handed_on() -> None:
    args = _parse(
        "fetch",
        *("s3://a/x/", "gs://b/x/", "--to", "t", "--first", "replica", "--list-unknown"),
        *("--expected-root", f"gs://b/x/={'0' * 64}", "--at-least-commit", "s3://a/x/=7"),
        *("--public-key", "keys.pem"),
    )
    assert policy_of(args) == FailoverPolicy(
        live_primary=False,
        list_unknown=True,
        expected_roots={"gs://b/x/": "0" * 64},
        at_least_commits={"s3://a/x/": 7},
    )
    assert args.public_keys == Path("keys.pem")
    assert policy_of(_parse("fetch", "s3://a/x", "--to", "t")) == FailoverPolicy()
    primary = _parse("fetch", "s3://a/x", "--to", "t", "--first", "primary")
    assert policy_of(primary).live_primary is True


@pytest.mark.parametrize(
    ("option", "given"),
    [("--expected-root", "0" * 64), ("--at-least-commit", "gs://b/"), ("--at-least-commit", "a=x")],
)
def test_what_names_no_ledger_is_refused_by_its_option(option: str, given: str) -> None:
    args = _parse("fetch", "gs://b/", "--to", "t", option, given)
    with pytest.raises(CloudError, match=f"^{option}: ") as caught:
        policy_of(args)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


GCS, AZURE = "gs://b/", "abfs://c/"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), [(None, None), (None, None)]),
        (("--storage-class", "Cool"), [("Cool", None), ("Cool", None)]),
        (
            ("--storage-class", f"{GCS}=NEARLINE", "--storage-class", f"{AZURE}=Cool"),
            [("NEARLINE", None), ("Cool", None)],
        ),
        (
            ("--storage-class", f"{GCS}=NEARLINE", "--storage-class", "Cool"),
            [("NEARLINE", None), ("Cool", None)],
        ),
        (("--encryption-key", f"{AZURE}=a=b"), [(None, None), (None, "a=b")]),
        (
            ("--encryption-key", "arn:aws:kms:eu-1:1:key/a=b"),
            [(None, "arn:aws:kms:eu-1:1:key/a=b")] * 2,
        ),
    ],
)
def test_storage_class_and_key_of_each_destination(
    words: tuple[str, ...], expected: list[tuple[str | None, str | None]]
) -> None:
    made = destinations_of(_parse("replicate", "s3://a/", GCS, AZURE, *words))
    assert made == [
        Destination(uri, *of_it) for uri, of_it in zip((GCS, AZURE), expected, strict=True)
    ]


@pytest.mark.parametrize("option", ["--storage-class", "--encryption-key"])
@pytest.mark.parametrize(
    "values", [("gs://other/=X",), (f"{GCS}=",), ("",), ("X", "Y"), (f"{GCS}=X", f"{GCS}=Y")]
)
def test_values_for_no_destination_or_twice_are_refused(
    option: str, values: tuple[str, ...]
) -> None:
    words = [word for value in values for word in (option, value)]
    with pytest.raises(StorageError, match=f"^{option}: '{values[-1]}' given, expected") as caught:
        destinations_of(_parse("replicate", "s3://a/", GCS, AZURE, *words))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
