"""The local CloudWatch Logs: what it refuses and finds, and what the hook makes of it."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from airflow_multicloud import registry
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.ports.accounting import Outcome
from airflow_multicloud.ports.logs import LogEntry, LogQuery, Logs, Severity
from airflow_multicloud.testing.local_clouds.aws import ACCESS_KEY, REGION, SECRET_KEY
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

_TRACE = "0af7651916cd43dd8448eb211c80319c"
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_STREAM = "others"


@pytest.fixture
def admin(local_cloudwatch: LocalServer) -> Iterator[Admin]:
    admin = Admin(local_cloudwatch.endpoint)
    admin.reset()
    yield admin
    admin.reset()


@pytest.fixture
def hook(admin: Admin) -> Any:
    return registry.resolve(Logs, "aws_telemetry_local")


@pytest.fixture
def client(local_cloudwatch: LocalServer, admin: Admin) -> Any:
    extra: Any = local_cloudwatch.spec.connections["aws_telemetry_local"]["extra"]
    return boto3.client(
        "logs",
        region_name=REGION,
        endpoint_url=extra["endpoint_url"],
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)


@pytest.fixture
def log(client: Any) -> str:
    """A log group with a stream that is not ours."""
    name = f"test/{uuid.uuid4().hex[:10]}"
    client.create_log_group(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName=_STREAM)
    return name


def stamp(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def put(client: Any, log: str, *events: tuple[datetime, str], stream: str = _STREAM) -> Any:
    return client.put_log_events(
        logGroupName=log,
        logStreamName=stream,
        logEvents=[{"timestamp": stamp(time), "message": text} for time, text in events],
    )


def asked(hook: Any, log: str, now: datetime, **given: Any) -> list[LogEntry]:
    span = {"since": now - HOUR, "until": now + HOUR}
    pages = hook.query_entries(LogQuery(**{**span, **given}), log=log)
    return [entry for page in pages for entry in page.entries]


def texts(hook: Any, log: str, now: datetime, **given: Any) -> list[str]:
    return [entry.message for entry in asked(hook, log, now, **given)]


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "events",
        [
            [],
            [(SECOND, "a"), (timedelta(), "b")],
            [(timedelta(), "")],
            [(timedelta(), "x" * 1_048_551)],
            [(timedelta(), "x" * 600_000)] * 2,
            [(-DAY - SECOND, "a"), (timedelta(), "b")],
            [(timedelta(), "a")] * 10_001,
        ],
        ids=["none", "order", "empty", "large", "much", "span", "many"],
    )
    def test_a_batch(
        self, client: Any, log: str, now: datetime, events: list[tuple[timedelta, str]]
    ) -> None:
        with pytest.raises(ClientError) as caught:
            put(client, log, *((now + after, text) for after, text in events))
        assert caught.value.response["Error"]["Code"] == "InvalidParameterException"

    def test_what_is_just_allowed(self, client: Any, log: str, now: datetime) -> None:
        put(client, log, (now, "x" * (1_048_576 - 26)))
        put(client, log, *[(now, "x")] * 10_000)
        put(client, log, (now - DAY, "a"), (now, "b"))

    def test_some_times(self, client: Any, log: str, now: datetime) -> None:
        """Cost their events; the others are there."""
        told = put(
            client,
            log,
            (now - 15 * DAY, "old"),
            (now - 15 * DAY, "old"),
            (now, "good"),
            (now + 3 * HOUR, "new"),
        )
        assert told["rejectedLogEventsInfo"] == {
            "tooOldLogEventEndIndex": 2,
            "tooNewLogEventStartIndex": 3,
        }

    @pytest.mark.parametrize(
        ("group", "stream", "what"),
        [("missing", _STREAM, "log group"), (None, "missing", "log stream")],
    )
    def test_what_is_not_there(
        self, client: Any, log: str, now: datetime, group: str | None, stream: str, what: str
    ) -> None:
        with pytest.raises(ClientError, match=f"The specified {what} does not exist") as caught:
            put(client, group or log, (now, "x"), stream=stream)
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


class TestPatterns:
    EVENTS = (
        "[ERROR 400] BAD REQUEST",
        "[ERRORS] none",
        'say "hi"',
        '{"severity": "ERROR", "n": 5, "ok": true, "in": {"a": ["x", "y"]}, "none": null}',
        '{"severity": "WARN", "n": 50.5, "text": "a*b (c) %d%"}',
    )

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("", [0, 1, 2, 3, 4]),
            ("ERROR", [0, 3]),
            ("ERROR REQUEST", [0]),
            ("?ERRORS ?BAD", [0, 1]),
            ("ERROR -BAD", [3]),
            ('"BAD REQUEST"', [0]),
            (r'"say \"hi\""', [2]),
            ("%ERR%", [0, 1, 3]),
            (r"%ERRORS|BAD%", [0, 1]),
            ('{ $.severity = "ERROR" }', [3]),
            ('{ $.severity = "E*R" }', [3]),
            ("{ $.severity = ERROR || $.severity = WARN }", [3, 4]),
            ('{ ($.severity = "ERROR") && ($.n > 4) }', [3]),
            ('{ ($.severity = "ERROR") && ($.n > 5) }', []),
            ('{ $.severity != "ERROR" }', [4]),
            ("{ $.n >= 50.5 }", [4]),
            ('{ $.in.a[1] = "y" }', [3]),
            ('{ $.in.a[2] = "y" }', []),
            ("{ $.none IS NULL }", [3]),
            ("{ $.ok IS TRUE }", [3]),
            ("{ $.text EXISTS }", [4]),
            ("{ $.text NOT EXISTS }", [3]),
            ("{ $.severity = %RR% }", [3]),
            ('{ $.severity = "WARN" || $.severity = "ERROR" && $.n = 6 }', [4]),
        ],
    )
    def test_what_is_found(
        self, client: Any, log: str, now: datetime, pattern: str, expected: list[int]
    ) -> None:
        put(client, log, *((now, event) for event in self.EVENTS))
        found = client.filter_log_events(logGroupName=log, filterPattern=pattern)["events"]
        assert [self.EVENTS.index(event["message"]) for event in found] == expected

    @pytest.mark.parametrize(
        "pattern",
        [
            "{ $.a }",
            "{ $.a = }",
            '{ ($.a = "b" }',
            '{ $.a = "b" } }',
            "{ a = b }",
            '{ $.a > "b" }',
            "%(a)%",
            "%ü%",
            "[a, b]",
            '"open',
            "x" * 1025,
        ],
    )
    def test_what_is_no_pattern(self, client: Any, log: str, pattern: str) -> None:
        with pytest.raises(ClientError) as caught:
            client.filter_log_events(logGroupName=log, filterPattern=pattern)
        assert caught.value.response["Error"]["Code"] == "InvalidParameterException"


class TestWriting:
    def test_one_request_where_the_stream_is_there(
        self, hook: Any, admin: Admin, log: str, now: datetime
    ) -> None:
        """Group and stream are made when they are missing, and not looked for before."""
        entry = LogEntry(time=now, message="x")
        for _ in range(2):
            assert hook.write_entries([entry], log=log).accepted == 1
        actions = [one["action"] for one in admin.requests() if "logs:" in one["action"]]
        assert [one for one in actions if "Group" not in one][1:] == [
            "logs:PutLogEvents",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "logs:PutLogEvents",
        ]

    def test_batches_of_a_day(self, hook: Any, log: str, now: datetime) -> None:
        """A request may not span more."""
        entries = [LogEntry(time=now - n * HOUR, message=str(n)) for n in range(0, 13 * 24, 5)]
        told = hook.write_entries(entries, log=log)
        assert (told.accepted, told.refusals) == (len(entries), ())
        assert 13 <= told.requests <= 15
        found = texts(hook, log, now, since=now - 14 * DAY)
        assert found == [entry.message for entry in reversed(entries)]

    def test_more_than_a_request_takes(
        self, hook: Any, admin: Admin, log: str, now: datetime
    ) -> None:
        entries = [LogEntry(time=now, message=f"{n}") for n in range(20_001)]
        told = hook.write_entries(entries, log=log)
        assert (told.accepted, told.refusals) == (20_001, ())
        puts = [one for one in admin.requests() if one["action"] == "logs:PutLogEvents"]
        # The first one finds that there is no stream.
        assert [one["status"] for one in puts] == [400, *[200] * told.requests]

    def test_what_the_group_does_not_keep(
        self, hook: Any, client: Any, log: str, now: datetime
    ) -> None:
        """It is rejected one by one, and a query that reaches back there says so."""
        client.put_retention_policy(logGroupName=log, retentionInDays=3)
        times = [now - 5 * DAY, now - 4 * DAY, now - 2 * DAY, now]
        told = hook.write_entries([LogEntry(time=t, message=f"{t:%d}") for t in times], log=log)
        assert (told.accepted, told.rejected) == (2, 2)
        (refusal,) = told.refusals
        assert refusal.outcome is Outcome.REJECTED
        assert refusal.kind is ErrorKind.INVALID_ARGUMENT
        assert refusal.code == "expiredLogEventEndIndex"
        for since, noted in ((now - 5 * DAY, True), (now - 2 * DAY, False)):
            pages = list(hook.query_entries(LogQuery(since=since, until=now + HOUR), log=log))
            assert bool(pages[-1].notes) is noted

    def test_an_outage_while_the_stream_is_made(
        self, hook: Any, admin: Admin, log: str, now: datetime
    ) -> None:
        """Nothing was written then, and it is not made again for what follows."""
        missing = {"__type": "ResourceNotFoundException", "message": "no such stream"}
        admin.script("/", [{"status": 400, "body": missing}, *[{"status": 503}] * 3])
        entries = [LogEntry(time=now - age, message="x") for age in (2 * DAY, timedelta())]
        told = hook.write_entries(entries, log=log)
        assert (told.rejected, told.unknown, told.dropped) == (2, 0, 0)
        (refusal,) = told.refusals
        assert refusal.kind is ErrorKind.UNAVAILABLE
        actions = [one["action"] for one in admin.requests()]
        # The first two are the fixture's.
        assert actions[2:] == [
            "logs:PutLogEvents",
            *["logs:CreateLogStream"] * 3,
            "logs:PutLogEvents",
        ]

    def test_an_entry_is_one_json_object(
        self, hook: Any, client: Any, log: str, now: datetime
    ) -> None:
        """So that the cloud's own tools can read it."""
        entry = LogEntry(
            time=now + timedelta(microseconds=1234),
            message="grüße\n",
            severity=Severity.ERROR,
            correlation_id=_TRACE,
            insert_id="i-1",
            attributes={"airflow.dag_id": "release"},
        )
        hook.write_entries([entry], log=log)
        (event,) = client.filter_log_events(
            logGroupName=log, filterPattern='{ $.attributes["airflow.dag_id"] = "release" }'
        )["events"]
        assert event["timestamp"] == stamp(now) + 1
        assert json.loads(event["message"]) == {
            "time": entry.time.isoformat(timespec="microseconds"),
            "severity": "ERROR",
            "message": "grüße\n",
            "correlation_id": _TRACE,
            "insert_id": "i-1",
            "attributes": {"airflow.dag_id": "release"},
        }
        assert asked(hook, log, now) == [entry]

    def test_a_half_of_a_surrogate_pair(self, hook: Any, log: str, now: datetime) -> None:
        assert hook.write_entries([LogEntry(time=now, message="a\ud800b")], log=log).accepted == 1
        assert texts(hook, log, now) == ["a\ud800b"]

    def test_a_name_that_aws_keeps(self, hook: Any, now: datetime) -> None:
        with pytest.raises(LogsError, match="log: ") as caught:
            hook.write_entries([LogEntry(time=now, message="x")], log="aws/own")
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


