"""What comes of asking, in the memory cloud."""

from __future__ import annotations

import pickle

import pytest

from airflow_multicloud import api
from airflow_multicloud.core.preflight.checking import Asked, check_connection_calls
from airflow_multicloud.core.preflight.granting import calls_of
from airflow_multicloud.core.preflight.needs import Need
from airflow_multicloud.core.preflight.operations import needs_of, operations_of
from airflow_multicloud.core.preflight.report import OnUnknown, PreflightReport, report_of
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.opening.permissions import describe
from airflow_multicloud.ports.calls import ACCOUNT, ApiCall, CallTable
from airflow_multicloud.ports.identity import Decision
from airflow_multicloud.testing.memory_cloud import identity
from airflow_multicloud.testing.memory_cloud.identity import Rule

OPERATIONS = [
    {"replicate": {"source": "mem://pf_a@lake/sales/", "destinations": ["mem://pf_b@lake/sales/"]}}
]


@pytest.fixture(autouse=True)
def _accounts(memory_account):
    for conn_id in ("pf_a", "pf_b"):
        memory_account(conn_id, "lake")
        identity.reset(conn_id)


def plant(conn_id, decision, action):
    identity.plant(conn_id, Rule(decision=decision, action=action, reason="so it was planted"))


def test_all_is_allowed():
    report = api.run_preflight(OPERATIONS)
    assert (report.passed, report.denied, report.unknown) == (True, 0, 0)
    report.raise_if_failed()
    asked = {one.permission for one in report.permissions if one.conn_id == "pf_a"}
    assert asked == {
        "object_store.stat_bucket",
        "object_store.list_objects",
        "object_store.stat_object",
        "object_store.get_object",
    }


def test_each_permission_is_asked_once_and_says_for_whom():
    twice = [*OPERATIONS, {"verify": {"replica": "mem://pf_b@lake/sales/"}}]
    report = api.run_preflight(twice)
    grants = [(one.conn_id, one.permission, one.resource) for one in report.permissions]
    assert len(grants) == len(set(grants))
    (listing,) = [
        one
        for one in report.permissions
        if (one.conn_id, one.permission) == ("pf_b", "object_store.list_objects")
    ]
    assert listing.operations == ("replicate: destination", "verify: replica")
    assert listing.calls == ("memory.list_objects",)


def test_denied_before_unknown_before_allowed():
    plant("pf_a", Decision.UNKNOWN, "object_store.get_object")
    plant("pf_b", Decision.DENY, "object_store.put_object")
    report = api.run_preflight(OPERATIONS)
    first, second, third, *_ = report.permissions
    assert [one.decision for one in (first, second, third)] == ["deny", "unknown", "allow"]
    assert (first.conn_id, first.reason) == ("pf_b", "so it was planted")
    assert report.in_the_way == (first, second)
    with pytest.raises(
        api.PreflightFailedError, match=r"^preflight: pf_b: object_store\.put"
    ) as err:
        report.raise_if_failed()
    assert err.value.kind is ErrorKind.PERMISSION_DENIED
    assert not err.value.retryable
    assert pickle.loads(pickle.dumps(err.value)).report == report


def test_unknown_is_not_allow_unless_it_is_said():
    plant("pf_a", Decision.UNKNOWN, "*")
    assert not api.run_preflight(OPERATIONS).passed
    report = api.run_preflight(OPERATIONS, on_unknown="warn")
    assert report.passed
    assert to_document(report)["on_unknown"] == OnUnknown.WARN
    with pytest.raises(
        CredentialsError, match="on_unknown: 'ask' given, expected 'fail' or 'warn'"
    ):
        api.run_preflight(OPERATIONS, on_unknown="ask")


@pytest.mark.parametrize(
    ("uri", "kind", "said"),
    [
        ("mem://nobody@lake/sales/", ErrorKind.NOT_FOUND, "'nobody' does not exist"),
        ("mem://pf_aws@lake/sales/", ErrorKind.INVALID_ARGUMENT, "belongs to Amazon Web Services"),
    ],
)
def test_what_fails_whatever_the_cloud_would_say_is_in_the_way(monkeypatch, uri, kind, said):
    """``warn`` is for what a cloud can't tell."""
    monkeypatch.setenv("AIRFLOW_CONN_PF_AWS", '{"conn_type": "aws"}')
    plant("pf_a", Decision.UNKNOWN, "*")
    report = api.run_preflight([{"verify": {"replica": uri}}, *OPERATIONS], on_unknown="warn")
    (found,) = report.in_the_way
    assert (found.kind, said in found.reason) == (kind, True)
    assert report.permissions[0] == found
    with pytest.raises(api.PreflightFailedError) as caught:
        report.raise_if_failed()
    assert not caught.value.retryable


