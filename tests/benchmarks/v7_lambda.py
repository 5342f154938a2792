"""
What V7's published S3 Lambda does, in our own words, as the peer to measure against.

One request for each object; the first record of an event only; the key as it came, not decoded; everything
at the root; no look at the answer, so nothing is tried again and nothing refused is noticed.
https://github.com/v7labs/cookbook-examples (importing/external_storage)
"""

from typing import Any

import requests


def handler(event: dict[str, Any], url: str, team: str, dataset: str, storage: str, key: str) -> None:  # noqa: PLR0913, PLR0917 - it has them as constants
    """Register the object of an S3 event."""
    storage_key = event["Records"][0]["s3"]["object"]["key"]
    item = {"path": "/", "storage_key": storage_key, "name": storage_key.split("/")[-1]}
    requests.post(  # noqa: S113 - it has no time limit
        f"{url}/api/v2/teams/{team}/items/register_existing",
        headers={"Content-Type": "application/json", "Authorization": f"ApiKey {key}"},
        json={"items": [item], "dataset_slug": dataset, "storage_slug": storage},
    )