class TestQuerying:
    def test_the_order_over_pages_streams_and_microseconds(
        self, hook: Any, client: Any, admin: Admin, log: str, now: datetime
    ) -> None:
        """Also of those of one millisecond that are on two pages, some of them of others."""
        admin.seed("logs_pages", [{"events": 7}])
        given = [
            LogEntry(time=now + timedelta(microseconds=n * 137), message=f"{n}") for n in range(90)
        ]
        # The later half first: what comes to CloudWatch later is behind in its millisecond.
        for part in (given[45:], given[:45]):
            for entry in reversed(part):
                hook.write_entries([entry], log=log)
        put(client, log, *((now + timedelta(milliseconds=n), f"other {n}") for n in range(12)))
        found = asked(hook, log, now)
        assert [entry.time for entry in found] == sorted(entry.time for entry in found)
        assert [one for one in found if not one.message.startswith("other")] == given
        assert len(found) == 102

    def test_what_others_wrote(self, hook: Any, client: Any, log: str, now: datetime) -> None:
        """It is a message, whole; a text is found in it, a severity in it is not ours."""
        others = [
            "ERROR: disk",
            '{"level": "error", "msg": "disk"}',
            '{"severity": "error", "message": "disk"}',
            '{"severity": "ERROR", "message": 5}',
            '{"severity": "ERROR", "message": "disk", "time": "yesterday"}',
            "[1, 2]",
            "{disk",
            '{"a": ' * 2000,
            '{"severity": {"number": 9}, "message": "x"}',
            '{"severity": ["ERROR"], "message": "x", "attributes": [1], "time": {}}',
        ]
        put(client, log, *((now + n * SECOND, text) for n, text in enumerate(others)))
        found = asked(hook, log, now)
        assert [entry.message for entry in found] == [*others[:4], "disk", *others[5:]]
        assert [entry.time for entry in found] == [now + n * SECOND for n in range(len(others))]
        assert texts(hook, log, now, text="disk") == [*others[:3], "disk", others[6]]
        assert texts(hook, log, now, severity=Severity.WARN) == ["disk"]
        assert texts(hook, log, now, severity=Severity.INFO) == [entry.message for entry in found]

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({}, None),
            ({"text": "a (b)"}, None),
            ({"text": 'disk "sda1" full'}, "%disk%"),
            ({"text": "%ü* ?"}, None),
            ({"severity": Severity.INFO}, None),
            ({"severity": Severity.FATAL}, '{ (($.severity = "FATAL")) }'),
            ({"correlation_id": _TRACE}, f'{{ ($.correlation_id = "{_TRACE}") }}'),
            ({"correlation_id": 'x" || $.a = "*'}, None),
            (
                {"severity": Severity.ERROR, "correlation_id": "t-1", "text": "no space left"},
                '{ (($.severity = "ERROR") || ($.severity = "FATAL")) && '
                '($.correlation_id = "t-1") && ($.message = %space%) }',
            ),
        ],
    )
    def test_what_the_cloud_is_asked(self, given: dict[str, Any], expected: str | None) -> None:
        """Nothing that somebody gave is more than a word in a pattern."""
        from airflow_multicloud.clouds.aws.logs.filters import pattern_of

        now = datetime.now(UTC)
        asked = LogQuery(since=now - HOUR, until=now, **given)
        assert pattern_of(asked) == (expected or "")

    def test_patterns_spare_nothing_that_fits(
        self, hook: Any, client: Any, log: str, now: datetime
    ) -> None:
        """The same is found as without a pattern, by every combination."""
        messages = ("disk sda1 full", 'a "disk" b', "DISK", "ünï disk_1", "100%", "x\ndisk\\n")
        entries = [
            LogEntry(time=now + n * SECOND, message=text, severity=severity, correlation_id=trace)
            for n, (text, severity, trace) in enumerate(
                itertools.product(messages, Severity, (None, _TRACE, "*", 'a"b'))
            )
        ]
        hook.write_entries(entries, log=log)
        put(client, log, *((now + HOUR / 2 + n * SECOND, text) for n, text in enumerate(messages)))
        everything = asked(hook, log, now)
        from airflow_multicloud.adapters.entries import fits

        for text, severity, trace in itertools.product(
            (None, "disk", "disk_1", "100%", "\ndisk\\", '"disk"', "ï d"),
            (None, Severity.TRACE, Severity.INFO, Severity.WARN, Severity.FATAL),
            (None, _TRACE, "*", 'a"b'),
        ):
            query = LogQuery(
                since=now - HOUR,
                until=now + HOUR,
                text=text,
                severity=severity,
                correlation_id=trace,
            )
            found = [e for page in hook.query_entries(query, log=log) for e in page.entries]
            assert found == [entry for entry in everything if fits(entry, query)]


