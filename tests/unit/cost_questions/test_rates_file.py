"""The bank's file: read with its line named, fetched over TLS, kept whole."""

from __future__ import annotations

import contextlib
import io
import json
import ssl
import zipfile
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud import api
from airflow_multicloud.cli.commands.cost import rates as rates_command
from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.fx.rates_file import parse_rates
from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind
from airflow_multicloud.opening.cost.files import write_place
from airflow_multicloud.operators.cost import RefreshExchangeRatesOperator
from tests.integration.airflow_runs import Bare
from tests.integration.answering import Answer, answering
from tests.unit.cost_prices.conftest import conn_id

__all__ = ["conn_id"]

RATES = b"""Date,USD,JPY,XTS,
2026-11-06,1.2,170,N/A,
2026-11-05,1.1,160,7,
"""
NEWER = RATES.replace(b"2026-11-06", b"2026-11-09,1.3,171,N/A,\n2026-11-06")


def zipped(content: bytes, name: str = "eurofxref-hist.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("content", [RATES, zipped(RATES), b"\xef\xbb\xbf" + RATES])
def test_rates_are_read_as_they_are_published(content: bytes) -> None:
    rates = parse_rates(content, "rates")
    assert rates.per_euro("USD", date(2026, 11, 6)) == Decimal("1.2")
    assert rates.per_euro("XTS", date(2026, 11, 6)) is None
    assert rates.per_euro("EUR", date(2026, 11, 7)) is None
    assert (rates.last_day, rates.bounds["XTS"]) == (date(2026, 11, 6), (date(2026, 11, 5),) * 2)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "line 1: the first line is not 'Date,USD,JPY,"),
        (b"<html>Sign in</html>", "line 1: the first line"),
        (b"Date,USD,\n", "there is no day in it"),
        (b"Date,usd,\n", "line 1: 'usd' is no column"),
        (b"Date,USD,USD,\n", "line 1: 'USD' is no column"),
        (RATES.replace(b"1.1", b"1,1"), "cells for 3 currencies"),
        (RATES.replace(b"1.1", b"-1.1"), "line 3: the rate of USD is '-1.1'"),
        (RATES.replace(b"1.1", b"0"), "line 3: the rate of USD is '0'"),
        (RATES.replace(b"1.1", b"NaN"), "line 3: the rate of USD is 'NaN'"),
        (RATES.replace(b"1.1", b"1e999999"), "line 3: the rate of USD"),
        (RATES.replace(b"1.1", b"\x1b[2J"), "line 3: the rate of USD"),
        (RATES.replace(b"2026-11-05", b"5 Nov"), "line 3: '5 Nov' is no day"),
        (RATES.replace(b"2026-11-05", b"2026-11-06"), "line 3: the day 2026-11-06 is there twice"),
        (RATES.replace(b"1.1", b"\xff"), "line 3: it is no UTF-8"),
        (RATES[:-12], "line 3"),
        (b"PK\x03\x04 broken", "BadZipFile"),
        (zipped(RATES)[:-30], "BadZipFile"),
        (zipped(RATES, "readme.txt"), "the archive has 0 .csv files"),
        (zipped(b"0" * (65 << 20)), "unpacks to more than 64 MiB"),
    ],
)
def test_a_broken_file_is_one_error_that_names_the_line(content: bytes, why: str) -> None:
    with pytest.raises(CostAnalysisError) as caught:
        parse_rates(content, "the\x1bfile")
    assert why in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@given(st.binary(max_size=300))
def test_no_content_is_another_error(content: bytes) -> None:
    for text in (content, RATES + content, b"PK" + content, zipped(content)):
        try:
            parse_rates(text, "rates")
        except CloudError:
            continue


def test_an_archive_with_one_byte_changed_is_right_or_refused() -> None:
    content = zipped(RATES)
    whole = parse_rates(content, "rates")
    for at in range(len(content)):
        for bits in (0x01, 0x80, 0xFF):
            flipped = bytearray(content)
            flipped[at] ^= bits
            # Some bytes mean nothing: of a time, of what the archive was made by.
            with contextlib.suppress(CostAnalysisError):
                assert parse_rates(bytes(flipped), "rates") == whole


@pytest.fixture
def answers() -> dict[str, Answer]:
    """By path; one without an answer is not found."""
    return {}


@pytest.fixture
def bank(answers: dict[str, Answer]) -> Iterator[str]:
    """The address of its server."""
    with answering(lambda asked: answers.get(asked.path, Answer(status=404))) as server:
        yield server.url


@pytest.fixture(params=["file", "object"])
def target(request: pytest.FixtureRequest, tmp_path: Path, conn_id: str) -> str:
    if request.param == "object":
        return f"mem://{conn_id}@lab/rates/eurofxref-hist.zip"
    return str(tmp_path / "rates" / "eurofxref-hist.zip")


def test_rates_are_fetched_kept_and_used(
    answers: dict[str, Answer], bank: str, target: str
) -> None:
    answers["/r.zip"] = Answer(zipped(RATES))
    found = api.refresh_exchange_rates(target, source=f"{bank}/r.zip")
    assert (found.uri, found.new_days, found.last_day) == (target, 2, date(2026, 11, 6))
    answers["/r.zip"] = Answer(zipped(NEWER))
    assert api.refresh_exchange_rates(target, source=f"{bank}/r.zip").new_days == 1
    costs = api.CloudCostAnalyzer("nowhere", rates_file=target)
    rate = costs._rates.rate("EUR", "USD", date(2026, 11, 9))
    assert rate.rate == Decimal("1.3")


