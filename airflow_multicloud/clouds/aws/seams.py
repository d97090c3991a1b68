"""What is reached in botocore and in Airflow's AWS hook without being documented there.

All of it is in this module, and ``tests/unit/clouds/test_aws_seams.py`` says which of it an upgrade
has changed.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import msgspec
from botocore import endpoint, parsers
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.handlers import validate_bucket_name
from botocore.loaders import JSONFileLoader
from botocore.parsers import ResponseParserError

from airflow_multicloud.errors import ErrorKind

if TYPE_CHECKING:
    import boto3
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from botocore.client import BaseClient

    from airflow_multicloud.adapters.errors import ErrorTable


def config_of(hook: AwsBaseHook) -> Config:
    """A hook's botocore configuration with Airflow's user agent.

    Airflow's own hooks make their clients with it; in public there is only the one without.
    """
    config: Config = hook._get_config()  # noqa: SLF001 (see above)
    return config


def load_models_fast(session: boto3.Session) -> None:
    """Have a session read service models in half of the time, into two thirds of the memory.

    What S3 needs is 3.5 MB of JSON, and botocore makes an ordered dictionary of each object in it.
    That boto3's session has one of botocore's, and its loader what reads files, is not documented.
    """
    session._session.get_component("data_loader").file_loader = _Models()  # noqa: SLF001 (see above)


class _Models(JSONFileLoader):  # type: ignore[misc]
    def load_file(self, file_path: str) -> Any:
        """A file's content; ``None`` where there is none."""
        for name, opened in ((f"{file_path}.json", open), (f"{file_path}.json.gz", gzip.open)):
            if Path(name).is_file():
                with opened(name, "rb") as file:
                    return msgspec.json.decode(file.read())
        return None


def requester_pays_of(hook: S3Hook) -> bool:
    """The argument ``requester_pays`` of the official S3 hook, which has no public name."""
    return bool(hook._requester_pays)  # noqa: SLF001 (see above)


# Where botocore makes and signs a request is in its module endpoint, too.
_MAKES_REQUEST = Endpoint.create_request.__code__


def raised_by_answer(error: Exception) -> bool:
    """Whether an exception comes out of botocore's reading of an answer.

    It lets what ``int()``, a missing member and the like raise pass, from its parsers and from
    what looks at that which they made of a body (``null``, say). Only the traceback tells it from
    a mistake of the caller's, and from what can't be written or signed.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    if any(frame.f_code is _MAKES_REQUEST for frame in frames):
        return False
    modules = (parsers.__name__, endpoint.__name__)
    return any(frame.f_globals.get("__name__") in modules for frame in frames)


def accept_any_bucket_name(client: BaseClient) -> None:
    """Take away botocore's check of bucket names.

    Ceph's ``tenant:bucket`` is no name by AWS's rules, which the service itself checks too. The
    handler's name is not documented.
    """
    client.meta.events.unregister("before-parameter-build.s3", validate_bucket_name)


def parse_first(client: BaseClient, operation: str, parse: Callable[..., None]) -> None:
    """Have S3's answers to an operation read by ``parse`` before botocore reads them.

    The event is ``before-parse``, which is not documented: ``parse`` gets ``response_dict`` (with
    ``body`` and ``status_code``, both may be replaced) and ``customized_response_dict``, which is
    merged into what botocore's parser makes of the body.

    botocore's own handler parses the whole body to tell errors with the status 200, which takes
    three times as long as all of a listing's reading here. With a wildcard in place of the service
    this one comes before it, and leaves it little to parse.
    """
    client.meta.events.register(f"before-parse.*.{operation}", parse)


def before_signing(client: BaseClient, operation: str, look: Callable[..., None]) -> None:
    """Have each of S3's requests of an operation shown to ``look`` before it is signed.

    Last of all handlers, when the URL and the region are settled. Before the signature rather than
    before sending: only newer versions of botocore (1.43.68 on) tell there for which region the
    request was signed.
    """
    client.meta.events.register_last(f"before-sign.s3.{operation}", look)


def signing_region_of(request: Any) -> str | None:
    """For which region a request is signed, where that is another than the client's."""
    region: str | None = request.context.get("signing", {}).get("region")
    return region


#: For clients of services that would count a request twice: nothing is sent again by botocore. What
#: they send has been checked point by point, which botocore would do again in half the time of all.
SEND_ONCE = Config(
    retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=False
)
_AWS_TYPES = ("application/json", "application/x-amz-json", "application/cbor")
_MOST_TRIES = 5
_LONGEST_WAIT_S = 20.0


def refuse_pages(client: BaseClient) -> None:
    """Have an answer with a good status refused that is none of AWS's, as a sign-in page is none.

    botocore reads an answer in which nothing need be as one with nothing in it, whatever it is.
    AWS's have a request ID, or at least the type of their protocol. The event is ``after-call``; a
    status of an error is left to what reads errors.

    :param client: of a service that speaks JSON or CBOR, and of its own.
    """

    def look(http_response: Any, parsed: Any, **_: object) -> None:
        if http_response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            return
        known = parsed.get("ResponseMetadata", {}).get("RequestId")
        kind = http_response.headers.get("content-type") or ""
        if not known and not kind.casefold().startswith(_AWS_TYPES):
            raise ResponseParserError(
                "the answer has no request ID and is no JSON, so it is not AWS's: something "
                "between it and here (a proxy, a sign-in page) answered in its place"
            )

    client.meta.events.register(f"after-call.{_service_of(client)}", look)


def _service_of(client: BaseClient) -> str:
    """How botocore's events name a client's service."""
    name: str = client.meta.service_model.service_id.hyphenize()
    return name


def resend_throttled(client: BaseClient, operation: str, table: ErrorTable) -> None:
    """Have requests of an operation sent again that were throttled, and no others.

    The event is ``needs-retry``, to which botocore's own retries are answers, too: a number is how
    long to wait before sending again. They wait as the ``standard`` mode's do.

    :param client: of its own, made with :data:`SEND_ONCE`.
    :param table: what the service's codes mean.
    """

    def wait(response: Any, attempts: int, **_: object) -> float | None:
        if response is None or attempts >= _MOST_TRIES:
            return None
        answer, read = response
        kind = table.kind_of(read.get("Error", {}).get("Code"), answer.status_code)
        if kind is not ErrorKind.THROTTLED:
            return None
        longest = min(2.0 ** (attempts - 1), _LONGEST_WAIT_S)
        return random.uniform(0.0, longest)  # noqa: S311 - jitter

    client.meta.events.register(f"needs-retry.{_service_of(client)}.{operation}", wait)
