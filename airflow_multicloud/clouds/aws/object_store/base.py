"""What every S3 verb stands on: the opened connection, one object's state, its tags."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from botocore.exceptions import ClientError

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.attributes import METADATA_NAME, HeaderRules, encode_value
from airflow_multicloud.adapters.secret_text import check_control_characters
from airflow_multicloud.clouds.aws.errors import CLOUD, connection_read, translated
from airflow_multicloud.clouds.aws.object_store.client import S3Connection
from airflow_multicloud.clouds.aws.object_store.fields import meta_of, ref_params
from airflow_multicloud.clouds.aws.object_store.terms import terms_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    FittedAttributes,
    IfAbsent,
    ObjectAttributes,
    ObjectMeta,
    ObjectRef,
    WriteCondition,
    WriteOptions,
)

DEFAULT_OPTIONS: Final = WriteOptions()

_KEY_BYTES = 1024

# docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
_TAGS_MAX = 10
_TAG_NAME = re.compile(r"(?!aws:)[\w +\-=.:/@]{1,128}")
_TAG_VALUE = re.compile(r"[\w +\-=.:/@]{0,256}")


def why_not_tag(name: str, value: str) -> str | None:
    """Why S3 can't hold a tag, or ``None`` when it can."""
    if _TAG_NAME.fullmatch(name) and _TAG_VALUE.fullmatch(value):
        return None
    return (
        "S3 allows letters, digits, blanks and + - = . _ : / @, at most 128 for the name and 256 "
        "for the value, and no name that begins with aws:"
    )


def why_not_metadata_name(name: str) -> str | None:
    """Why S3 can't hold metadata of a name, or ``None`` when it can.

    A name is the end of an HTTP header's name (RFC 9110, "token"), and S3 keeps it in lower case.
    """
    return None if METADATA_NAME.fullmatch(name) else "it is no HTTP header name in lower case"


# docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html: 2 KB of user-defined and 2 KB
# of system-defined metadata, names and values.
RULES: Final = HeaderRules(
    store="S3",
    cloud=CLOUD,
    check_name=why_not_metadata_name,
    encode=encode_value,
    most_metadata=2048,
    most_standard=2048,
)


def check_illegal_tags(tags: Mapping[str, str], doing: str) -> None:
    """Check names, values and their number against S3's rules.

    :raises StorageError: kind ``invalid_argument``, naming the tag.
    """
    if len(tags) > _TAGS_MAX:
        raise StorageError(
            f"{doing}: {len(tags)} tags; S3 allows {_TAGS_MAX}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=CLOUD,
        )
    for name, value in tags.items():
        if why := why_not_tag(name, value):
            raise StorageError(
                f"{doing}: tag {name!r}={value!r} is not legal; {why}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=CLOUD,
            )


def told_why(
    head: Callable[[], Any], get: Callable[[], object], *, statuses: Collection[str]
) -> Any:
    """What HEAD answers; where that is an error without a reason, the GET's that has one.

    Credentials that expired, a key of the customer's own that was not sent and a malformed
    request are all a bare 400 to HEAD, as is each refusal of credentials a bare 403.

    :param get: makes the request whose answer is worth the reason only.
    :param statuses: those of HEAD to ask again for.
    """
    try:
        return head()
    except ClientError as error:
        if error.response["Error"].get("Code") in statuses:
            try:
                get()
            except ClientError as reason:
                # That of an empty object: there is no first byte to ask for.
                if reason.response["Error"].get("Code") != "InvalidRange":
                    raise reason from None
        raise


