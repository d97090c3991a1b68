"""Whether a request is signed with a known key, by Signature Version 4.

"Elements of an AWS API request signature" in the AWS Identity and Access Management User Guide.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug import Request

from airflow_multicloud.testing.local_clouds.aws import ACCESS_KEY, SECRET_KEY
from airflow_multicloud.testing.local_clouds.kit.http import target_of

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)"
    r"/aws4_request, ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
#: "the request must reach AWS within five minutes of the time stamp in the request"; longer here,
#: as nobody's clock is tested.
_FRESH = timedelta(minutes=15)
_LOCAL = MappingProxyType({ACCESS_KEY: SECRET_KEY})


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request is signed for.

    :param problem: why it is not let in: ``key``, ``signature`` or ``missing``.
    :param key: the access key's id.
    """

    service: str = ""
    region: str = ""
    problem: str | None = None
    key: str = ""


def signed(request: Request, secrets: Mapping[str, str] = _LOCAL) -> Signed:
    """For which service and region a request is signed, and whether by a known key.

    :param secrets: access key → secret key; the local one alone by default.
    """
    found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        return Signed(problem="missing")
    service, region, key = found["service"], found["region"], found["key"]
    if key not in secrets:
        return Signed(service, region, "key", key)
    moment = request.headers.get("X-Amz-Date", "")
    names = found["headers"].split(";")
    asked = AWSRequest(
        method=request.method,
        url=f"http://{request.host}{target_of(request)}",
        data=request.get_data(),
        headers={name: request.headers.get(name, "") for name in names},
    )
    asked.context["timestamp"] = moment
    signer = SigV4Auth(Credentials(key, secrets[key]), service, region)
    text = signer.string_to_sign(asked, signer.canonical_request(asked))
    right = hmac.compare_digest(signer.signature(text, asked), found["signature"])
    fits = right and "host" in names and _fresh(moment)
    return Signed(service, region, None if fits else "signature", key)


def _fresh(moment: str) -> bool:
    try:
        sent = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(datetime.now(UTC) - sent) < _FRESH
