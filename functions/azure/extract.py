"""Extract, on Azure: behind the videos queue."""

from pathlib import Path

import azure.functions as func

from beagle.bootstrap import azure

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # theirs


@blueprint.function_name("extract")
@blueprint.queue_trigger(arg_name="message", queue_name="%BEAGLE_VIDEOS_QUEUE%", connection="BEAGLE_QUEUES")
def extract(message: func.QueueMessage) -> None:
    """Extract one video, or one part of it; raise if the message must come again."""
    azure.extract(Path(__file__).parent).answer(message)
