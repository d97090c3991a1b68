"""Object tags: their rules, and reading and replacing them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.clouds.aws.object_store.fields import ref_params
from airflow_multicloud.clouds.aws.object_store.keys import name_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef

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


def check_illegal_tags(tags: Mapping[str, str], doing: str) -> None:
    """Check names, values and their number against S3's rules.

    :raises StorageError: kind ``invalid_argument``, naming the tag.
    """
    if len(tags) > _TAGS_MAX:
        raise StorageError(
            f"{doing}: {len(tags)} tags; S3 allows {_TAGS_MAX}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
    for name, value in tags.items():
        if why := why_not_tag(name, value):
            raise StorageError(
                f"{doing}: tag {name!r}={value!r} is not legal; {why}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )


class S3Tags(ObjectStoreBase):
    """``ObjectTags`` and ``TagRules``."""

    def why_not_tag(self, name: str, value: str) -> str | None:
        """Why S3 can't hold this tag, or ``None`` when it can."""
        return why_not_tag(name, value)

    @property
    def most_tags(self) -> int:
        """Ten."""
        return _TAGS_MAX

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
