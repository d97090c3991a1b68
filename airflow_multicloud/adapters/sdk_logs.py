"""Secrets are taken out of what the SDKs log, before any handler sees it.

At DEBUG botocore logs headers with session tokens, what it signs and with which result, and the
answers of STS with new keys, and startup scripts, which hold signed URLs; urllib3 logs URLs, whose
query may be a SAS signature. Airflow masks
what its connections hold, and nothing that came to be later; plain Python masks nothing. So a
filter sits on the loggers through which requests and answers go: it replaces values and drops no
record.
"""

from __future__ import annotations

import logging
import re

#: The loggers, by name: a logger's filter is not asked about what its children log.
LOGGERS = (
    "botocore.auth",
    "botocore.awsrequest",
    "botocore.client",
    "botocore.credentials",
    "botocore.endpoint",
    "botocore.hooks",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.retries.standard",
    "botocore.retryhandler",
    "botocore.signers",
    "botocore.utils",
    "urllib3.connectionpool",
    "urllib3.util.retry",
    "requests.sessions",
    "azure.core.pipeline.policies._universal",
    "azure.core.pipeline.policies.http_logging_policy",
    "azure.identity",
    "msal.oauth2cli.oauth2",
    "msal.token_cache",
    "google.auth._helpers",
    "google.auth.transport.requests",
    "google.auth.transport.urllib3",
    "google.oauth2._client",
    "google.api_core.retry.retry_base",
    "google.cloud.compute_v1.services.instances.transports.rest",
    "google.cloud.secretmanager_v1.services.secret_manager_service.transports.grpc",
    "google.resumable_media._helpers",
)

