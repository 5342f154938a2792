"""Prepare, on Azure: behind the uploads queue."""

from pathlib import Path

import azure.functions as func

from beagle.bootstrap import azure

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # theirs


@blueprint.function_name("prepare")
@blueprint.queue_trigger(arg_name="message", queue_name="%BEAGLE_UPLOADS_QUEUE%", connection="BEAGLE_QUEUES")
def prepare(message: func.QueueMessage) -> None:
    """Prepare the upload that one message announces; raise if the message must come again."""
    azure.prepare(Path(__file__).parent).answer(message)