class S3Basics(S3Hook):
    """The connection of an S3 hook, and the verbs that the others need."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Read the connection now, on the thread that may ask Airflow; no request is made.
        connection = self.conn_config
        check_control_characters(
            self.aws_conn_id,
            {
                "login": connection.login,
                "password": connection.password,
                **connection.extra_config,
                **{f"session_kwargs.{n}": v for n, v in connection.session_kwargs.items()},
            },
            cloud=CLOUD,
        )
        self._terms = terms_of(
            self.aws_conn_id, self.conn_config.extra_config, requester_pays=self._requester_pays
        )

    def _get_caller(self, target_function_name: str = "execute") -> str:
        """The class whose ``execute`` calls, for the user agent.

        The official hook's way there reads the source files of the whole stack, thrice: 0.2 s.
        """
        frame = inspect.currentframe()
        while frame is not None:
            if frame.f_code.co_name == target_function_name and "self" in frame.f_locals:
                return type(frame.f_locals["self"]).__name__
            frame = frame.f_back
        return "Unknown"

    @cached_property
    def _s3(self) -> S3Connection:
        """The session and clients, made once."""
        with (
            translated(f"opening connection {self.aws_conn_id!r}"),
            connection_read(self.aws_conn_id),
        ):
            return S3Connection(
                self.get_session(region_name=self.region_name),
                endpoint_url=self.conn_config.get_service_endpoint_url(service_name="s3"),
                config=self._get_config(),
                verify=self.verify,
                terms=self._terms,
            )

    def why_not_key(self, key: str) -> str | None:
        """Why S3 can't hold this key, or ``None`` when it can.

        Rules: docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html; there also that
        ``../`` may not lead above the first segment, read from the left.
        """
        try:
            length = len(key.encode())
        except UnicodeEncodeError:
            return "it can't be encoded as UTF-8"
        if not 0 < length <= _KEY_BYTES:
            return f"it has {length} bytes in UTF-8; S3 allows 1 to {_KEY_BYTES}"
        depth = 0
        for segment in key.split("/"):
            depth += {"..": -1, ".": 0}.get(segment, 1)
            if depth < 0:
                return "its .. segments lead above the bucket, which S3 refuses"
        return None

    def why_not_metadata_name(self, name: str) -> str | None:
        """Why the store can't hold user metadata of this name, or ``None`` when it can."""
        return why_not_metadata_name(name)

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        """What S3 can hold of attributes: 2 KB of metadata, and 2 KB of all others."""
        return RULES.fit(attributes)

    def why_not_tag(self, name: str, value: str) -> str | None:
        """Why S3 can't hold this tag, or ``None`` when it can."""
        return why_not_tag(name, value)

    @property
    def most_tags(self) -> int:
        """Ten."""
        return _TAGS_MAX

    def _writable(self, ref: ObjectRef, options: WriteOptions, doing: str) -> WriteOptions:
        """The options as S3 takes them; refuses what it can't hold."""
        reason = self.why_not_key(ref.key)
        if reason is not None:
            raise StorageError(
                f"{doing}: S3 can't hold this key: {reason}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=CLOUD,
            )
        attributes = RULES.fitted(options.attributes, doing)
        return (
            options if attributes is options.attributes else replace(options, attributes=attributes)
        )

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """One object's metadata, with attributes and every digest S3 reports.

        ``crc32c`` and ``sha256`` are of the whole object; ``md5`` is the ETag where that is
        one. A missing ``storage_class`` header means ``STANDARD``.
        """
        client, params = self._s3.client, ref_params(ref)

        def first_byte() -> None:
            client.get_object(**params, Range="bytes=0-0")["Body"].close()

        with translated(f"reading the metadata of {name_of(ref)}"):
            response = told_why(
                lambda: client.head_object(**params, ChecksumMode="ENABLED"),
                first_byte,
                statuses={"400"},
            )
        with well_formed(f"reading the metadata of {name_of(ref)}", CLOUD):
            return meta_of(ref, response, size=response["ContentLength"])

    def _check_unmet(self, ref: ObjectRef, condition: WriteCondition | None, doing: str) -> None:
        """Ask before a large write whether its condition holds.

        S3 itself decides at the end, but many stores that speak its protocol ignore
        conditions on CompleteMultipartUpload and CopyObject, where they came late.
        """
        if condition is None:
            return
        try:
            found = self.stat_object(ObjectRef(ref.bucket, ref.key))
        except StorageError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
            found = None
        if isinstance(condition, IfAbsent):
            if found is not None:
                raise StorageError(
                    f"{doing}: there is an object already",
                    kind=ErrorKind.ALREADY_EXISTS,
                    cloud=CLOUD,
                )
        elif found is None:
            raise StorageError(
                f"{doing}: there is no object, so none with ETag {condition.etag}",
                kind=ErrorKind.PRECONDITION_FAILED,
                cloud=CLOUD,
            )
        else:
            check_other_etag(found, condition.etag, doing)

    def get_tags(self, ref: ObjectRef) -> Mapping[str, str]:
        """The object's tags."""
        with translated(f"reading the tags of {name_of(ref)}"):
            response = self._s3.client.get_object_tagging(**ref_params(ref))
            return {tag["Key"]: tag["Value"] for tag in response["TagSet"]}

    def set_tags(self, ref: ObjectRef, tags: Mapping[str, str]) -> None:
        """Replace the object's tags: at most ten, of S3's alphabet."""
        doing = f"tagging {name_of(ref)}"
        check_illegal_tags(tags, doing)
        if not tags:
            with translated(doing):
                self._s3.client.delete_object_tagging(**ref_params(ref))
            return
        tag_set = [{"Key": name, "Value": value} for name, value in tags.items()]
        with translated(doing):
            self._s3.client.put_object_tagging(**ref_params(ref), Tagging={"TagSet": tag_set})


def name_of(ref: ObjectRef) -> str:
    """An object as messages name it."""
    version = f" (version {ref.version})" if ref.version else ""
    return f"s3://{ref.bucket}/{ref.key}{version}"


def check_other_etag(meta: ObjectMeta, etag: str | None, doing: str) -> None:
    """Raise kind ``precondition_failed`` when an object has another ETag than the given."""
    if etag is not None and meta.etag != etag:
        raise StorageError(
            f"{doing}: the object has ETag {meta.etag}, not {etag}",
            kind=ErrorKind.PRECONDITION_FAILED,
            cloud=CLOUD,
        )
