"""The levers under `/_admin`, and the page's headers."""

from io import BytesIO
from typing import Any

import pillow_heif
import pytest
import requests
from PIL import Image

from beagle.emulator import DEFAULT_KEY, EmulatedDarwin, Hooks, Server, serve
from beagle.emulator.pictures import OPAQUE, THUMBNAIL, media_type
from emulator.samples import PREFIX, READ_WRITE, artifacts, body, flat, hls, post, sections, slotted, still


def pull(
    server: Server, method: str, lever: str, payload: object = None, **headers: str
) -> requests.Response:
    """Pull a lever as curl would."""
    return requests.request(method, f"{server.url}/_admin/{lever}", json=payload, headers=headers, timeout=5)


def test_faults_are_scripted_over_http(server: Server, darwin: EmulatedDarwin) -> None:
    """One or several, listed until they have happened, cleared on demand."""
    one = pull(server, "POST", "faults", {"kind": "status", "status": 503, "retry_after": "2"})
    assert one.json()["faults"][0]["status"] == 503
    assert post(darwin, flat()).status == 503
    assert pull(server, "GET", "faults").json() == {"faults": []}

    pull(server, "POST", "faults", [{"kind": "empty", "count": None}, {"kind": "reordered"}])
    assert len(darwin.pending_faults()) == 2
    pull(server, "DELETE", "faults")
    assert darwin.pending_faults() == []


@pytest.mark.parametrize(
    "fault",
    [{}, {"kind": "flood"}, {"kind": "empty", "color": 1}, {"kind": "hang", "seconds": 9999}, [], "x"],
)
def test_a_fault_that_is_not_understood_is_refused(
    server: Server, darwin: EmulatedDarwin, fault: Any
) -> None:
    """A script with a typing mistake would test nothing."""
    assert pull(server, "POST", "faults", fault).status_code == (200 if fault == [] else 422)
    assert darwin.pending_faults() == []


def test_items_are_seeded_and_removed_over_http(server: Server, darwin: EmulatedDarwin) -> None:
    """As if someone else had been there."""
    seeded = pull(server, "POST", "items", {"dataset": "incoming", "path": "cars", "name": "1.jpg"})
    assert seeded.status_code == 201
    assert darwin.items()[0].path == "/cars"
    post(darwin, flat("2.jpg"), flat("3.jpg"))

    assert pull(server, "DELETE", "items", {"item_ids": [seeded.json()["id"]]}).json() == {"removed": 1}
    assert pull(server, "DELETE", "items", {"path": "/cars", "name": "2.jpg"}).json() == {"removed": 1}
    assert pull(server, "DELETE", "items").json() == {"removed": 1}
    assert pull(server, "POST", "items", {"dataset": "nowhere", "name": "x"}).status_code == 404


def test_datasets_storages_keys_and_tags_are_added_over_http(server: Server, darwin: EmulatedDarwin) -> None:
    """Enough to set any stage from a shell."""
    assert pull(server, "POST", "datasets", {"name": "Road Scenes"}).json()["slug"] == "road-scenes"
    storage = {"name": "lake", "provider": "azure", "bucket": "c", "prefix": "c/x", "readonly": True}
    assert pull(server, "POST", "storages", storage).status_code == 201
    key = pull(server, "POST", "keys", {"permissions": ["View datasets"]}).json()["key"]
    assert pull(server, "POST", "tags", {"name": "night"}).status_code == 201
    assert pull(server, "POST", "storages", {"name": "x", "provider": "ftp"}).status_code == 422

    headers = {"Authorization": f"ApiKey {key}"}
    assert requests.get(f"{server.url}/api/datasets", headers=headers, timeout=5).status_code == 200
    assert (
        requests.post(server.url + READ_WRITE, headers=headers, json=body(flat()), timeout=5).status_code
        == 401
    )
    assert len(key) == 40
    tagged = still(tags=["night"])
    assert post(darwin, tagged, read_only=True, dataset_slug="road-scenes", storage_slug="lake").status == 200


