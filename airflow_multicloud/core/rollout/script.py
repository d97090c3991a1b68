"""The script that an instance runs when it starts: the template ``startup.sh`` with its settings.

The signed URL stands in the script, so in the instance's user data, startup-script metadata or
custom data (and on AWS and Azure in cloud-init's copy of it, which only root can read) for as long
as the instance is there; it is a secret only until it expires. Neither a unit file nor a process's
arguments have it. The service runs as root, as startup scripts do.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from airflow_multicloud.core.rollout.inputs import whole_number
from airflow_multicloud.core.rollout.names import check_id
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.text import printable

#: EC2 takes 16 KiB (docs.aws.amazon.com/AWSEC2/latest/UserGuide, "Run commands when you launch an
#: EC2 instance with user data input"), Azure 64 KiB ("Custom data and cloud-init on Azure Virtual
#: Machines"), Compute Engine 256 KiB ("About VM metadata").
MOST_BYTES = 16_000
_MOST_PORT = 0xFFFF
_DIRECTORY_DIGITS = 16
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
#: What curl reads between quotes as it is.
_URL = re.compile(r"https?://[!#-\[\]-~]+")
#: How the name of an archive ends → what unpacks it.
_TARS = {
    ".tar": "tar",
    **dict.fromkeys((".tar.gz", ".tgz"), "tar gzip"),
    **dict.fromkeys((".tar.xz", ".txz"), "tar xz"),
    **dict.fromkeys((".tar.bz2", ".tbz2", ".tbz"), "tar bzip2"),
}
#: Files that nothing runs as they are, and that are not unpacked; in lower case.
_OTHER_ARCHIVES = (
    *(".zip", ".7z", ".rar", ".whl", ".cpio", ".gz", ".xz", ".bz2", ".zst", ".tzst", ".lz"),
    *(".tlz", ".lz4", ".lzma", ".lzo", ".z", ".taz", ".br", ".tb2", ".tz2"),
)
_ASSIGNMENT = re.compile(r"\s*([A-Za-z_]\w*=)")
_SETTINGS, _START = "# settings\n", "# start\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartupScript:
    """What an instance does when it starts: fetch an artifact, check it, and run its command.

    It goes into ``/opt/airflow-multicloud/<deployment>/<digits of the digest>``, and is fetched
    once however often the script runs. Where there is systemd, the command becomes a unit that
    comes back after a failure and a reboot; else the script becomes the command.

    :param artifact_name: a file name. One that ends like an archive of ``tar`` is unpacked;
        anything else is the file to run.
    :param artifact_sha256: of the artifact, in hex; nothing else is unpacked.
    :param artifact_size: its bytes.
    :param command: run in the directory of what was unpacked: words, quoted as in a shell, in
        which nothing is expanded; what a shell would do something with is refused unless it is
        quoted (``sh -c '…'`` does it). It sees ``MULTICLOUD_DEPLOYMENT``,
        ``MULTICLOUD_REVISION``, ``MULTICLOUD_ADDRESS`` (on which to listen) and ``PORT``.
    :param port: on which it should listen.
    :raises DeploymentError: ``invalid_argument``, naming the parameter.
    """

    deployment_id: str
    revision: str
    artifact_name: str
    artifact_sha256: str
    artifact_size: int
    command: str = "./run"
    port: int = 8080

    def __post_init__(self) -> None:
        check_id(self.deployment_id, "deployment_id")
        _check_line(self.revision, "revision")
        _check_artifact_name(self.artifact_name)
        if not _SHA256.fullmatch(self.artifact_sha256):
            raise _refused("artifact_sha256", self.artifact_sha256, "64 digits of lower-case hex")
        whole_number("artifact_size", self.artifact_size, 1)
        whole_number("port", self.port, 1, _MOST_PORT)
        check_command(self.command)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of everything but the URL."""
        return hashlib.sha256("\0".join((_template(), *self._parts())).encode()).hexdigest()

    def text(self, url: str) -> str:
        """The script itself. It has a secret in it: the URL.

        :param url: from which the artifact is fetched, signed.
        :raises DeploymentError: ``invalid_argument`` for a URL that can't be one, or when the
            script is longer than the narrowest cloud takes.
        """
        if not _URL.fullmatch(url):
            raise DeploymentError(
                "url: expected http:// or https:// and visible ASCII characters without double "
                "quotes and backslashes; it may be a secret, so it is not shown",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        settings, start = self._parts()
        settings += f"digest={self.digest[:_DIRECTORY_DIGITS]}\nurl={shlex.quote(url)}\n"
        # One after the other, each once: what is put in is not searched.
        head, _, rest = _template().partition(_SETTINGS)
        middle, _, tail = rest.partition(_START)
        script = f"{head}{settings}{middle}{start}{tail}"
        if (size := len(script.encode())) > MOST_BYTES:
            raise DeploymentError(
                f"command, revision, url: they make a startup script of {size:,} bytes, expected "
                f"at most {MOST_BYTES:,}; put a long command into the artifact",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return script

    def _parts(self) -> tuple[str, str]:
        """What goes into the template: the settings without the URL, and how it is started."""
        unpackers = _unpackers(self.artifact_name)
        settings = {
            "deployment": self.deployment_id,
            "size": str(self.artifact_size),
            "sha256": self.artifact_sha256,
            "name": self.artifact_name,
            "kind": "program" if unpackers is None else "archive",
            "tools": unpackers or "",
        }
        exports = {
            "MULTICLOUD_DEPLOYMENT": self.deployment_id,
            "MULTICLOUD_REVISION": self.revision,
            "PORT": str(self.port),
        }
        start = [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
        start.append('export MULTICLOUD_ADDRESS="${MULTICLOUD_ADDRESS:-0.0.0.0}"')
        start.append(f"exec {shlex.join(_words(self.command))}")
        return (
            "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items()),
            "".join(f"{line}\n" for line in start),
        )


def check_archive(name: str, parameter: str) -> None:
    """Refuse a file that is neither unpacked nor run as it is, by its name.

    :raises DeploymentError: ``invalid_argument``.
    """
    if name.lower().endswith(_OTHER_ARCHIVES) and _unpackers(name) is None:
        raise _refused(parameter, name, f"one of {', '.join(_TARS)}, or a file that runs as it is")


def check_command(given: str) -> None:
    """Refuse a command that is more than a program and its words.

    :raises DeploymentError: ``invalid_argument``.
    """
    _check_line(given, "command")
    words = _words(given)
    if not words or not words[0] or words[0].startswith("-"):
        raise _refused("command", given, "a program first")
    assigned = _ASSIGNMENT.match(given)
    if found := assigned[1] if assigned else _of_a_shell(given):
        raise _refused(
            "command",
            given,
            f"a program and its words, as no shell reads it: {found!r} is a shell's; put it "
            "into a script in the artifact and run that, or quote it with '…'",
        )


def _of_a_shell(command: str) -> str | None:
    """The first character that a shell would do something with."""
    quote, before, escaped = "", " ", False
    for character in command:
        if escaped:
            escaped = False
        elif quote == "'":
            quote = "" if character == "'" else quote
        elif character == "\\":
            escaped = True
        elif character == quote:
            quote = ""
        elif character in "$`":  # Also between double quotes.
            return character
        elif not quote and character in "'\"":
            quote = character
        elif not quote and (character in "|&;<>" or (character == "#" and before.isspace())):
            return character
        before = character
    return None


@cache
def _template() -> str:
    return files(__package__).joinpath("startup.sh").read_text("utf-8")


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as err:
        raise _refused("command", command, f"words quoted as in a shell: {err}") from err


def _check_line(given: str, parameter: str) -> None:
    """No control characters: a line that is put in stays one line, of a script and of a log."""
    if not given or printable(given) != given:
        raise _refused(parameter, given, "one line of visible text")


def _check_artifact_name(given: str) -> None:
    if not _FILE_NAME.fullmatch(given):
        raise _refused(
            "artifact_name",
            given,
            "a file name of letters, digits, '.', '_' and '-' that begins with none of the last "
            "three but '_', at most 200",
        )
    check_archive(given, "artifact_name")


def _unpackers(name: str) -> str | None:
    """The tools that unpack a file of such a name; ``None`` for one that is to be run itself."""
    return next((how for end, how in _TARS.items() if name.lower().endswith(end)), None)


def _refused(parameter: str, given: object, expected: str) -> DeploymentError:
    return DeploymentError(
        f"{parameter}: {given!r} given, expected {expected}", kind=ErrorKind.INVALID_ARGUMENT
    )
