"""Register, on Azure: behind the items queue."""

from pathlib import Path

import azure.functions as func

from beagle.bootstrap import azure

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # theirs


@blueprint.function_name("register")
@blueprint.queue_trigger(arg_name="message", queue_name="%BEAGLE_ITEMS_QUEUE%", connection="BEAGLE_QUEUES")
async def register(message: func.QueueMessage) -> None:
    """Register one item, together with what else is waiting; raise if it must come again."""
    await azure.register(Path(__file__).parent).answer(message)
