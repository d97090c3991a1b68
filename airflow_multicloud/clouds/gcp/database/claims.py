"""Whose an instance is: the token of its order, bound to its own name.

Cloud SQL copies the labels of an instance to its clones, the token among them: a clone that anybody
makes of an instance of ours carries its token, and must not pass for it. So a second label holds
the instance's name, and the token counts only where that is right.

Nor can a clone be labelled in the request that makes it: it gets its labels when it is there.
Another process knows it until then by its name alone, when that contains the first eight digits of
the order's token; what else has the name is somebody else's.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from airflow_multicloud.clouds.gcp import LABELS
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.database import TOKEN_LABEL, RestoreOrder

#: The label that holds the name of the instance which the token is good for.
NAME_LABEL: Final = "multicloud-instance"


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


def is_named_after(name: str, token: str) -> bool:
    """Whether a name contains the first eight digits of a token."""
    return uuid.UUID(token).hex[:8] in name


def belongs_to(item: Mapping[str, Any], token: str) -> bool:
    """Whether the order with this token has made an instance, labelled or not yet."""
    claimed = claimed_with(item)
    if claimed is None:
        return is_named_after(item["name"], token)
    return claimed == token_text(token)


def shown_labels(item: Mapping[str, Any]) -> dict[str, str]:
    """An instance's labels without a token that is another's."""
    labels = _labels(item)
    if claimed_with(item) is None:
        labels.pop(TOKEN_LABEL, None)
    labels.pop(NAME_LABEL, None)
    return labels


def _labels(item: Mapping[str, Any]) -> dict[str, str]:
    return dict((item.get("settings") or {}).get("userLabels") or {})