def test_the_state_tells_what_changed_since(server: Server, darwin: EmulatedDarwin) -> None:
    """First everything, then the news; a removal starts it anew."""

    def state(since: int, epoch: int) -> Any:
        return pull(server, "GET", f"state?since={since}&epoch={epoch}").json()

    post(darwin, flat("1.jpg"), flat("2.jpg"))
    first = state(0, 0)
    assert [item["name"] for item in first["items"]] == ["1.jpg", "2.jpg"]
    assert first["datasets"][0]["items"] == 2

    post(darwin, flat("2.jpg"), flat("3.jpg"))
    news = state(first["revision"], first["epoch"])
    assert [item["name"] for item in news["items"]] == ["3.jpg"]
    assert [row["reasons"] for row in news["blocked"]] == [["ALREADY_EXISTS"]]
    assert [row["blocked"] for row in news["requests"]] == [1]

    again = state(news["revision"], news["epoch"])
    assert (again["items"], again["requests"], again["fresh"]) == ([], [], False)

    darwin.remove_item(darwin.items()[0].id)
    anew = state(news["revision"], news["epoch"])
    assert anew["fresh"] is True
    assert [item["name"] for item in anew["items"]] == ["2.jpg", "3.jpg"]


def test_a_long_state_comes_in_pieces(darwin: EmulatedDarwin, server: Server) -> None:
    """No piece is large, and none is missing."""
    for start in range(0, 1200, 400):
        post(darwin, *(flat(f"{n}.jpg") for n in range(start, start + 400)))
    seen: list[str] = []
    since = epoch = 0
    more = True
    while more:
        piece = pull(server, "GET", f"state?since={since}&epoch={epoch}").json()
        assert len(piece["items"]) <= 500
        seen += [item["name"] for item in piece["items"]]
        since, epoch, more = piece["revision"], piece["epoch"], piece["more"]

    assert seen == [f"{n}.jpg" for n in range(1200)]


def test_resetting_keeps_the_stage(server: Server, darwin: EmulatedDarwin) -> None:
    """Items, requests and faults go; datasets, storages and keys stay."""
    post(darwin, flat())
    pull(server, "POST", "faults", {"kind": "empty"})
    pull(server, "POST", "reset")

    assert (darwin.items(), darwin.requests(), darwin.pending_faults()) == ([], [], [])
    assert post(darwin, flat()).status == 200


def test_another_sites_page_cannot_pull_levers(server: Server, darwin: EmulatedDarwin) -> None:
    """Browsers say where a request comes from; our own page is welcome."""
    darwin.seed_item("incoming", "/", "1.jpg")

    assert pull(server, "POST", "reset", Origin="https://elsewhere.example").status_code == 403
    assert len(darwin.items()) == 1
    assert pull(server, "POST", "reset", Origin=server.url).status_code == 200


def test_the_page_runs_only_its_own_script(server: Server) -> None:
    """Object names come from anyone: the policy forbids what they might smuggle in."""
    page = requests.get(server.url, timeout=5)

    assert "<title>Darwin (emulated)</title>" in page.text
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    for asset in ("page.js", "player.js", "page.css", "icon.svg"):
        assert requests.get(f"{server.url}/_page/{asset}", timeout=5).status_code == 200


def test_thumbnails_are_pictures_or_nothing() -> None:
    """An uploaded page that calls itself a picture is not served as one, nor as a page."""
    objects = {"cars/1.jpg": THUMBNAIL, "cars/2.jpg": b"<script>alert(1)</script>"}
    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=lambda _, key: objects.get(key)))
    with serve(darwin) as server:
        headers = {"Authorization": f"ApiKey {DEFAULT_KEY}"}
        requests.post(
            server.url + READ_WRITE,
            json=body(flat("1.jpg"), flat("2.jpg"), flat("3.jpg")),
            headers=headers,
            timeout=5,
        )
        replies = [pull(server, "GET", f"items/{item.id}/thumbnail") for item in darwin.items()]

    assert [reply.status_code for reply in replies] == [200, 204, 204]
    assert (replies[0].content, replies[0].headers["Content-Type"]) == (THUMBNAIL, "image/jpeg")


