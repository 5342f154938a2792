"""The constants of the cost model are what the real stages ask of a local AWS."""

from __future__ import annotations

import io
import json
import math
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from beagle.costs import measured
from beagle.costs.deployments import DEPLOYMENTS
from beagle.costs.films import plan_film
from beagle.costs.timing import image_reads
from beagle.costs.workload import Clip, Workload
from beagle.media.video.ffmpeg import find_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.counted import Deployment, Ran

    Deploy = Callable[..., Deployment]

AWS = DEPLOYMENTS["aws"]


def photo(side: int) -> bytes:
    """Return a JPEG that does not compress: three megabytes are a side of 1,700."""
    noise = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=80)
    return file.getvalue()


def ct_slice() -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    file = Dataset()
    file.file_meta = meta
    file.SOPClassUID, file.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    file.Rows = file.Columns = 512
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.PixelData = np.random.default_rng(1).integers(0, 4096, (512, 512), dtype=np.uint16).tobytes()
    data = io.BytesIO()
    file.save_as(data, enforce_file_format=True)
    return data.getvalue()


def film(path: Path, seconds: int) -> bytes:
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=160x90:r=10:d={seconds}")
    sound = ("-f", "lavfi", "-i", f"sine=f=330:d={seconds}")
    coded = ("-preset", "veryfast", "-g", "50")
    subprocess.run([find_ffmpeg().path, "-v", "error", *picture, *sound, *coded, path], check=True)
    return path.read_bytes()


def assert_logged_as_told(ran: Ran, objects: int, invocations: int, measured_names: set[str]) -> None:
    metrics = [line for line in ran.logged if "_aws" in line]
    lines = [line for line in ran.logged if "_aws" not in line]
    names = {
        metric["Name"]
        for line in metrics
        for group in json.loads(line)["_aws"]["CloudWatchMetrics"]
        for metric in group["Metrics"]
    }
    assert (len(lines), len(metrics), names) == (objects, invocations, measured_names)
    assert sum(map(len, lines)) <= objects * measured.LOG_BYTES
    assert sum(map(len, metrics)) <= invocations * measured.LOG_BYTES_AN_INVOCATION


def test_a_read_write_item_is_two_writes_of_the_ledger_and_nothing_else(deployed: Deploy) -> None:
    """
    Prepare reads nothing and sends ten at a time; register writes twice an item and fetches the key once.
    """
    deployment = deployed("read_write")
    announced = deployment.upload({f"rw/{number}.jpg": b"any" for number in range(20)})
    prepared = deployment.run("prepare", announced, at_once=AWS.prepare.batch)
    items = prepared.passed_on["items"]
    registered = deployment.run("register", items, at_once=AWS.register.batch)

    assert prepared.requests == {"SendMessageBatch": 20 / AWS.send_batch}
    assert registered.requests == {"put state": 20 * measured.LEDGER_WRITES, "GetSecretValue": 1}
    assert max(map(len, [*announced, *items])) <= measured.MESSAGE_BYTES
    assert max(deployment.sizes("ledger/")) <= measured.LEDGER_BYTES
    assert_logged_as_told(prepared, 20, 2, {"passed_on"})
    assert_logged_as_told(registered, 20, 1, {"registered", "throttled_percent"})
    assert AWS.metrics[0] == 3


@pytest.mark.parametrize("side", [400, 2400], ids=["one block", "two blocks"])
def test_a_read_only_image_is_read_by_blocks_and_gets_a_thumbnail(deployed: Deploy, side: int) -> None:
    deployment, data = deployed("read_only"), photo(side)
    announced = deployment.upload({f"ro/{side}-{number}.jpg": data for number in range(2)})
    prepared = deployment.run("prepare", announced, at_once=10)

    assert prepared.requests == {
        "get upload": 2 * image_reads(Workload(image_mb=len(data) / 1e6)),
        "put artifact": 2 * measured.IMAGE_WRITES,
        "SendMessageBatch": 1,
    }


def test_a_converted_slice_is_read_at_once_and_gets_a_picture_and_a_thumbnail(
    deployed: Deploy, tmp_path: Path
) -> None:
    (tmp_path / "routes.yaml").write_text(
        "team: acme\nroutes:\n  - watch: {bucket: count-uploads}\n    dataset: incoming\n"
        "    storage: acme-archive\n    access: read_only\n    dicom: {convert: true}\n"
    )
    deployment, data = deployed("read_only"), ct_slice()
    prepared = deployment.run("prepare", deployment.upload({"ro/slice.dcm": data}), at_once=10)

    assert len(data) / 1e6 == pytest.approx(measured.DICOM_MB, rel=0.1)
    assert prepared.requests == {
        "get upload": measured.DICOM_READS,
        "put artifact": measured.DICOM_WRITES,
        "SendMessageBatch": 1,
    }


def test_a_video_is_read_once_and_every_frame_and_segment_is_written(
    deployed: Deploy, tmp_path: Path
) -> None:
    """
    As many artifacts as the plan of the same clip says.
    """
    data = film(tmp_path / "whole.mp4", 3)
    deployment = deployed("read_only")
    prepared = deployment.run("prepare", deployment.upload({"ro/whole.mp4": data}), at_once=10)
    extracted = deployment.run("extract", prepared.passed_on["videos"], at_once=AWS.extract.batch)

    plan = plan_film(Clip(seconds=3, mb=1, width=160, height=90, rate=10), AWS)
    assert plan.parts == 1
    assert prepared.requests == {"SendMessageBatch": 1}
    assert extracted.requests == {
        "get upload": plan.invocations * measured.VIDEO_READS,
        "put artifact": plan.writes,
        "get state": 1,
        "SendMessageBatch": 1,
    }
    [item] = extracted.passed_on["items"]
    assert len(item) <= measured.MESSAGE_BYTES + 2 * plan.segments * measured.MESSAGE_BYTES_A_SEGMENT + 600
    assert_logged_as_told(extracted, 1, 1, {"passed_on"})
    assert AWS.metrics[1] == 4


def test_the_parts_of_a_video_leave_their_results_in_the_state_bucket(
    deployed: Deploy, tmp_path: Path
) -> None:
    """
    The video is read to be cut, and by each part; each writes one result.

    Each part looks twice at what the others left: one after the other, they read as many results as the
    square of their number.
    """
    data = film(tmp_path / "long.mp4", 4)
    deployment = deployed("read_only", BEAGLE_INVOCATION_SECONDS="0.05")
    prepared = deployment.run("prepare", deployment.upload({"ro/long.mp4": data}), at_once=10)
    cut = deployment.run("extract", prepared.passed_on["videos"], at_once=1)
    parts = cut.passed_on["videos"]
    made = deployment.run("extract", parts, at_once=1)

    plan = plan_film(Clip(seconds=4, mb=1, width=160, height=90, rate=10), AWS)
    assert len(parts) > 1
    assert cut.requests == {
        "get upload": measured.VIDEO_READS,
        "get state": 1,
        "SendMessageBatch": math.ceil(len(parts) / AWS.send_batch),
    }
    state = Counter({name: made.requests[name] for name in ("put state", "list state")})
    assert state.total() == len(parts) * measured.PART_WRITES
    assert made.requests["get state"] == len(parts) ** 2
    assert made.requests["get upload"] == len(parts) * measured.VIDEO_READS
    assert made.requests["put artifact"] == plan.writes
    assert len(made.passed_on["items"]) == 1
