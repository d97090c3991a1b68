"""What a bucket's own policy says: it denies, and grants by itself, in the account that owns it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from botocore.exceptions import ClientError

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.errors import code_of
from airflow_multicloud.clouds.aws.identity.client import IdentityBase
from airflow_multicloud.clouds.aws.identity.documents import Statement, statements_of
from airflow_multicloud.clouds.aws.identity.errors import translated
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Decision

_NONE = "NoSuchBucketPolicy"
_MAKING = "s3:createbucket"
#: A decision and why: a text, or the error that was the answer.
Said = tuple[Decision, str | CredentialsError]


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPolicy:
    """Of a bucket of the caller's account.

    :param statements: that may mean the caller.
    :param unread: why they are not known, or whose the bucket is.
    :param error: that told so.
    """

    bucket: str
    statements: tuple[Statement, ...] = ()
    unread: str | None = None
    error: CredentialsError | None = None

    def on_allowed(self, action: str, resource: str) -> Said | None:
        """Why what the caller's policies allow may still be denied; ``None`` when it is allowed."""
        if self.is_missing:
            # It will be of the account that makes it.
            why = f"the caller's policies allow it, but there is no bucket {self.bucket}"
            return None if action.casefold() == _MAKING else self._unknown(why)
        if self.unread is not None:
            return self._unknown(f"the caller's policies allow it, but {self.unread}")
        denying = [s for s in self.statements if s.denies and s.may_concern(action, resource)]
        if any(one.is_certain(resource) for one in denying):
            return Decision.DENY, f"the policy of the bucket {self.bucket} denies it"
        if denying:
            why = f"the policy of the bucket {self.bucket} denies it to some, or in some cases"
            return Decision.UNKNOWN, f"the caller's policies allow it, but {why}"
        return None

    def on_denied(self, action: str, resource: str) -> Said | None:
        """Why an action may be allowed even though none of the caller's policies allows it."""
        if self.unread is not None and not self.is_missing:
            return self._unknown(f"no policy of the caller allows it, but {self.unread}")
        if any(not s.denies and s.may_concern(action, resource) for s in self.statements):
            why = f"no policy of the caller allows it; that of the bucket {self.bucket} may"
            return Decision.UNKNOWN, why
        return None

    @property
    def is_missing(self) -> bool:
        """Whether there is no such bucket."""
        return self.error is not None and self.error.kind is ErrorKind.NOT_FOUND

    def _unknown(self, why: str) -> Said:
        kept = self.error and CredentialsError(why, kind=self.error.kind, cloud=NAME)
        return Decision.UNKNOWN, kept or why


class BucketPolicies(IdentityBase):
    """Reads them."""

    def _bucket_policy(self, bucket: str, account: str) -> BucketPolicy:
        """A bucket's.

        :param account: that must own it.
        :raises CredentialsError: when the credentials are refused.
        """
        if "*" in bucket:
            return BucketPolicy(
                bucket=bucket, unread=f"whose the buckets {bucket} are is not known"
            )
        doing = f"asking S3 for the policy of {bucket}, if it is of account {account}"
        try:
            with translated(doing):
                text = self._policy_text(bucket, account)
            with well_formed(doing, NAME, area=CredentialsError):
                read = () if text is None else statements_of(bucket, json.loads(text))
        except CredentialsError as err:
            if err.kind is ErrorKind.UNAUTHENTICATED:
                raise
            why = f"{bucket} may be of another account, or its own policy decide: {err}"
            return BucketPolicy(bucket=bucket, unread=why, error=err)
        endpoint = self._session.endpoint_url("s3")
        has_tls = endpoint is None or endpoint.startswith("https:")
        return BucketPolicy(
            bucket=bucket,
            statements=tuple(
                one for one in read if one.may_mean(account) and not (has_tls and one.spares_tls)
            ),
        )

    def _policy_text(self, bucket: str, account: str) -> str | None:
        try:
            told = self._session.client("s3").get_bucket_policy(
                Bucket=bucket, ExpectedBucketOwner=account
            )
        except ClientError as err:
            if code_of(err) == _NONE:
                return None
            raise
        return str(told["Policy"])