class TestOddAnswers:
    """What is no answer of CloudWatch Logs' is told as that, and never read as "nothing there"."""

    @pytest.mark.parametrize(
        "events",
        [
            [{"message": "x"}],
            [{"timestamp": 1}],
            [{"timestamp": 10**17, "message": "x"}],
            [{"timestamp": 2, "message": "x"}, {"timestamp": 1, "message": "x"}],
        ],
    )
    def test_events(
        self, hook: Any, admin: Admin, log: str, now: datetime, events: list[dict[str, Any]]
    ) -> None:
        admin.script("/", [{"body": {"events": events}}])
        with pytest.raises(LogsError) as caught:
            asked(hook, log, now)
        assert caught.value.kind is ErrorKind.INTEGRITY

    @pytest.mark.parametrize(
        "answer",
        [
            {"body": {}, "headers": {"content-type": "text/html"}},
            {"headers": {"content-type": "text/html"}},
            {"status": 400, "body": {"__type": ["x"]}},
        ],
        ids=["page", "empty page", "code"],
    )
    def test_a_page_in_the_answers_place(
        self, hook: Any, admin: Admin, log: str, now: datetime, answer: dict[str, Any]
    ) -> None:
        """Nothing is known to be written, and nothing to be absent."""
        admin.script("/", [answer])
        told = hook.write_entries([LogEntry(time=now, message="x")], log=log)
        assert (told.accepted, told.unknown) == (0, 1)
        assert told.refusals[0].kind is ErrorKind.INTEGRITY
        admin.script("/", [answer])
        with pytest.raises(LogsError) as caught:
            asked(hook, log, now)
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_pages_in_no_order(self, hook: Any, admin: Admin, log: str, now: datetime) -> None:
        """Rows that were given already can't be put right."""
        pages = [
            {"events": [{"timestamp": stamp(now) + n, "message": "x"}], "nextToken": f"{n}"}
            for n in (1, 3, 2)
        ]
        admin.script("/", [{"body": page} for page in pages])
        with pytest.raises(LogsError, match="order") as caught:
            asked(hook, log, now)
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_one_token_twice(self, hook: Any, admin: Admin, log: str, now: datetime) -> None:
        admin.script("/", [{"body": {"events": [], "nextToken": "same"}}] * 2)
        with pytest.raises(LogsError) as caught:
            asked(hook, log, now)
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_what_was_rejected(self, hook: Any, admin: Admin, log: str, now: datetime) -> None:
        """By places in the batch, each for its reason."""
        info = {
            "tooOldLogEventEndIndex": 1,
            "expiredLogEventEndIndex": 2,
            "tooNewLogEventStartIndex": 4,
        }
        admin.script("/", [{"body": {"rejectedLogEventsInfo": info}}])
        entries = [LogEntry(time=now + n * SECOND, message=str(n)) for n in range(5)]
        told = hook.write_entries(entries, log=log)
        assert (told.accepted, told.rejected) == (2, 3)
        assert {one.code: one.samples[0][-1] for one in told.refusals} == {
            "tooOldLogEventEndIndex": "0",
            "expiredLogEventEndIndex": "1",
            "tooNewLogEventStartIndex": "4",
        }
