"""What an operator's command works on: the queues of one deployment, however it was named."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from beagle import __version__
from beagle.bootstrap.terraform import read_outputs
from beagle.domain.errors import ConfigurationError
from beagle.ports import LetterBox, Outbox
from beagle.providers.aws.announcing import with_way_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from beagle.settings import Settings

_ANSWER_SECONDS = 20.0
_REACH_SECONDS = 2.0
_REGION = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com")


class LocalStack(BaseModel):
    """A stack on the local AWS, as the command that runs it leaves it in a file for the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    process: int
    """Which process runs it."""
    stack: str
    endpoint: str
    region: str
    access_key: str
    """The local AWS's own, which is no secret."""
    uploads_queue: str
    dead_letters_queue: str
    darwin: str
    """The address of the local Darwin."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The queues of a deployment, whoever keeps them, and how they were found."""

    found_by: str
    letter_box: Callable[[], LetterBox]
    """Returns the dead letters."""
    open_uploads: Callable[[], Outbox] | None

    def outbox(self) -> Outbox:
        """Return the queue that replayed messages go to.

        Raises:
            ConfigurationError: Only the dead letters are known.

        """
        if self.open_uploads is None:
            raise ConfigurationError("Not set: BEAGLE_UPLOADS_QUEUE, where replayed messages go.")
        return self.open_uploads()


def find_deployment(
    stack: str, settings: Settings, state_file: Path, *, terraform: Path | None = None
) -> Deployment:
    """
    Return the deployment that is named, else that of the environment, else the local one of a state file.

    A name is a stack's, or a place: Terraform's configuration, or a file of its outputs.

    Raises:
        ConfigurationError: None of them tells, or the one that should cannot.

    """
    if stack and terraform:
        raise ConfigurationError("Which deployment? Name a stack or Terraform's configuration, not both.")
    if terraform:
        return _of_terraform(terraform, settings)
    if stack:
        return _of_stack(stack)
    if settings.dead_letters_queue:
        return _of_environment(settings)
    if state_file.is_file():
        return _of_local_stack(state_file)
    raise ConfigurationError(
        "Which deployment? Name its stack (--stack NAME) or Terraform's folder (--terraform DIR), or set "
        "BEAGLE_DEAD_LETTERS_QUEUE and BEAGLE_UPLOADS_QUEUE, or start a local one (beagle up)."
    )


def _of_stack(name: str) -> Deployment:
    try:
        [stack] = aws_client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        raise ConfigurationError(f"AWS does not show a stack named {name!r} ({code}).") from error
    except BotoCoreError as error:
        raise ConfigurationError(
            f"AWS cannot be asked for the stack {name!r}: {with_way_out(error)}"
        ) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    try:
        return _on_aws(
            f"the stack {name}",
            aws_client("sqs"),
            outputs["DeadLettersQueueUrl"],
            outputs["UploadsQueueUrl"],
        )
    except KeyError as error:
        raise ConfigurationError(
            f"The stack {name!r} is none of Beagle's: it has no output {error}."
        ) from error


def _of_environment(settings: Settings) -> Deployment:
    found_by, letters = "BEAGLE_DEAD_LETTERS_QUEUE", settings.dead_letters_queue
    if letters.startswith("projects/"):
        return _on_google(found_by, settings, letters, settings.uploads_queue)
    if settings.queues or settings.queues_url:
        working = [
            name for name in (settings.uploads_queue, settings.items_queue, settings.videos_queue) if name
        ]
        return _on_azure(found_by, settings, settings.queues_url, letters, settings.uploads_queue, working)
    return _on_aws(found_by, aws_client("sqs"), letters, settings.uploads_queue)


