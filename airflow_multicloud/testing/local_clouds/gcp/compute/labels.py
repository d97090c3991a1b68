"""Labels and how they are changed.

https://cloud.google.com/compute/docs/labeling-resources#requirements; what a fingerprint of before
is answered with: https://github.com/googleapis/google-cloud-go/issues/7802.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.compute.links import labelled
from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import invalid
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Refusal

#: International characters are allowed; capital letters are not.
_KEY = re.compile(r"(?=[^\W\d_])[\w-]{1,63}")
_VALUE = re.compile(r"[\w-]{0,63}")
_MOST = 64


def checked(field: str, labels: Mapping[str, str]) -> None:
    """Whether labels may be so.

    :raises Refusal: when they may not.
    """
    if len(labels) > _MOST:
        raise invalid(field, "", f"A resource can have at most {_MOST} labels.")
    for key, value in labels.items():
        for what, text, rule in (("key", key, _KEY), ("value", value, _VALUE)):
            if not rule.fullmatch(text) or text != text.lower():
                raise invalid(
                    field,
                    "",
                    f"Label {what} '{text}' violates format constraints. The {what} can only "
                    "contain lowercase letters, numeric characters, underscores and dashes. The "
                    f"{what} can be at most 63 characters long. International characters are "
                    "allowed.",
                )


def changed(resource: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A resource with the labels of a request.

    :raises Refusal: when somebody has changed them since the request's fingerprint.
    """
    if wanted.get("labelFingerprint") != resource["labelFingerprint"]:
        raise Refusal(
            HTTPStatus.PRECONDITION_FAILED,
            "Labels fingerprint either invalid or resource labels have changed",
            reason="conditionNotMet",
        )
    labels = wanted.get("labels", {})
    checked("resource.labels", labels)
    return labelled(resource, labels)
