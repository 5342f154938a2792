"""Prepare, on Google Cloud: behind the uploads topic."""

from pathlib import Path

import functions_framework
from flask import Request

from beagle.bootstrap.gcp import worker


@functions_framework.http
def handler(request: Request) -> tuple[str, int]:
    """Prepare the upload that one message announces; the status says whether the message must come again."""
    return worker("prepare", Path(__file__).parent).answer(request.headers, request.get_data())
