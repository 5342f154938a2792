"""Register, on Google Cloud: behind the items topic."""

from pathlib import Path

import functions_framework
from flask import Request

from beagle.bootstrap.gcp import worker


@functions_framework.http
def handler(request: Request) -> tuple[str, int]:
    """Register one item, together with what else is waiting; the status says whether it must come again."""
    return worker("register", Path(__file__).parent).answer(request.headers, request.get_data())
