"""What one object asks of a provider, and how long that takes.

Requests and bytes are counted on the real stages against a local AWS; `tests/unit/costs/test_counted.py`
counts them again. Seconds come from this project's benchmarks (two cores of an x86 server) and are taken to
hold on the providers' processors. What no benchmark here can tell is an assumption, and says so.
"""

from __future__ import annotations

# --- counted: requests -------------------------------------------------------------------------------

LEDGER_WRITES = 2
"""An item: the intent before Darwin is asked, the outcome after."""
IMAGE_READS = 2
"""A read-only image: its metadata, and its header, besides its blocks."""
BLOCK_MB = 4 * 1024 * 1024 / 1e6
"""What one further read of an image fetches."""
IMAGE_WRITES = 1
"""The thumbnail."""
DICOM_READS = 4
"""A slice of half a megabyte: its metadata, and three looks into it."""
DICOM_WRITES = 2
"""The slice as PNG, and the thumbnail."""
VIDEO_READS = 2
"""An invocation of extract: the video's metadata, and all of it."""
WRITES_A_FRAME = 2
"""The frame, and its preview."""
WRITES_A_SEGMENT = 2
"""A high and a low one."""
WRITES_A_VIDEO = 5
"""Two playlists, the frames manifest, the thumbnail, the audio peaks."""
PART_WRITES = 3
"""A part of a long video: its result, and a list of those that are there before and after it."""

# --- counted: bytes ----------------------------------------------------------------------------------

LEDGER_BYTES = 600
"""An entry of the ledger, with room for longer keys than those of the tests."""
LOG_BYTES = 450
"""The line of an object that left a stage, likewise."""
LOG_BYTES_AN_INVOCATION = 1_000
"""The line of metrics; and what the platform itself writes, which is assumed."""
MESSAGE_BYTES = 1_000
"""A notification or an item in a queue, likewise; also the least that Pub/Sub bills."""
MESSAGE_BYTES_A_SEGMENT = 95
"""What each segment adds to a video's item."""

# --- measured: megabytes -----------------------------------------------------------------------------

THUMBNAIL_MB = 0.009
DICOM_MB, DICOM_PNG_MB = 0.5, 0.15
"""A slice of 512 x 512, sixteen bits; and its PNG."""
PNG_MB_A_MEGAPIXEL = 2.22 / 2.0736
JPEG_MB_A_MEGAPIXEL = 0.108 / 2.0736
"""Of quality 5, as previews have; taken for primary frames of every quality."""
SEGMENT_MB_A_MEGAPIXEL_SECOND = 0.615 / 2.0736
"""High and low together."""

# --- measured: processor seconds ---------------------------------------------------------------------

PREPARE_SECONDS, REGISTER_SECONDS = 1 / 8_500, 1 / 4_600
IMAGE_SECONDS_A_MB = 0.009
"""JPEG 0.006 to 0.007, PNG 0.009."""
DICOM_SECONDS = 0.022

# --- assumed -----------------------------------------------------------------------------------------

STORE_SECONDS = 0.030
"""One request to the object store."""
QUEUE_SECONDS = 0.015
DARWIN_SECONDS = 0.5
"""One registration request, whatever it carries."""
GATHER_SECONDS = 1.0
"""That a message waits for others where register gathers them; a setting."""
LEDGER_AT_ONCE = 16
"""Ledger entries that are written side by side."""
MB_A_SECOND = 75.0
"""Between one instance and the object store, each way."""
COLD_STARTS_A_MONTH = 1_460
"""Of register: each fetches the secret. Two instances, anew every hour."""
