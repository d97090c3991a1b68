"""Whose an instance is: the token of its order, bound to its own name.

Cloud SQL copies the labels of an instance to its clones, the token among them: a clone that anybody
makes of an instance of ours carries its token, and must not pass for it. So a second label holds
the instance's name, and the token counts only where that is right.

Nor can a clone be labelled in the request that makes it: it gets its labels when it is there.
Another process knows it until then by its name alone, when that contains the first eight digits of
the order's token; what else has the name is somebody else's. Whoever takes the labels off to keep
an instance is not overruled: of one that has been there for a day the name says nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from airflow_multicloud.clouds.gcp import LABELS
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.database import NAMED, TOKEN_LABEL, RestoreOrder

#: The label that holds the name of the instance which the token is good for.
NAME_LABEL: Final = "multicloud-instance"
#: ``state`` of what has never been there so that it could be labelled, or was never labelled.
_NEVER_THERE: Final = ("PENDING_CREATE", "FAILED")


def token_text(token: str) -> str:
    """A token as labels and descriptions have it: in small letters.

    :param token: a UUID that was checked.
    """
    return str(uuid.UUID(token))


def labels_for(order: RestoreOrder) -> dict[str, str]:
    """All labels of the instance that an order makes."""
    return {
        **current_work().lasting().labels(LABELS),
        **order.labels,
        TOKEN_LABEL: token_text(order.token),
        NAME_LABEL: order.name,
    }


def claimed_with(item: Mapping[str, Any]) -> str | None:
    """The token that an instance was made with; ``None`` when no order has labelled it.

    :param item: of ``instances.get``.
    """
    labels = _labels(item)
    return labels.get(TOKEN_LABEL) if labels.get(NAME_LABEL) == item["name"] else None


def may_be_claimed(item: Mapping[str, Any]) -> bool:
    """Whether no order has labelled an instance, and one may do so: its name tells which."""
    if claimed_with(item) is not None or item.get("masterInstanceName"):
        return False
    made_at = item.get("createTime")
    age = datetime.now(UTC) - datetime.fromisoformat(made_at) if made_at else NAMED
    return item.get("state") in _NEVER_THERE or age < NAMED


def belongs_to(item: Mapping[str, Any], token: str) -> bool:
    """Whether the order with this token has made an instance, labelled or not yet."""
    if may_be_claimed(item):
        return uuid.UUID(token).hex[:8] in item["name"]
    return claimed_with(item) == token_text(token)


def shown_labels(item: Mapping[str, Any]) -> dict[str, str]:
    """An instance's labels without a token that is another's."""
    labels = _labels(item)
    if claimed_with(item) is None:
        labels.pop(TOKEN_LABEL, None)
    labels.pop(NAME_LABEL, None)
    return labels


def _labels(item: Mapping[str, Any]) -> dict[str, str]:
    return dict((item.get("settings") or {}).get("userLabels") or {})
