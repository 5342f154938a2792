"""Looks at a file without decoding it, and refuses what asks for too much.

The wheel that brings ffmpeg brings no ffprobe. ffmpeg itself tells all that is needed in one pass that only
unpacks the container: its description of the streams, every packet's time (framecrc), and the exact frame
rate (the head of a Matroska file into which the stream is copied).
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from beagle.domain.errors import MediaTooLargeError, UnreadableMediaError, UnsupportedMediaError
from beagle.media import sandbox
from beagle.media.video.facts import Facts, Header, Packets, exact_rate
from beagle.media.video.ffmpeg import AUDIO_CODECS, VIDEO_CODECS, may_decode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from beagle.media.stream import Stream
    from beagle.media.video.ffmpeg import Bounds, Ffmpeg
    from beagle.ports import Deadline

_HEAD = 1 << 16


def probe(path: Path, ffmpeg: Ffmpeg, deadline: Deadline) -> Facts:
    """Return what is known of a video before it is decoded.

    Raises:
        UnreadableMediaError: It is no video file, or a damaged one, or one that leads to other files.
        UnsupportedMediaError: There is no picture in it, or a kind that is not decoded here.
        MediaTooLargeError: Its header asks for more than the bounds allow.

    """
    header, packets, head = Header(), Packets(), bytearray()

    def list_packets(stream: Stream) -> None:
        for line in stream.lines():
            packets.read(line)
            _bound_packets(packets, ffmpeg.bounds)

    def keep_head(stream: Stream) -> None:
        while data := stream.read(_HEAD):
            head.extend(data[: _HEAD - len(head)])

    def command(file: int, pipes: Sequence[str]) -> list[str]:
        copy = ("-map", "0:V:0", "-c", "copy", "-map_metadata", "-1")
        matroska = ("-f", "matroska", "-allow_raw_vfw", "1")
        return [
            *ffmpeg.reading(file),
            *(*copy, "-f", "framecrc", pipes[0]),
            *(*copy, "-frames:v", "1", "-bsf:v", "setts=ts=N", *matroska, pipes[1]),
        ]

    ending = sandbox.run(
        command,
        path,
        [list_packets, keep_head],
        deadline=deadline,
        limits=ffmpeg.limits,
        on_line=header.read,
    )
    _judge(header, ending, ffmpeg.bounds)
    if not packets.width:
        _bound_packets(_claimed(path, ffmpeg, deadline), ffmpeg.bounds)
    return _conclude(header, packets, bytes(head), ending, ffmpeg.bounds)


def _claimed(path: Path, ffmpeg: Ffmpeg, deadline: Deadline) -> Packets:
    """Return what the container alone says, for a stream whose size ffmpeg refused to take over."""
    packets = Packets()

    def list_packets(stream: Stream) -> None:
        for line in stream.lines():
            packets.read(line)

    def command(file: int, pipes: Sequence[str]) -> list[str]:
        first = ("-map", "0:V:0", "-c", "copy", "-frames:v", "1", "-f", "framecrc", pipes[0])
        return [*ffmpeg.reading(file, "-nofind_stream_info"), *first]

    sandbox.run(command, path, [list_packets], deadline=deadline, limits=ffmpeg.limits)
    return packets


def _bound_packets(packets: Packets, bounds: Bounds) -> None:
    if len(packets.times) > bounds.frames:
        raise MediaTooLargeError(f"The video has more than {bounds.frames} frames.", frames=bounds.frames)
    if packets.width * packets.height > bounds.pixels:
        raise MediaTooLargeError(
            f"The video's frames would have {packets.width}x{packets.height} pixels.",
            width=packets.width,
            height=packets.height,
        )


def _judge(header: Header, ending: sandbox.Ending, bounds: Bounds) -> None:
    if not header.opened:
        try:
            ending.require_success()
        except UnreadableMediaError as error:
            raise UnreadableMediaError(
                "It is damaged, or in none of the containers that are read here (MP4, MOV, Matroska, WebM, "
                f"AVI, WMV, raw HEVC). ffmpeg says: {ending.said or 'nothing'}",
                status=ending.status,
            ) from error
        raise UnreadableMediaError("ffmpeg recognised no video in the file.")
    if header.streams > bounds.streams:
        raise MediaTooLargeError(f"The file has {header.streams} streams.", streams=header.streams)
    if not header.video_codec:
        raise UnsupportedMediaError("There is no picture in the file, so there are no frames.")
    if not may_decode(header.video_codec, VIDEO_CODECS):
        raise UnsupportedMediaError(
            f"Video of the kind {header.video_codec} is not decoded here.", codec=header.video_codec
        )


def _conclude(header: Header, packets: Packets, head: bytes, ending: sandbox.Ending, bounds: Bounds) -> Facts:
    if not packets.times or not packets.width:
        ending.require_success()
        raise UnreadableMediaError("The video has no frames.")
    times = array("q", sorted(packets.times))
    shown = float((times[-1] - times[0]) * packets.time_base)
    if shown > bounds.seconds:
        raise MediaTooLargeError(f"The video would last {shown:.0f} seconds.", seconds=shown)
    rate = exact_rate(head, packets)
    length = float(packets.length * packets.time_base)
    fps = float(rate) if rate else round(len(times) / (length or shown or 1), 2)
    if fps > bounds.frame_rate:
        raise MediaTooLargeError(f"The video would show {fps:.0f} frames a second.", frame_rate=fps)
    width, height = packets.width, packets.height
    sound = header.audio_rate if may_decode(header.audio_codec, AUDIO_CODECS) else 0
    return Facts(
        codec=header.video_codec,
        width=height if header.turned else width,
        height=width if header.turned else height,
        pixel_format=header.pixel_format,
        native_fps=fps,
        time_base=packets.time_base,
        times=times,
        keys=array("q", [] if packets.guessed else sorted(packets.keys)),
        seconds=shown,
        audio_rate=sound,
        audio_mix=header.audio_mix,
        square=header.square,
    )
