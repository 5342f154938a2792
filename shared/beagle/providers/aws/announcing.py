"""A bucket that exists, and the notifications that it has: EventBridge is added, and nothing taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
)

from beagle.domain.errors import ConfigurationError

_SWITCH = "EventBridgeConfiguration"
_DESTINATIONS = {
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}
_WAYS_OUT = {
    NoCredentialsError: "run `aws configure` or `aws sso login`, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID "
    "and AWS_SECRET_ACCESS_KEY.",
    # boto3 does not read AWS_REGION: botocore.configprovider.
    NoRegionError: "set AWS_DEFAULT_REGION, or run `aws configure`.",
}


@dataclass(frozen=True, slots=True)
class Announcing:
    """What a bucket announces, and to whom. S3 keeps it in one document, and replaces that as a whole."""

    bucket: str
    document: dict[str, Any]

    @property
    def to_eventbridge(self) -> bool:
        """Say whether EventBridge hears of the bucket's objects, whatever else is set up."""
        return _SWITCH in self.document

    @property
    def others(self) -> tuple[str, ...]:
        """Return the ARNs of whoever else is told."""
        return tuple(
            str(one[arn]) for kind, arn in _DESTINATIONS.items() for one in self.document.get(kind, ())
        )

    def with_eventbridge(self) -> Announcing:
        """Return the same, with EventBridge told besides."""
        return Announcing(self.bucket, {**self.document, _SWITCH: {}})


def read_announcing(client: Any, bucket: str) -> Announcing:  # noqa: ANN401 - boto3's clients have no types
    """Return what a bucket announces.

    Raises:
        ConfigurationError: S3 does not tell, or cannot be asked.

    """
    try:
        answer = client.get_bucket_notification_configuration(Bucket=bucket)
    except ParamValidationError as error:
        raise ConfigurationError(f"{bucket!r} is not a valid name of a bucket.") from error
    except BotoCoreError as error:
        raise ConfigurationError(f"AWS cannot be asked from here: {with_way_out(error)}") from error
    except ClientError as error:
        raise ConfigurationError(
            f"The notifications of the bucket {bucket} cannot be read ({_code(error)}): it takes "
            "s3:GetBucketNotification, which belongs to the bucket's owner."
        ) from error
    return Announcing(bucket, {name: value for name, value in answer.items() if name != "ResponseMetadata"})


def write_announcing(client: Any, wanted: Announcing) -> None:  # noqa: ANN401 - as above
    """Write what a bucket announces, and look whether it stands.

    Raises:
        ConfigurationError: S3 does not take it, or somebody else changed it at the same time.

    """
    try:
        client.put_bucket_notification_configuration(
            Bucket=wanted.bucket,
            NotificationConfiguration=wanted.document,
            # The others stand already; one of them may be gone, which is no reason to refuse this.
            SkipDestinationValidation=True,
        )
    except BotoCoreError as error:
        raise ConfigurationError(
            f"AWS cannot be asked from here: {with_way_out(error)} Whether the notifications of the bucket "
            f"{wanted.bucket} were changed tells another run with --dry-run."
        ) from error
    except ClientError as error:
        raise ConfigurationError(
            f"The notifications of the bucket {wanted.bucket} cannot be changed ({_code(error)}): it takes "
            "s3:PutBucketNotification. Nothing was changed."
        ) from error
    found = read_announcing(client, wanted.bucket)
    if not found.to_eventbridge or set(found.others) != set(wanted.others):
        raise ConfigurationError(
            f"The notifications of the bucket {wanted.bucket} are not what was written: look whether "
            "somebody else changes them, and run this again."
        )


def with_way_out(error: BotoCoreError) -> str:
    """Return what keeps this machine from asking AWS, and what to do where that can be told."""
    said = str(error).rstrip(".")
    return f"{said}: {_WAYS_OUT[type(error)]}" if type(error) in _WAYS_OUT else f"{said}."


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
