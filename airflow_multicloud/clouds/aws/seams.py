"""What is reached in botocore and in Airflow's AWS hook without being documented there.

All of it is in this module, and ``tests/unit/clouds/test_aws_seams.py`` says which of it an upgrade
has changed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from botocore import parsers
from botocore.config import Config
from botocore.handlers import validate_bucket_name

from airflow_multicloud.errors import ErrorKind

if TYPE_CHECKING:
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


def requester_pays_of(hook: S3Hook) -> bool:
    """The argument ``requester_pays`` of the official S3 hook, which has no public name."""
    return bool(hook._requester_pays)  # noqa: SLF001 (see above)


def raised_by_parser(error: Exception) -> bool:
    """Whether an exception comes out of botocore's parser of answers.

    It lets what ``int()`` and the like raise pass, so only the traceback tells it from a mistake of
    the caller's.
    """
    return any(
        frame.f_globals.get("__name__") == parsers.__name__
        for frame, _ in walk_tb(error.__traceback__)
    )


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
    """
    client.meta.events.register(f"before-parse.s3.{operation}", parse)


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
_MOST_TRIES = 5
_LONGEST_WAIT_S = 20.0


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

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"needs-retry.{service}.{operation}", wait)
