"""Run by darwin-py's own environment: log in, find dataset and storage, register, list; print what came back.

Reads a list of `register` calls from standard input, and answers in JSON on the last line of standard output.
"""

import contextlib
import json
import sys

from darwin.client import Client
from darwin.exceptions import InvalidLogin


def main() -> None:
    """Do on behalf of the test what a user of V7's SDK does."""
    plan = json.load(sys.stdin)
    answer = {"runs": []}
    # The SDK reports its progress on standard output.
    with contextlib.redirect_stdout(sys.stderr):
        client = Client.from_api_key(plan["key"])
        dataset = client.get_remote_dataset(f"{plan['team']}/{plan['dataset']}")
        answer["dataset"] = {"id": dataset.dataset_id, "name": dataset.name, "team": client.default_team}
        stores = client.list_external_storage_connections(plan["team"])
        answer["storages"] = [[store.name, store.prefix, store.readonly, store.region] for store in stores]
        answer["features"] = [feature.name for feature in client.get_team_features(plan["team"])]
        store = client.get_external_storage(plan["team"], plan["storage"])
        for call in plan["calls"]:
            try:
                answer["runs"].append(dataset.register(store, **call))
            except Exception as error:  # noqa: BLE001 - the class is the answer
                answer["runs"].append(type(error).__name__)
        answer["listed"] = [[item.full_path, item.status, item.id] for item in dataset.fetch_remote_files()]
        try:
            Client.from_api_key("WRONGKE." + "0" * 32)
        except InvalidLogin as error:
            answer["wrong_key"] = type(error).__name__
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
