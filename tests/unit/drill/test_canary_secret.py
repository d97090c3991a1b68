"""The canary secret: written to one store, looked for in its copies, and told to nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.drill.secret_canary import DRILL_TAG, canary_secret_name
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.operators import SyncSecretsOperator
from airflow_multicloud.operators.drill import CheckCanarySecretOperator, WriteCanarySecretOperator
from airflow_multicloud.testing.memory_cloud import secrets
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind
from tests.unit.operators.test_base import Context
from tests.unit.secret_sync.lab import HOME, ONE, PREFIX, TWO, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = canary_secret_name(PREFIX, f"memory:{HOME}")


@pytest.fixture
def world(memory_account: Callable[[str, str], str]) -> Iterator[World]:
    """Three stores with nothing in them."""
    for conn_id in (HOME, ONE, TWO):
        memory_account(conn_id, "lab")
    secrets.reset()
    yield World()
    secrets.reset()


def write(context: Any = None, **given: Any) -> dict[str, Any]:
    operator = WriteCanarySecretOperator(
        task_id="write", **{"source": HOME, "prefix": PREFIX, **given}
    )
    told: dict[str, Any] = operator.execute(context or Context())
    return told


def sync() -> None:
    SyncSecretsOperator(
        task_id="sync", source=HOME, destinations=[ONE, TWO], prefix=PREFIX
    ).execute(Context())  # type: ignore[arg-type]


def check(canary: dict[str, Any], context: Any = None) -> dict[str, Any]:
    operator = CheckCanarySecretOperator(task_id="check", canary=canary, destinations=[ONE, TWO])
    told: dict[str, Any] = operator.execute(context or Context())
    return told


def test_each_drill_has_a_value_of_its_own_and_tells_only_its_digest(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    contexts: list[Any] = []
    for _ in "ab":
        contexts += [Context(), Context()]
        canary = write(contexts[-2])
        sync()
        assert check(canary, contexts[-1])["found"]
        assert (canary["name"], canary["conn_id"], canary["problem"]) == (NAME, HOME, None)
        value = world.values(HOME)[NAME]
        assert canary["sha256"] == sha256_of(value)
        assert world.values(ONE)[NAME] == world.values(TWO)[NAME] == value
    first, second = world.history(HOME, NAME)
    assert first != second
    assert world.tags(HOME, NAME)[DRILL_TAG[0]] == DRILL_TAG[1]
    told = json.dumps([one.pushed for one in contexts], default=str) + caplog.text
    told += capsys.readouterr().out
    for value in (first, second):
        assert value.decode().split()[-1] not in told
    assert second == world.values(TWO)[NAME]


def test_what_somebody_else_wrote_stays(world: World) -> None:
    world.write(HOME, NAME, b"theirs")
    context: Any = Context()
    with pytest.raises(AirflowFailException, match=r"already_exists: .*that no drill has written"):
        write(context)
    assert world.history(HOME, NAME) == [b"theirs"]
    told = context.pushed["canary_secret"]
    assert told["problem"].startswith(f"already_exists: {NAME}: a secret of this name is there")
    assert told["sha256"] is None
    with pytest.raises(AirflowFailException, match="was not written, so no copy can have it"):
        check(told)


def test_one_that_was_removed_is_not_brought_back(world: World) -> None:
    write()
    world.remove(HOME, NAME)
    with pytest.raises(AirflowFailException, match=r"precondition_failed: .*was removed"):
        write()


def test_a_copy_that_lacks_it_is_named_and_so_is_one_that_differs(world: World) -> None:
    write()
    sync()
    canary = write()  # which nobody has brought to the copies
    world.remove(TWO, NAME)
    context: Any = Context()
    with pytest.raises(AirflowFailException, match=f"{ONE}: .* has another value") as caught:
        check(canary, context)
    assert f"{TWO}: {NAME} can't be read: precondition_failed" in str(caught.value)
    found = {one["conn_id"]: one["state"] for one in context.pushed["canary_copies"]["copies"]}
    assert found == {ONE: "different", TWO: "unreadable"}
    secrets.secrets_of(TWO).kept.clear()
    context = Context()
    with pytest.raises(AirflowFailException, match=f"{TWO}: {NAME} is missing"):
        check(canary, context)
    assert context.pushed["canary_copies"]["found"] is False


def test_a_store_that_does_not_answer_is_left_to_retries_and_costs_no_other(world: World) -> None:
    canary = write()
    sync()
    refuse = SecretFault(kind=SecretFaultKind.REFUSE, call=SecretCall.READ)
    world.space(ONE).faults.plant([refuse])
    context: Any = Context()
    with pytest.raises(CloudError, match=ONE) as caught:
        check(canary, context)
    assert caught.value.retryable
    states = [one["state"] for one in context.pushed["canary_copies"]["copies"]]
    assert states == ["unreadable", "same"]
    assert check(canary)["found"]


def test_turned_round_each_store_has_its_own(world: World) -> None:
    write()
    sync()
    back = write(source=ONE)
    assert back["name"] != NAME
    SyncSecretsOperator(task_id="sync", source=ONE, destinations=[HOME], prefix=PREFIX).execute(
        Context()
    )  # type: ignore[arg-type]
    assert set(world.values(HOME)) == {NAME, back["name"]}


@pytest.mark.parametrize(
    ("given", "said"),
    [({"prefix": ""}, "prefix: nothing given"), ({"prefix": "None"}, "prefix: nothing given"),
     # A template that renders to native objects makes a number of such a text.
     ({"prefix": 2026}, "prefix: 2026 given, .* as a text"), ({"prefix": ["a"]}, "prefix: a list"),
     ({"source": "nowhere"}, "nowhere"), ({"source": ""}, "source")],
)  # fmt: skip
def test_what_is_wrong_is_named(world: World, given: dict[str, Any], said: str) -> None:
    with pytest.raises(AirflowFailException, match=said):
        write(**given)
    assert world.values(HOME) == {}


def test_a_canary_that_is_none_is_refused(world: World) -> None:
    with pytest.raises(AirflowFailException, match="invalid_argument: canary"):
        check({"name": 1})
    with pytest.raises(AirflowFailException) as caught:
        check({})
    assert str(ErrorKind.INVALID_ARGUMENT) in str(caught.value)


def test_the_store_that_it_was_written_to_is_no_copy(world: World) -> None:
    canary = write()
    sync()
    with pytest.raises(AirflowFailException, match=f"destinations: {ONE} given, which the canary"):
        check({**canary, "conn_id": ONE})


def test_a_digest_that_is_none_is_that_of_no_copy(world: World) -> None:
    canary = write()
    sync()
    with pytest.raises(CloudError, match="has another value"):
        check({**canary, "sha256": "é"})
