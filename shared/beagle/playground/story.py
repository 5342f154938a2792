"""What the demo uploads, and the routes before and after its one correction."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from beagle.playground.pictures import draw_ship, encode
from beagle.playground.scene import ARCHIVE, BUCKET, DATASET, STORAGE

ARCHIVE_FOLDER = "archive"
"""What lies below it is on read-only storage."""
COLLISION = "on_name_collision: dead_letter"
CORRECTION = "on_name_collision: new_name"

ROUTES = f"""\
team: acme
routes:
  - name: cameras        # every camera counts its pictures from 1
    watch: {{bucket: {BUCKET}, prefix: cameras/}}
    dataset: {DATASET}
    storage: {STORAGE}
    path: /cameras
    {COLLISION}
  - name: archive        # Darwin only reads here: what it would derive is made on the way
    watch: {{bucket: {BUCKET}, prefix: {ARCHIVE_FOLDER}/}}
    dataset: {DATASET}
    storage: {ARCHIVE}
    access: read_only
    path: /{ARCHIVE_FOLDER}
  - name: everything-else
    watch: {{bucket: {BUCKET}}}
    dataset: {DATASET}
    storage: {STORAGE}
"""
CORRECTED_ROUTES = ROUTES.replace(COLLISION, CORRECTION)


@dataclass(frozen=True, slots=True)
class Upload:
    """One real file, and why it is in the demo."""

    key: str
    about: str
    data: bytes


def read_uploads() -> tuple[list[Upload], Upload]:
    """Return the files, and the one of them that stands in Darwin before Beagle sees it."""
    # The wheel's own file: get_testdata_file() would download what it does not find.
    import pydicom  # noqa: PLC0415 - slow, and only for its folder

    scan = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"
    film = files("beagle.playground").joinpath("files", "passing-ship.mp4").read_bytes()
    known = Upload("harbour/pilot.jpg", "stands in Darwin already", encode(draw_ship("night"), "JPEG"))
    on_its_side = encode(draw_ship("noon", at=0.6), "JPEG", on_its_side=True)
    return [
        Upload("cameras/north/0001.jpg", "a JPEG", encode(draw_ship("dawn", at=0.35), "JPEG")),
        Upload("logs/north side + south.png", "a PNG: spaces and a plus", encode(draw_ship("noon"), "PNG")),
        Upload("clips/passing-ship.mp4", "an MP4", film),
        Upload("charts/channel.pdf", "a PDF", encode(draw_ship("dusk"), "PDF")),
        Upload("clinic/CT_small.dcm", "a DICOM", scan.read_bytes()),
        Upload(f"{ARCHIVE_FOLDER}/cutter.jpg", "read-only: a JPEG, stored on its side", on_its_side),
        Upload(f"{ARCHIVE_FOLDER}/passing-ship.mp4", "read-only: an MP4, every frame extracted", film),
        Upload("notes/readme.txt", "text, which Darwin does not take", b"Fair wind from the south-west.\n"),
        Upload("cameras/south/0001.jpg", "the first one's name", encode(draw_ship("dusk", at=0.7), "JPEG")),
        known,
    ], known