def asked_of(kind, conn_id="pf_a"):
    """What comes of a connection whose cloud answers with an error of this kind."""
    error = CredentialsError("the cloud said so", kind=kind)
    calls = calls_of(needs_of(operations_of(OPERATIONS)), describe)
    asked = Asked(conn_id=conn_id, cloud="memory", identity=error)
    return check_connection_calls(asked, [one for one in calls if one.conn_id == conn_id])


def test_credentials_that_are_refused_are_in_the_way_too():
    report = report_of(asked_of(ErrorKind.UNAUTHENTICATED), OnUnknown.WARN)
    assert not report.passed
    assert report_of(asked_of(ErrorKind.PERMISSION_DENIED), OnUnknown.WARN).passed


def test_an_outage_may_be_over_at_the_next_try():
    report = report_of(asked_of(ErrorKind.THROTTLED))
    with pytest.raises(api.PreflightFailedError, match="throttled: the cloud said so") as caught:
        report.raise_if_failed()
    assert (caught.value.kind, caught.value.retryable) == (ErrorKind.THROTTLED, True)
    kept = pickle.loads(pickle.dumps(caught.value))
    assert (kept.kind, kept.report) == (ErrorKind.THROTTLED, report)
    assert report_of(asked_of(ErrorKind.THROTTLED), OnUnknown.WARN).passed


def test_a_denial_beside_an_outage_is_final():
    plant("pf_b", Decision.DENY, "object_store.put_object")
    denied = [one for one in api.run_preflight(OPERATIONS).permissions if one.conn_id == "pf_b"]
    report = report_of([*asked_of(ErrorKind.UNAVAILABLE), *denied])
    with pytest.raises(api.PreflightFailedError) as caught:
        report.raise_if_failed()
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def test_a_report_of_nothing_has_shown_nothing():
    assert not report_of([]).passed
    with pytest.raises(api.PreflightFailedError, match="nothing was checked"):
        PreflightReport(permissions=()).raise_if_failed()


def test_a_connection_of_another_cloud_costs_its_own_rows(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_PF_WRONG", '{"conn_type": "aws"}')
    wrong = {"verify": {"replica": "mem://pf_wrong@lake/sales/"}}
    report = api.run_preflight([wrong, *OPERATIONS])
    (found,) = [one for one in report.permissions if one.decision is not Decision.ALLOW]
    assert (found.conn_id, found.decision) == ("pf_wrong", Decision.UNKNOWN)
    assert "belongs to Amazon Web Services" in found.reason


def test_a_cloud_without_policies_says_so():
    with pytest.raises(CredentialsError, match="has no policies here") as caught:
        api.render_policy(OPERATIONS, "memory")
    assert caught.value.kind is ErrorKind.UNSUPPORTED


def test_the_account_is_put_where_it_belongs_only():
    """A key may have the same text."""
    table = CallTable(
        {"look": (ApiCall(call="look", permissions=("look",), resource="object"),)},
        lambda _, facts: f"{facts['account']}/{facts['key']}",
    )
    need = Need(what="w", conn_id="pf_a", service="s", use="look", facts={"key": "in/{account}/x"})
    (call,) = calls_of([need], lambda _: (table, {"account": ACCOUNT}))
    assert call.resource == "{account}/in/{account}/x"
    assert call.of_account("1234") == "1234/in/{account}/x"
    (call,) = calls_of([need], lambda _: (table, {"account": "5"}))
    assert (call.resource, call.of_account) == ("5/in/{account}/x", None)


def test_what_is_in_a_bucket_that_is_made_is_asked_about_as_new():
    """By its connection, whatever comes first; other buckets' and connections' are not."""

    def told(create):
        (operation,) = operations_of(
            [
                {
                    "replicate": {
                        "source": "mem://pf_b@lake/a/",
                        "destinations": ["mem://pf_a@lake/b/", "mem://pf_b@new/b/"],
                        "create_buckets": create,
                    }
                }
            ]
        )
        return {
            (one.conn_id, one.resource.split("/")[4], one.to_be_made)
            for one in calls_of(needs_of([operation]), describe)
        }

    places = {("pf_a", "lake"), ("pf_b", "lake"), ("pf_b", "new")}
    assert told(False) == {(*place, False) for place in places}
    assert told(True) == {(*place, place != ("pf_b", "lake")) for place in places}
