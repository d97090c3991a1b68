"""Where this package reaches into Azure's SDK, for what the SDK has no public way to.

Airflow's hook makes the ``BlobServiceClient``, from the connection's fields; what it was made of
can't be asked for. Lean requests, the connections that threads share, and obstore's view of the
same account need exactly that: its pipeline, transport, retries and proxies.

``tests/unit/clouds/test_azure_seams.py`` says which of these an upgrade changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.pipeline import Pipeline, PipelineResponse
    from azure.core.rest import HttpRequest, HttpResponse
    from azure.storage.blob import BlobServiceClient


def pipeline_of(service: BlobServiceClient) -> Pipeline[HttpRequest, HttpResponse]:
    """The client's pipeline: signing, retries, timeouts.

    Reached: ``_pipeline``. The SDK sends only its own requests through it, and builds a model of
    every answer, which takes most of a listing's time.
    """
    pipeline: Pipeline[HttpRequest, HttpResponse] = service._pipeline  # noqa: SLF001
    return pipeline


def transport_of(service: BlobServiceClient) -> Any:
    """The client's HTTP transport, with its ``requests`` session and ``connection_config``.

    Reached: ``_config.transport``. A transport of our own would not know the certificates and
    timeouts that the connection names.
    """
    config: Any = service._config  # noqa: SLF001
    return config.transport


def retry_policy_of(service: BlobServiceClient) -> Any:
    """The client's retry policy, whose ``get_backoff_time`` says how long to wait.

    Reached: ``_config.retry_policy``. One of our own would not know the ``retry_total`` and other
    options that the connection names.
    """
    config: Any = service._config  # noqa: SLF001
    return config.retry_policy


def proxies_of(service: BlobServiceClient) -> Mapping[str, str]:
    """URL scheme → the proxy that the connection names.

    Reached: ``_config.proxy_policy.proxies``.
    """
    config: Any = service._config  # noqa: SLF001
    return config.proxy_policy.proxies or {}


def leave_undecoded(answer: PipelineResponse[HttpRequest, HttpResponse]) -> None:
    """Tell the SDK's decoding policy, which comes next, that this body is not for it.

    Reached: that ``ContentDecodePolicy`` passes over an answer to a streaming request, which it
    recognises by ``context.options["stream"]``, and that ``raw_response_hook`` is called before.
    """
    answer.context.options["stream"] = True
