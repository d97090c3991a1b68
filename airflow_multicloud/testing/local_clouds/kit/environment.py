"""What the processes that are started here see of this process's environment.

A shell that runs the local clouds may hold the keys of real ones. So children get what is listed
here and nothing else; what a server needs besides stands in its :class:`~.process.ServerSpec`.
"""

from __future__ import annotations

import os

from airflow_multicloud.testing.local_clouds.kit.sockets import OFFLINE_ENV

#: Where programs, libraries, homes and temporary files are; language and time; who to trust.
_BASE = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TEMP", "TMP"),
        *("LANG", "LANGUAGE", "TZ", "TERM", "NO_COLOR"),
        *("LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE"),
        *("PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        "NODE_EXTRA_CA_CERTS",
        # By name: whatever else begins like them may be a secret.
        *("LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY"),
        *("LC_MESSAGES", "LC_PAPER", "LC_NAME", "LC_ADDRESS", "LC_TELEPHONE", "LC_MEASUREMENT"),
        "LC_IDENTIFICATION",
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_BIN_HOME"),
        *("XDG_CONFIG_DIRS", "XDG_DATA_DIRS", "XDG_RUNTIME_DIR"),
    }
)

#: How npm, uv and pip reach their indexes, by the user's own settings: credentials among them are
#: the indexes' (npm's two conventional ones are named in many an ``.npmrc``).
_INSTALLERS = frozenset({"NETRC", "NPM_TOKEN", "NODE_AUTH_TOKEN"})
_INSTALLERS_PREFIXES = ("NPM_CONFIG_", "UV_", "PIP_")
_PUBLISHING = "UV_PUBLISH_"
_PROXIES = frozenset(name.upper() for name in OFFLINE_ENV)


def of_servers() -> dict[str, str]:
    """The environment of a local server, in which proxies lead nowhere."""
    return {**{n: v for n, v in os.environ.items() if n in _BASE}, **OFFLINE_ENV}


def of_installers() -> dict[str, str]:
    """The environment of npm and uv."""
    return {n: v for n, v in os.environ.items() if n in _BASE or _of_index(n.upper())}


def _of_index(upper: str) -> bool:
    if upper.startswith(_PUBLISHING):
        return False
    return upper in _INSTALLERS | _PROXIES or upper.startswith(_INSTALLERS_PREFIXES)