@pytest.mark.parametrize(
    "kind", ["image/jpeg", "image/png", "image/gif", "image/bmp", "image/webp", "image/avif", "image/heic"]
)
def test_a_picture_is_told_by_its_first_bytes(kind: str) -> None:
    """Of each kind that one browser or another shows; a film in the same container as HEIC is none."""
    pillow_heif.register_heif_opener()
    file = BytesIO()
    Image.new("RGB", (64, 64)).save(file, "HEIF" if kind == "image/heic" else kind.removeprefix("image/"))

    assert media_type(file.getvalue()) == kind
    assert media_type(b"\0\0\0\x18ftypmp42" + bytes(99)) == OPAQUE


def test_one_item_is_told_in_full(server: Server, darwin: EmulatedDarwin) -> None:
    """With the storage keys that Darwin's own lists keep to themselves."""
    post(darwin, flat())
    item = pull(server, "GET", f"items/{darwin.items()[0].id}").json()

    assert item["slots"][0]["storage_key"] == "cars/1.jpg"
    assert pull(server, "GET", "items/nobody").status_code == 404
    assert pull(server, "GET", "nothing").status_code == 404


def test_frames_are_found_by_number_in_both_shapes() -> None:
    """And the times of the visible ones, by the manifest; what is not there is nothing, and no error."""
    objects = artifacts()
    objects |= {f"{PREFIX}/{key}": THUMBNAIL for key in ("sections/high/000000001.png", "hq/2.png")}
    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=lambda _, key: objects.get(key)))
    post(darwin, slotted(hls(), name="hls"), sections(name="sections", path="/"), read_only=True)
    film, pages = (f"items/{item.id}/slots/0" for item in darwin.items())
    with serve(darwin) as server:

        def seen(lever: str) -> tuple[int, str | None]:
            reply = pull(server, "GET", lever)
            return reply.status_code, reply.headers.get("Content-Type")

        assert [seen(f"{place}/frames/1") for place in (film, pages)] == [(200, "image/jpeg")] * 2
        assert seen(f"{film}/frames/7")[0] == seen(f"{pages}/frames/2")[0] == 204
        assert pull(server, "GET", f"{film}/times").json() == {"times": [0.0, 0.0667]}
        assert seen(f"{pages}/times")[0] == 204
        details = [pull(server, "GET", f"items/{item.id}").json() for item in darwin.items()]
        assert [detail["slots"][0]["frames"] for detail in details] == [2, 2]
        for lever in ("frames", "frames/-1", "frames/x", f"frames/{'9' * 30}", "manifest", "times/1"):
            assert seen(f"{film}/{lever}")[0] == 404, lever
        for place in ("slots/1/original", "slots/x/original", "slots"):
            assert seen(f"{film.removesuffix('slots/0')}{place}")[0] == 404, place


@pytest.mark.parametrize("manifest", [b"", b"0:0:1", b"0:0:1:nan", b"\xff", b"0:0:1:soon"])
def test_a_manifest_that_cannot_be_read_tells_no_times(manifest: bytes) -> None:
    """The page then plays at a pace of its own."""
    objects = artifacts() | {f"{PREFIX}/frames_manifest.txt": manifest}
    darwin = EmulatedDarwin.with_defaults(hooks=Hooks(open_object=lambda _, key: objects.get(key)))
    post(darwin, slotted(hls()), read_only=True)
    with serve(darwin) as server:
        assert pull(server, "GET", f"items/{darwin.items()[0].id}/slots/0/times").status_code == 204
