"""Items as V7's pages and darwin-py write them, each a fresh dict that a test may bend."""

from typing import Any

from beagle.emulator import DEFAULT_KEY, EmulatedDarwin, Reply, Request

READ_WRITE = "/api/v2/teams/acme/items/register_existing"
READ_ONLY = "/api/v2/teams/acme/items/register_existing_readonly"
PREFIX = "artifacts/clip"

JSON = dict[str, Any]


class FakeClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def flat(name: str = "1.jpg", path: str = "/cars", **fields: Any) -> JSON:
    """Return one file, one item, read-write."""
    return {"name": name, "path": path, "storage_key": f"{path}/{name}".lstrip("/"), **fields}


def slot(name: str = "front.jpg", slot_name: str | None = None, **fields: Any) -> JSON:
    """Return a read-write slot."""
    return {"slot_name": slot_name or name, "file_name": name, "storage_key": f"cars/{name}", **fields}


def slotted(*slots: JSON, name: str = "pair", **fields: Any) -> JSON:
    """Return several files, one item."""
    return {"name": name, "path": "/", "slots": list(slots), **fields}


def still(name: str = "1.jpg", **fields: Any) -> JSON:
    """Return a read-only image, flat."""
    return {"name": name, "path": "/", **still_fields(name), **fields}


def still_fields(name: str = "1.jpg") -> JSON:
    """Return what a read-only image needs wherever it stands."""
    return {
        "type": "image",
        "storage_key": f"stills/{name}",
        "storage_thumbnail_key": f"artifacts/{name}/thumbnail.jpg",
        "width": 640,
        "height": 360,
    }


def sections(pages: int = 2, **fields: Any) -> JSON:
    """Return a video of one picture a frame."""
    return {
        "type": "video",
        "storage_key": "videos/clip.mp4",
        "storage_thumbnail_key": f"{PREFIX}/thumbnail.jpg",
        "sections": [
            {
                "section_index": index,
                "width": 640,
                "height": 360,
                "storage_hq_key": f"{PREFIX}/hq/{index}.png",
                "storage_lq_key": f"{PREFIX}/lq/{index}.jpg",
            }
            for index in range(1, pages + 1)
        ],
        **fields,
    }


def hls(**fields: Any) -> JSON:
    """Return a video as darwin-py 3.4.3 and later registers it: 4 source frames, 2 of them visible."""
    return {
        "type": "video",
        "slot_name": "clip.mp4",
        "file_name": "clip.mp4",
        "storage_key": "videos/clip.mp4",
        "width": 640,
        "height": 360,
        "native_fps": 30.0,
        "visible_frames": 2,
        "total_frames": 4,
        "hls_segments": {
            "high_quality": {"index": playlist("high"), "bitrate": 150000.5},
            "low_quality": {"index": playlist("low"), "bitrate": None},
        },
        "storage_sections_key_prefix": f"{PREFIX}/sections/high",
        "storage_sections_key_extension": "png",
        "storage_low_quality_sections_key_prefix": f"{PREFIX}/sections/low",
        "storage_frames_manifest_key": f"{PREFIX}/frames_manifest.txt",
        "storage_thumbnail_key": f"{PREFIX}/thumbnail.jpg",
        "storage_audio_peaks_key": f"{PREFIX}/audio_peaks.gz",
        "size_bytes": 1234,
        **fields,
    }


def playlist(quality: str) -> str:
    """Return a playlist whose one segment is a storage key."""
    return (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2.000000,\n"
        f"{PREFIX}/segments/{quality}/000000000.ts\n#EXT-X-ENDLIST\n"
    )


def artifacts() -> dict[str, bytes]:
    """Return every object that `hls()` speaks of, in order."""
    return {
        "videos/clip.mp4": b"mp4",
        f"{PREFIX}/thumbnail.jpg": b"\xff\xd8\xffjpeg",
        f"{PREFIX}/frames_manifest.txt": b"0:0:1:0.0\n1:0:0:0.0333\n2:0:1:0.0667\n3:0:0:0.1",
        f"{PREFIX}/audio_peaks.gz": b"\x1f\x8bpeaks",
        f"{PREFIX}/segments/high/000000000.ts": b"ts",
        f"{PREFIX}/segments/low/000000000.ts": b"ts",
        **{f"{PREFIX}/sections/high/{n:09d}.png": b"png" for n in range(2)},
        **{f"{PREFIX}/sections/low/{n:09d}.jpg": b"jpg" for n in range(2)},
    }


def body(*items: JSON, read_only: bool = False, **fields: Any) -> JSON:
    """Return the request around items."""
    storage = "acme-archive" if read_only else "acme-uploads"
    return {"items": list(items), "dataset_slug": "incoming", "storage_slug": storage, **fields}


def post(darwin: EmulatedDarwin, *items: JSON, read_only: bool = False, **fields: Any) -> Reply:
    """Register items in process."""
    target = READ_ONLY if read_only else READ_WRITE
    payload = body(*items, read_only=read_only, **fields)
    return darwin.handle(Request.to("POST", target, key=DEFAULT_KEY, payload=payload))


def call(
    darwin: EmulatedDarwin, method: str, target: str, payload: object = None, key: str = DEFAULT_KEY
) -> Reply:
    """Call any other endpoint in process; `target` begins below `/api/`."""
    return darwin.handle(Request.to(method, f"/api/{target}", key=key, payload=payload))


def reasons(reply: Reply) -> dict[str, list[str]]:
    """Return the reasons in a reply, slot by slot, by item name."""
    return {item["name"]: [s["reason"] for s in item["slots"]] for item in reply.json()["blocked_items"]}


def accepted(reply: Reply) -> list[str]:
    """Return the names in a reply's `items`."""
    return [item["name"] for item in reply.json()["items"]]
