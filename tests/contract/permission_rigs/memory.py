"""The memory cloud."""

from __future__ import annotations

from datetime import timedelta

from airflow_multicloud.ports.identity import Decision, TokenScope
from airflow_multicloud.testing.contracts.identity.permission_rigs import (
    PermissionsCase,
    PermissionsRigSpec,
    TokensCase,
    TokensRigSpec,
)
from airflow_multicloud.testing.memory_cloud import identity as memory
from airflow_multicloud.testing.memory_cloud.identity.rules import world
from tests.contract.permission_rigs.seeding import Request, own

_SPACE = "permissions"


def permission_rigs() -> tuple[PermissionsRigSpec, ...]:
    return (
        PermissionsRigSpec(
            name="memory",
            cloud="memory",
            hook=memory.Hook,
            open=lambda _request: memory.Hook(_SPACE),
            plant=_planted_in_memory,
            changes=lambda _request: list(world(_SPACE).rules),
        ),
    )


def token_rigs() -> tuple[TokensRigSpec, ...]:
    return (
        TokensRigSpec(
            name="memory",
            cloud="memory",
            hook=memory.Hook,
            open=lambda _request: memory.Hook(_SPACE),
            plant=_tokens_of_memory,
            use=lambda _request, *used: memory.is_good_for(_SPACE, *used),
        ),
    )


def _planted_in_memory(request: Request) -> PermissionsCase:
    memory.reset(_SPACE)
    request.addfinalizer(lambda: memory.reset(_SPACE))
    memory.plant(
        _SPACE,
        memory.Rule(decision=Decision.DENY, action="object_store.delete_*"),
        memory.Rule(decision=Decision.UNKNOWN, action="object_store.put_tags"),
    )
    return PermissionsCase(
        allowed="object_store.get_object",
        denied="object_store.delete_object",
        unknown="object_store.put_tags",
        resource="//memory/object_store/bucket",
        is_own=own("//memory/"),
    )


def _tokens_of_memory(request: Request) -> TokensCase:
    _planted_in_memory(request)
    bucket = "//memory/object_store/one"
    return TokensCase(
        scope=TokenScope(
            actions=("object_store.get_object", "object_store.list_objects"),
            resources=(bucket,),
            valid_for=timedelta(minutes=30),
        ),
        other_action="object_store.put_object",
        other_resource="//memory/object_store/two",
    )