_HEADERS = "|".join(
    (
        *("(?:Proxy-)?Authorization", "X-Amz-(?:Security|S3session)-Token"),
        *("(?:Set-)?Cookie", "X-(?:Goog-)?Api-Key", "X-Identity-Header"),
        *("X-Amz-(?:Copy-Source-)?Server-Side-Encryption-Customer-Key", "X-Goog-Encryption-Key"),
        "X-Goog-Copy-Source-Encryption-Key",
        *("X-Ms-Copy-Source(?:-Authorization)?", "X-Ms-Encryption-Key", "X-Aws-Ec2-Metadata-Token"),
    )
)
_NAME = "|".join(
    (
        _HEADERS,
        # Queries of signed URLs and of a SAS; Google's resumable sessions need no credentials.
        *("sig", "signature", "X-(?:Amz|Goog)-(?:Signature|Credential)", "AWSAccessKeyId"),
        *("GoogleAccessId", "upload_id", "SharedAccessSignature"),
        # Answers and requests of the services that give credentials.
        *(
            "(?:aws_?)?secret_?(?:access_?)?key",
            "(?:aws_?)?access_?key(?:_?id)?",
            "private_?key(?:_id)?",
        ),
        *("(?:aws_?)?session_?token", "(?:access|refresh|id|web_?identity)_?token", "Token"),
        *("(?:CopySource)?SSECustomerKey", "SAMLAssertion"),
        # Startup scripts, in base64: they hold signed URLs.
        *("User_?Data", "Custom_?Data"),
        *("client_?(?:secret|assertion)", "assertion", "password", "Account_?Key", "Credential"),
        *("passwd", "pwd", "api_?key", "Instrumentation_?Key", "iKey"),
    )
)
_HIDDEN = "***"
#: Characters of a text that are looked at; what is beyond them is left out.
_LONGEST = 65_536
#: Left out of a text's end when it was cut: a password in a URL is known by the "@" after it.
_EDGE = 1_024
# Where a name may begin: also after a line break that was made "printable", a backslash and an n.
_START = r"(?:(?<![\w-])|(?<=\\[nrt]))"
#: What Google's clients log beside the message: whole requests and answers, which for machines have
#: their startup scripts, and those signed URLs. By gRPC they are messages as JSON, in which a
#: secret's value is in base64.
_BODIES = ("httpRequest", "httpResponse", "request", "response")
_DATA = re.compile(r"""("data"\s*:\s*")[\w+/=]+""")
# What stands between the quotes that the pattern before it opened as its second group.
_VALUE = r"""(?:(?!\2)(?:\\.|[^\\])|\\(?!["']))*"""
_PATTERNS = (
    # Values of Secrets Manager, to the text's end: where a value with quotes in it ends can't be
    # told, as botocore logs JSON within Python's own quotes, which escapes it twice.
    re.compile(
        r"""(\\*["']Secret_?(?:String|Binary)\\*["']\s*[:,]\s*b?\\*["']).+""",
        re.IGNORECASE | re.DOTALL,
    ),
    # 'name': 'value' and 'name': b'value' (Python), "name": "value" (JSON), also escaped, and
    # in a list
    re.compile(
        rf"""(\\?["'](?:{_NAME})\\?["']\s*:\s*\[?b?(\\?["'])){_VALUE}""",
        re.IGNORECASE | re.DOTALL,
    ),
    # The same as a pair of Python's, and as name='value'
    re.compile(
        rf"""(\(\s*b?(?:["'])(?:{_NAME})["']\s*,\s*b?(["'])){_VALUE}""",
        re.IGNORECASE | re.DOTALL,
    ),
    re.compile(rf"""({_START}(?:{_NAME})\s*=\s*b?(["'])){_VALUE}""", re.IGNORECASE | re.DOTALL),
    # <Name>value</Name>, <ns:Name a="b">value</ns:Name>
    re.compile(rf"(<(?:[\w.-]+:)?(?:{_NAME})(?:\s[^<>]*)?(?<!/)>)[^<]+", re.IGNORECASE),
    # Authorization=Scheme value
    re.compile(rf"({_START}(?:Proxy-)?Authorization\s*=\s*)[^&;,\"'<>)\]}}\\\r\n]+", re.IGNORECASE),
    # A script in base64, which begins with "#!/", also quoted for a form
    re.compile(r"(?:(?<![\w+/])|(?<=\\[nrt]))()IyEv(?:[\w+/=]|%2[BF]|%3D){12,}"),
    # A token wherever it stands; "Bearer authentication" is none.
    re.compile(rf"({_START}Bearer\s+)(?=[^\s\"']*\d|[^\s\"']{{20}})[\w.~+/=-]{{8,}}"),
    # The same of other schemes; "Basic authentication" and "Basic Standard_D2" are none.
    re.compile(
        rf"({_START}Basic\s+)(?=[A-Za-z+/]*\d|[A-Za-z+/]{{20}})[A-Za-z0-9+/]{{8,}}={{0,2}}(?![\w-])"
    ),
    re.compile(rf"({_START}SharedKey(?:Lite)?\s+[\w-]+:)[\w+/=]{{8,}}"),
    # scheme://user:password@host; a connection alone before the @ is no secret. First with a
    # password that should have been quoted: what is no port may have anything in it.
    re.compile(
        r"(?<=://)()[^/?#\s@:\"'`<>[]{0,256}:(?!\d{1,5}(?:[/?#\s\"'`]|$))[^\s\"'`<>]{0,1024}(?=@)"
    ),
    re.compile(r"(?<=://)()[^/?#\s@:\"'<>]*:[^/?#\s@\"'<>]*(?=@)"),
    # A private key, to its end or the text's
    re.compile(r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)(?:[^-]|-(?!----))+"),
    # name:value, a header's line of its own (also what botocore signs, and "Signature:\n…")
    re.compile(
        rf"((?:^|(?<=\\[nr]))(?:{_NAME}):(?:\s|\\[nrt])*)\S(?:(?!\\[nr])[^\r\n])*",
        re.IGNORECASE | re.MULTILINE,
    ),
    # A header wherever it stands, to the end of the line: an exception's class comes before it
    re.compile(
        rf"({_START}(?:{_HEADERS})(?::|(?:\sheader)?\s(?:had|value)\b)\s*)[^\s:](?:(?!\\[nr])[^\r\n])*",
        re.IGNORECASE,
    ),
    # Google's API keys
    re.compile(r"([?&]key=)[^&;,\s\"'<>)\]}\\]+"),
    # name=value in a query, a form, a connection string or an Authorization header
    re.compile(rf"({_START}(?:{_NAME})=)[^&;,\s\"'<>)\]}}\\]+", re.IGNORECASE),
    # The same in a query that is a value of another
    re.compile(
        rf"((?:(?<=%26)|(?<=%3F)|{_START})(?:{_NAME})%3D)(?:(?!%26)[^&;,\s\"'<>)\]}}\\])+",
        re.IGNORECASE,
    ),
)


def without_secrets(text: str) -> str:
    """The text with the values of everything that grants access replaced by ``***``.

    :param text: of any length; what is beyond 64 KiB is left out, for time's sake.
    """
    cut = len(text) > _LONGEST
    text = text[:_LONGEST]
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{_HIDDEN}", text)
    return f"{text[:-_EDGE]}…" if cut else text


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a log record must not end what it tells of
            text = "a message that can't be formatted"
        record.msg, record.args = without_secrets(text), None
        if record.exc_info:
            # Messages of SDK errors have URLs in them; a handler would format them again.
            text = logging.Formatter().formatException(record.exc_info)
            record.exc_text, record.exc_info = without_secrets(text), None
        for name in _BODIES:
            if isinstance(body := vars(record).get(name), dict):
                setattr(record, name, {key: _clean(value) for key, value in body.items()})
        return True


def _clean(value: object) -> object:
    if not isinstance(value, str):
        return value
    return without_secrets(_DATA.sub(rf"\g<1>{_HIDDEN}", value))


_FILTER = _Filter()


def guard() -> None:
    """Put the filter on every logger; a second time changes nothing."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
