"""What the command line says of a live run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

import pytest

from airflow_multicloud.testing.live.guard import Limits

_GIB = 1 << 30
_LIVE = pytest.StashKey["Live | None"]()


#: What has tests for real accounts. Compute has none: they would launch machines, which cost.
_SERVICES = ("cost", "identity", "object_store")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A cloud, or one service of it."""

    cloud: str
    service: str | None = None

    def __str__(self) -> str:
        """As on the command line."""
        return self.cloud if self.service is None else f"{self.cloud}.{self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A live run.

    :param chosen: what to run on, with the connection; ``None`` is the cloud's default.
    :param buckets: cloud → an empty bucket that is there already.
    :param limits: where the run stops.
    """

    chosen: Mapping[Chosen, str | None]
    buckets: Mapping[str, str]
    limits: Limits

    def connection(self, chosen: Chosen) -> str:
        """The connection's id, the cloud's default if none was named."""
        from airflow_multicloud import registry

        named = self.chosen[chosen]
        return named or next(iter(registry.get_provider(chosen.cloud).uri_schemes.values()))

    def connections(self, service: str) -> Mapping[str, str]:
        """Cloud → connection for a service: its own, else the cloud's."""
        found = {}
        for chosen in sorted(self.chosen, key=lambda one: one.service is not None):
            if chosen.service in (None, service):
                found[chosen.cloud] = self.connection(chosen)
        return MappingProxyType(found)


def add_options(parser: pytest.Parser) -> None:
    """Define the options."""
    group = parser.getgroup("live", "contract suites on real clouds (you pay for the requests)")
    group.addoption(
        "--live",
        action="append",
        default=[],
        metavar="CLOUD[.SERVICE][=CONN_ID]",
        help="run only the contract suites, on this cloud, by an Airflow connection from the "
        "environment; may be repeated, or several with commas",
    )
    group.addoption(
        "--live-bucket",
        action="append",
        default=[],
        metavar="CLOUD=BUCKET",
        help="an EMPTY bucket that is there already, where making buckets is not allowed: it is "
        "emptied after each test",
    )
    group.addoption(
        "--live-max-requests",
        type=int,
        metavar="N",
        help="stop before more requests than this; required with --live",
    )
    group.addoption(
        "--live-max-bytes",
        type=int,
        default=_GIB,
        metavar="N",
        help="stop before more bytes than this are sent and read (default: 1 GiB)",
    )
    group.addoption(
        "--live-max-usd",
        default="0.05",
        metavar="USD",
        help="stop before APIs that are billed by the request cost more (default: 0.05)",
    )


def live_of(config: pytest.Config) -> Live | None:
    """The live run, or ``None`` when none was asked for.

    :raises UsageError: when the options don't make one.
    """
    if _LIVE not in config.stash:
        config.stash[_LIVE] = _read(config)
    return config.stash[_LIVE]


def _read(config: pytest.Config) -> Live | None:
    # Not getoption with a default: a plugin that is loaded late has no options.
    words: Sequence[str] = config.getoption("--live", [])
    chosen: dict[Chosen, str | None] = {}
    for word in _split(words):
        name, _, conn_id = word.partition("=")
        cloud, _, service = name.partition(".")
        one = Chosen(cloud, service or None)
        _check_chosen(one, chosen)
        chosen[one] = conn_id or None
    if not chosen:
        return None
    requests: int | None = config.getoption("--live-max-requests")
    if requests is None:
        raise pytest.UsageError(
            "--live reaches real clouds, which cost money: give --live-max-requests N, after how "
            "many requests the run stops (20000 is enough for one cloud's object store)"
        )
    return Live(
        chosen=MappingProxyType(chosen),
        buckets=MappingProxyType(_buckets(config.getoption("--live-bucket"), chosen)),
        limits=Limits(
            requests=requests,
            bytes=config.getoption("--live-max-bytes"),
            usd=_usd(config.getoption("--live-max-usd")),
        ),
    )


def _split(words: Sequence[str]) -> list[str]:
    return [part.strip() for word in words for part in word.split(",") if part.strip()]


def _check_chosen(one: Chosen, earlier: Collection[Chosen]) -> None:
    if one.service is not None and one.service not in _SERVICES:
        raise pytest.UsageError(
            f"--live: {str(one)!r} given, expected the service to be one of {', '.join(_SERVICES)}"
        )
    if one in earlier:
        raise pytest.UsageError(f"--live: {one} is given twice; give it once")


def _buckets(words: Sequence[str], chosen: Collection[Chosen]) -> dict[str, str]:
    clouds = {one.cloud for one in chosen if one.service in (None, "object_store")}
    found: dict[str, str] = {}
    for word in _split(words):
        cloud, equals, bucket = word.partition("=")
        if not equals or not cloud or not bucket:
            raise pytest.UsageError(f"--live-bucket: {word!r} given, expected CLOUD=BUCKET")
        if cloud not in clouds:
            raise pytest.UsageError(
                f"--live-bucket: {word!r} given, but no object store of {cloud} is in --live; add "
                f"--live {cloud}, or leave the bucket out"
            )
        if cloud in found:
            raise pytest.UsageError(f"--live-bucket: {cloud} is given twice; give one bucket")
        found[cloud] = bucket
    return found


def _usd(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise pytest.UsageError(
            f"--live-max-usd: {text!r} given, expected a number of US dollars, like 0.05"
        )
    return value
