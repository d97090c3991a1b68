"""Tags of servers, changed by themselves: "Tags - Update At Scope".

https://learn.microsoft.com/rest/api/resources/tags/update-at-scope
"""

from __future__ import annotations

from http import HTTPStatus

from azure.mgmt.resource.resources import models  # noqa: TID253 - see __main__
from azure.mgmt.resource.resources.operations import (  # noqa: TID253 - likewise
    _operations as operations,
)

from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.compute.world import not_found
from airflow_multicloud.testing.local_clouds.azure.database.world import World
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_MOST, _LONGEST_NAME, _LONGEST_VALUE = 50, 512, 256
_ILLEGAL = frozenset("<>%&\\?/")


def routes(world: World) -> list[Route]:
    """The operations served."""

    def patch(call: Call) -> Answer:
        with world.lock:
            return _patch(world, call)

    return [
        sdk_route(
            operations.build_tags_update_at_scope_request("{scope}"),
            patch,
            body=models.TagsPatchResource,
            operation="update",
        )
    ]


def _patch(world: World, call: Call) -> Answer:
    scope = f"/{call.variables['scope'].strip('/')}"
    one = world.by_id(scope)
    if one is None:
        raise not_found(scope)
    given = call.json
    tags = given["properties"]["tags"]
    match given["operation"].lower():
        case "merge":
            changed = {**one.tags, **tags}
        case "delete":
            # By name, or by name and value: one that has another value meanwhile stays.
            gone = {key for key, value in tags.items() if value in ("", one.tags.get(key))}
            changed = {key: value for key, value in one.tags.items() if key not in gone}
        case _:
            changed = dict(tags)
    check_tags(changed)
    one.tags = changed
    return conforming(
        models.TagsResource,
        {
            "id": f"{one.id}/providers/Microsoft.Resources/tags/default",
            "name": "default",
            "type": "Microsoft.Resources/tags",
            "properties": {"tags": changed},
        },
    )


def check_tags(tags: dict[str, str]) -> None:
    """Refuse what are no tags.

    https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations

    :raises Refusal: 400.
    """
    if len(tags) > _MOST:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "InvalidTagCount",
            f"The number of tags {len(tags)} exceeds the maximum allowed {_MOST}.",
        )
    for key, value in tags.items():
        if not key or len(key) > _LONGEST_NAME or _ILLEGAL & set(key):
            raise Refusal(HTTPStatus.BAD_REQUEST, "InvalidTagName", f"Tag name '{key}'.")
        if len(value) > _LONGEST_VALUE:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                "InvalidTagValueLength",
                f"Tag value too large. Following tag value '{value[:20]}' exceeded the maximum "
                f"length. Maximum allowed length for tag value - '{_LONGEST_VALUE}' characters.",
            )