def _of_terraform(place: Path, settings: Settings) -> Deployment:
    outputs: Mapping[str, Any] = read_outputs(place)
    found_by = f"the Terraform configuration {place}"
    if outputs.get("provider") == "gcp":
        letters, uploads = outputs["dead_letters_subscription"], outputs["uploads_topic"]
        return _on_google(found_by, settings, str(letters), str(uploads))
    if outputs.get("provider") == "azure":
        uploads, working = str(outputs["uploads_queue"]), outputs["working_queues"]
        place_of_queues, letters = str(outputs["queues_url"]), str(outputs["dead_letters_queue"])
        return _on_azure(found_by, settings, place_of_queues, letters, uploads, working)
    letters, uploads = str(outputs["dead_letters_queue_url"]), str(outputs["uploads_queue_url"])
    # The configuration names a region, which the environment of a command need not know.
    region = _REGION.match(letters)
    client = aws_client("sqs", **({"region_name": region[1]} if region else {}))
    return _on_aws(found_by, client, letters, uploads)


def _on_google(found_by: str, settings: Settings, letters: str, uploads: str) -> Deployment:
    from beagle.bootstrap.google_operator import letter_box, operators_google, outbox  # noqa: PLC0415 - see aws_client

    google = operators_google(settings)
    return Deployment(
        found_by=found_by,
        letter_box=lambda: letter_box(google, letters),
        open_uploads=(lambda: outbox(google, uploads)) if uploads else None,
    )


def _on_azure(  # noqa: PLR0913, PLR0917 - what an account tells of
    found_by: str, settings: Settings, url: str, letters: str, uploads: str, working: Sequence[str]
) -> Deployment:
    from beagle.bootstrap.azure_operator import letter_box, operators_queues, outbox  # noqa: PLC0415 - see aws_client

    queues = operators_queues(url, settings.queues)
    return Deployment(
        found_by=found_by,
        letter_box=lambda: letter_box(queues, letters, working),
        open_uploads=(lambda: outbox(queues, uploads)) if uploads else None,
    )


def _on_aws(found_by: str, client: Any, letters: str, uploads: str) -> Deployment:  # noqa: ANN401 - boto3's clients are made at run time and have no types of their own
    from beagle.providers.aws.queue import SqsLetterBox, SqsOutbox  # noqa: PLC0415 - see aws_client

    return Deployment(
        found_by=found_by,
        letter_box=lambda: SqsLetterBox(client, letters, __version__),
        open_uploads=(lambda: SqsOutbox(client, uploads)) if uploads else None,
    )


def _of_local_stack(state_file: Path) -> Deployment:
    try:
        local = LocalStack.model_validate_json(state_file.read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigurationError(f"{state_file} does not say which local stack is running.") from error
    address = urlsplit(local.endpoint)
    try:
        socket.create_connection((address.hostname, address.port), _REACH_SECONDS).close()
    except OSError as error:
        raise ConfigurationError(
            f"The local stack of {state_file} is not running any more. Start one (beagle up), or name a "
            "deployment (--stack NAME)."
        ) from error
    return local_deployment(local, f"the local stack of {state_file}")


def local_deployment(local: LocalStack, found_by: str) -> Deployment:
    """Return the deployment of a local stack."""
    client = aws_client(
        "sqs",
        endpoint_url=local.endpoint,
        region_name=local.region,
        aws_access_key_id=local.access_key,
        aws_secret_access_key=local.access_key,
    )
    return _on_aws(found_by, client, local.dead_letters_queue, local.uploads_queue)


def aws_client(service: str, **options: str) -> Any:  # noqa: ANN401 - see _on_aws
    """Return a client of an operator's own credentials and region, patient as a person is.

    Raises:
        ConfigurationError: There are none.

    """
    import boto3  # noqa: PLC0415 - slow: only what talks to AWS imports it
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=_ANSWER_SECONDS,
        read_timeout=_ANSWER_SECONDS,
        retries={"mode": "standard", "max_attempts": 3},
        # The local AWS is on this machine, whatever proxy leads out of it.
        proxies={} if "endpoint_url" in options else None,
    )
    try:
        return boto3.session.Session().client(service, config=config, **options)  # type: ignore[call-overload]  # one call for two services
    except BotoCoreError as error:
        raise ConfigurationError(f"AWS cannot be asked from here: {with_way_out(error)}") from error
