"""Extract, on Google Cloud: behind the videos topic."""

from pathlib import Path

import functions_framework
from flask import Request

from beagle.bootstrap.gcp import worker


@functions_framework.http
def handler(request: Request) -> tuple[str, int]:
    """Extract one video, or one part of it; the status says whether the message must come again."""
    return worker("extract", Path(__file__).parent).answer(request.headers, request.get_data())
