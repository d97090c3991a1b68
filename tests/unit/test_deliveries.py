"""Items handed to several destinations: what each is told, and what a failure costs."""

from __future__ import annotations

import threading

import pytest

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.deliveries import Destination, Portion
from airflow_multicloud.core.delivering import deliver
from airflow_multicloud.core.success import check_ratios, why_not_enough
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind, LogsError
from airflow_multicloud.ports.accounting import Accounting, Outcome, Refusal


def _refusal(count, *, outcome=Outcome.REJECTED, kind=ErrorKind.INVALID_ARGUMENT, reason="bad"):
    return Refusal(outcome=outcome, kind=kind, reason=reason, count=count)


class _Hook:
    """Answers each portion with the next of some accountings or errors, else accepts all."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.seen = []

    def send(self, items):
        self.seen.append(list(items))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, CloudError):
            raise answer
        if answer is None:
            return Accounting(given=len(items), accepted=len(items), requests=1)
        lost = sum(refusal.count for refusal in answer)
        return Accounting(
            given=len(items), accepted=len(items) - lost, refusals=tuple(answer), requests=1
        )


def _to(conn_id, hook=None, error=None):
    return Destination(conn_id=conn_id, cloud="memory", hook=hook, error=error)


def _deliver(destinations, *portions, ratio=1.0, settled=None):
    made = [one if isinstance(one, Portion) else Portion(one) for one in portions]
    return deliver(
        destinations,
        made,
        lambda to, hook, items: hook.send(items),
        ratios={one.conn_id: ratio for one in destinations},
        settled=settled,
    )


def _deliver_all(hook, portions):
    send = lambda to, hook, items: hook.send(items)  # noqa: E731
    return deliver([_to("a", hook)], portions, send, ratios={"a": 1.0})


def test_every_destination_gets_all_in_order():
    first, second = _Hook(), _Hook()
    found = _deliver([_to("a", first), _to("b", second)], [1, 2], [3])
    assert first.seen == second.seen == [[1, 2], [3]]
    assert [(one.conn_id, one.given, one.accepted, one.requests) for one in found] == [
        ("a", 3, 3, 2),
        ("b", 3, 3, 2),
    ]


def test_what_could_not_be_read_is_dropped_at_every_destination():
    unread = (_refusal(2, outcome=Outcome.DROPPED, reason="no JSON"),)
    hook = _Hook()
    (one,) = _deliver([_to("a", hook)], Portion([1], unread), Portion([], unread))
    assert (one.given, one.accepted, one.dropped) == (5, 1, 4)
    assert [refusal.count for refusal in one.refusals] == [4]
    assert hook.seen == [[1]]


def test_one_destination_that_can_not_be_opened_costs_itself():
    error = CredentialsError("no such connection", kind=ErrorKind.NOT_FOUND)
    bad, good = _deliver([_to("a", error=error), _to("b", _Hook())], [1, 2], [3])
    assert (bad.given, bad.dropped, bad.error_kind) == (3, 3, ErrorKind.NOT_FOUND)
    assert (bad.error, bad.requests) == ("no such connection", 0)
    assert (good.given, good.accepted, good.error) == (3, 3, None)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (CredentialsError("no token", kind=ErrorKind.UNAVAILABLE), Outcome.DROPPED),
        (LogsError("log: bad", kind=ErrorKind.INVALID_ARGUMENT), Outcome.DROPPED),
        (LogsError("gone", kind=ErrorKind.UNAVAILABLE), Outcome.UNKNOWN),
    ],
)
def test_a_hook_that_fails_is_not_asked_again(error, outcome):
    hook = _Hook(error)
    (one,) = _deliver([_to("a", hook)], [1, 2], [3])
    assert hook.seen == [[1, 2]]
    counts = {refusal.outcome: 0 for refusal in one.refusals}
    for refusal in one.refusals:
        counts[refusal.outcome] += refusal.count
    assert counts == (
        {Outcome.DROPPED: 3} if outcome is Outcome.DROPPED else {outcome: 2, Outcome.DROPPED: 1}
    )
    assert one.error == str(error)


def test_refused_permissions_end_the_sending_there_only():
    denied, good = _Hook([_refusal(2, kind=ErrorKind.PERMISSION_DENIED)]), _Hook()
    first, second = _deliver([_to("a", denied), _to("b", good)], [1, 2], [3, 4], [5])
    assert denied.seen == [[1, 2]]
    assert (first.rejected, first.dropped) == (2, 3)
    assert second.accepted == 5


def test_two_outages_in_a_row_end_the_sending():
    lost = [_refusal(1, outcome=Outcome.UNKNOWN, kind=ErrorKind.TIMEOUT, reason="no answer")]
    hook = _Hook(lost, None, lost, lost)
    (one,) = _deliver([_to("a", hook)], [1], [2], [3], [4], [5], [6])
    assert hook.seen == [[1], [2], [3], [4]]
    assert (one.given, one.accepted, one.unknown, one.dropped) == (6, 1, 3, 2)


def test_what_the_hook_gave_up_is_not_taken_up_again():
    why = "not sent, because what was sent before failed: down"
    ended = _refusal(1, outcome=Outcome.DROPPED, kind=ErrorKind.UNAVAILABLE, reason=why)
    hook = _Hook([ended])
    (one,) = _deliver([_to("a", hook)], [1, 2], [3])
    assert hook.seen == [[1, 2]]
    assert one.refusals == (_refusal(2, outcome=Outcome.DROPPED, kind=ended.kind, reason=why),)


def test_destinations_are_served_at_the_same_time():
    both = threading.Barrier(2, timeout=30)

    class Meeting(_Hook):
        def send(self, items):
            both.wait()
            return super().send(items)

    found = _deliver([_to("a", Meeting()), _to("b", Meeting())], [1], [2])
    assert [one.accepted for one in found] == [2, 2]


def test_work_that_is_stopped_ends_between_portions():
    hook = _Hook()

    def portions():
        yield Portion([1])
        cancellation.stop("Airflow has asked the task to stop")
        yield Portion([2])

    with cancellation.cancellable(), pytest.raises(cancellation.WorkCancelledError):
        _deliver_all(hook, portions())
    assert hook.seen == [[1]]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (1.0, {"a": 1.0, "b": 1.0}),
        ("0.5", {"a": 0.5, "b": 0.5}),
        (0, {"a": 0.0, "b": 0.0}),
        ({"b": 0.25}, {"a": 1.0, "b": 0.25}),
    ],
)
def test_ratios(given, found):
    assert check_ratios(given, ["a", "b"], error=LogsError) == found


@pytest.mark.parametrize("given", [-0.1, 1.1, "many", None, True, {"c": 1}, {"a": 2}, "nan"])
def test_what_is_no_ratio(given):
    with pytest.raises(LogsError, match="min_success_ratio") as raised:
        check_ratios(given, ["a"], error=LogsError)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT


def _judged(refusals, ratio, *, items=4):
    return why_not_enough(_deliver([_to("a", _Hook(refusals))], list(range(items)), ratio=ratio))


def test_enough_is_enough():
    assert _judged([_refusal(1)], 0.75) is None
    assert _judged([_refusal(1)], 0.76) == (
        "a: 3 of 4 accepted, expected 76 %: 1 rejected: invalid_argument: bad",
        ErrorKind.INVALID_ARGUMENT,
    )


@pytest.mark.parametrize(
    ("refusals", "kind"),
    [
        ([_refusal(2)], ErrorKind.INVALID_ARGUMENT),
        ([_refusal(2, kind=ErrorKind.THROTTLED)], ErrorKind.THROTTLED),
        ([_refusal(1), _refusal(2, kind=ErrorKind.THROTTLED)], ErrorKind.THROTTLED),
        ([_refusal(2), _refusal(1, kind=ErrorKind.THROTTLED)], ErrorKind.INVALID_ARGUMENT),
        ([_refusal(2, kind=ErrorKind.QUOTA)], ErrorKind.QUOTA),
    ],
)
def test_a_retry_is_asked_for_where_it_can_make_it_enough(refusals, kind):
    assert _judged(refusals, 0.75)[1] is kind


def test_a_destination_in_error_does_not_succeed_whatever_is_asked_of_it():
    error = CredentialsError("no such connection", kind=ErrorKind.NOT_FOUND)
    found = _deliver([_to("a", error=error)], ratio=0.0)
    assert why_not_enough(found) == ("a: not_found: no such connection", ErrorKind.NOT_FOUND)


def test_a_retry_is_asked_for_if_it_can_help_anybody():
    hooks = _Hook([_refusal(1)]), _Hook([_refusal(1, kind=ErrorKind.TIMEOUT)])
    found = _deliver([_to("a", hooks[0]), _to("b", hooks[1])], [1])
    assert why_not_enough(found)[1] is ErrorKind.TIMEOUT
    assert why_not_enough(found[:1])[1] is ErrorKind.INVALID_ARGUMENT
    assert why_not_enough(()) is None


def test_what_an_earlier_try_has_settled_is_not_sent_again():
    passing = [_refusal(1, kind=ErrorKind.THROTTLED)]
    final = [_refusal(1)]
    portions = [
        Portion([1], digest="all"),
        Portion([2, 3], digest="passing"),
        Portion([4, 5], digest="final"),
        Portion([6], digest="none"),
    ]
    settled = {}
    hook = _Hook(None, passing, final, final)
    (first,) = _deliver([_to("a", hook)], *portions, settled=settled)
    assert (first.accepted, [*settled["a"]]) == (3, ["all", "final"])
    hook = _Hook()
    (second,) = _deliver([_to("a", hook)], *portions, settled=settled)
    assert hook.seen == [[2, 3], [6]]
    assert (second.given, second.accepted, second.rejected) == (6, 5, 1)
    assert (second.accepted_before, second.requests) == (2, 2)
    assert {*settled["a"]} == {"all", "passing", "final", "none"}


def test_the_document_has_the_law():
    (one,) = _deliver([_to("a", _Hook([_refusal(1)]))], [1, 2])
    told = one.as_dict()
    assert told["given"] == sum(
        told[name] for name in ("accepted", "rejected", "unknown", "dropped")
    )
    assert (told["succeeded"], told["success_ratio"], told["min_success_ratio"]) == (False, 0.5, 1)


def test_a_hook_that_breaks_costs_its_destination():
    class Broken(_Hook):
        def send(self, items):
            raise RuntimeError("awscrt")

    good = _Hook()
    broken, other = _deliver([_to("a", Broken()), _to("b", good)], [1, 2], [3])
    assert (broken.given, broken.accepted, broken.unknown, broken.dropped) == (3, 0, 2, 1)
    assert broken.error_kind is ErrorKind.INTEGRITY
    assert (other.accepted, good.seen) == (3, [[1, 2], [3]])