def moved(to: str) -> Answer:
    return Answer(status=302, headers={"Location": to})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b"<html>Sign in</html>"), ErrorKind.INVALID_ARGUMENT),
        (Answer(RATES.replace(b"1.2", b"-1")), ErrorKind.INVALID_ARGUMENT),
        (Answer(RATES, length=100_000), ErrorKind.UNAVAILABLE),
        (Answer(RATES.replace(b"2026-11-05,1.1,160,7,\n", b"")), ErrorKind.INTEGRITY),
        (Answer(RATES.replace(b"160", b"N/A")), ErrorKind.INTEGRITY),
        (Answer(status=503), ErrorKind.UNAVAILABLE),
        (Answer(status=429), ErrorKind.THROTTLED),
        (Answer(status=404), ErrorKind.NOT_FOUND),
        (moved("http://example.com/r.zip"), ErrorKind.INVALID_ARGUMENT),
        (moved("http://example.com/r?sig=s3cr3t"), ErrorKind.INVALID_ARGUMENT),
        (moved("file:///etc/passwd"), ErrorKind.INVALID_ARGUMENT),
    ],
)
def test_what_is_not_the_file_replaces_nothing(
    answers: dict[str, Answer], bank: str, tmp_path: Path, answer: Answer, kind: ErrorKind
) -> None:
    target = tmp_path / "rates.csv"
    target.write_bytes(RATES)
    signed = "/r?X-Amz-Signature=s3cr3t#s3cr3t"
    answers[signed.partition("#")[0]] = answer
    with pytest.raises(CloudError) as caught:
        api.refresh_exchange_rates(target, source=bank + signed)
    assert caught.value.kind is kind
    assert "s3cr3t" not in str(caught.value)
    assert target.read_bytes() == RATES
    assert [path.name for path in tmp_path.iterdir()] == ["rates.csv"]


def test_rates_of_days_to_come_are_refused(
    answers: dict[str, Answer], bank: str, tmp_path: Path
) -> None:
    later = datetime.now(UTC).date() + timedelta(days=3)
    answers["/r"] = Answer(RATES.replace(b"2026-11-06", str(later).encode()))
    with pytest.raises(CostAnalysisError, match="which is to come"):
        api.refresh_exchange_rates(tmp_path / "rates.csv", source=f"{bank}/r")


@pytest.mark.parametrize(
    "url",
    [
        "http://www.ecb.europa.eu/r.zip",
        "http://127.0.0.1.example.com/r.zip",
        "https://user:secret@example.com/r.zip",
        "https://user:secret@example.com/r.zip?sig=secret",
        "http://example.com/r.zip?sig=secret",
        "https:///r.zip",
        "http://[::1/r.zip",
    ],
)
def test_an_address_that_is_not_safe_is_refused_unasked(url: str, tmp_path: Path) -> None:
    with pytest.raises(CostAnalysisError, match=r"^source: ") as caught:
        api.refresh_exchange_rates(tmp_path / "r", source=url)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "secret" not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with answering(lambda _: RATES, tls=_self_signed(tmp_path)) as server:
        with pytest.raises(CostAnalysisError, match="certificate verify failed"):
            api.refresh_exchange_rates(tmp_path / "r", source=f"{server.url}/r")
        assert server.asked == []
    assert not (tmp_path / "r").exists()


def test_a_file_brought_by_other_means_is_a_source(target: str, tmp_path: Path) -> None:
    brought = tmp_path / "brought.csv"
    brought.write_bytes(RATES)
    assert api.refresh_exchange_rates(target, source=str(brought)).new_days == 2
    assert api.refresh_exchange_rates(target, source=str(brought)).new_days == 0


def test_the_operator_and_the_command_fetch(
    answers: dict[str, Answer], bank: str, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answers["/r"] = Answer(RATES)
    operator = RefreshExchangeRatesOperator(task_id="r", target=target, source=f"{bank}/r")
    facts = operator.execute(Bare())  # type: ignore[arg-type]
    assert (facts["last_day"], facts["new_days"]) == ("2026-11-06", 2)
    answers["/r"] = Answer(NEWER)
    capsys.readouterr()
    rates_command.run(
        Namespace(target=target, source=f"{bank}/r", output="json", verbose=False, quiet=False)
    )
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["last_day"], said["new_days"]) == ("2026-11-09", 1)


def test_the_bank_is_asked_by_default() -> None:
    assert api.ECB_URL.startswith("https://www.ecb.europa.eu/")
    operator = RefreshExchangeRatesOperator(task_id="r", target="x")
    assert operator.source == api.ECB_URL


def test_a_rates_file_in_a_bucket_that_is_broken_is_named(target: str) -> None:
    write_place("target", target, b"Date,USD\n2026-11-06,zero\n")
    costs = api.CloudCostAnalyzer("nowhere", rates_file=target)
    with pytest.raises(CostAnalysisError, match=r"rates_file .*eurofxref-hist\.zip .*line 2"):
        (costs._rates or ExchangeRates()).rate("EUR", "USD", date(2026, 11, 6))


def _self_signed(directory: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = directory / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
