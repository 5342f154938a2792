"""Extract, on AWS: behind the videos queue."""

from pathlib import Path
from typing import Any

from beagle.bootstrap.aws import worker
from beagle.providers.aws.worker import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Extract the videos of one batch; name the messages that must come again."""
    return worker("extract", Path(__file__).parent).answer(event, context)
