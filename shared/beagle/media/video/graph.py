"""The command lines: pure functions from what is wanted to ffmpeg's arguments.

One process decodes once and feeds everything that needs every frame. Thumbnail and audio peaks are processes
of their own: as outputs of this graph they make ffmpeg 9 lock up and ffmpeg 7 buffer a gigabyte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from beagle.media.video.grid import KEY_FRAME_EVERY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beagle.domain.making import VideoOptions
    from beagle.media.video.choice import Choice
    from beagle.media.video.cuts import Part
    from beagle.media.video.facts import Facts
    from beagle.media.video.png import Layout

PREVIEW_QUALITY = 5
_QUALITIES = {"high": ("23", "22.3"), "low": ("40", "38.9")}
"""x264's constant rate factors: darwin-py's; and the fast profile's, for pictures as like in as few bytes."""
_FAST = ("-preset", "veryfast", "-subq", "3", "-psy", "0", "-motion-est", "dia", "-partitions", "i4x4,i8x8")
"""What x264's preset spends on splitting moving blocks is not seen. What it saves with subq 2 is: blocks that
should have changed are skipped."""
LOW = "scale=-2:'if(gt(ih,720),max(ceil(ih/4)*2,720),ih)'"
_INSIDE = (
    "scale=w='max(1,min(min(356,iw),round(min(200,ih)*iw/ih)))'"
    ":h='max(1,min(min(200,ih),round(min(356,iw)*ih/iw)))'"
)
"""No larger than 356x200, no larger than it is, and nowhere thinner than a pixel."""
_PLAYABLE = "format=yuv420p|yuvj420p,pad='ceil(iw/2)*2':'ceil(ih/2)*2'"
"""What browsers play: eight bits, colours at half the size, therefore even sides."""
_EVERY_FRAME = ("-fps_mode", "passthrough", "-map_metadata", "-1")
"""Of the source's own words none go on: ffmpeg would say them among what it says of frames."""
_SEEK_MARGIN = 0.0005
_HEAD_START = 1.2
"""Seconds."""
_BLOCK, _LEAD = 1024, 3
"""Samples in a block of AAC, and how many blocks of its neighbours a part encodes and throws away."""
_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Which pipes the main command writes, in order."""

    segments: tuple[str, ...]
    frames: bool
    previews: bool

    @property
    def count(self) -> int:
        """Return how many there are."""
        return len(self.segments) + self.frames + self.previews


def outputs_of(options: VideoOptions) -> Outputs:
    """Return what the main command makes; previews that equal the frames are not made twice."""
    return Outputs(
        tuple(_QUALITIES) if options.shape == "hls" else (),
        frames=True,
        previews=options.preview_frames and options.jpeg_quality != PREVIEW_QUALITY,
    )


def main_arguments(  # noqa: PLR0913, PLR0917 - what, of what, how, and where to
    facts: Facts, part: Part, choice: Choice, options: VideoOptions, layout: Layout, pipes: Sequence[str]
) -> list[str]:
    """Return what follows the input: the graph, and an output for every pipe."""
    outputs = outputs_of(options)
    names = iter(pipes)
    arguments = ["-filter_complex", ";".join(_graph(facts, part, choice, outputs))]
    for quality in outputs.segments:
        arguments += [*_segments(facts, part, options, quality), next(names)]
    if options.jpeg_quality is None:
        arguments += ["-map", "[high]", *_EVERY_FRAME, "-c:v", "rawvideo", "-pix_fmt", layout.name]
        arguments += ["-f", "rawvideo", next(names)]
    else:
        arguments += [*_jpegs("high", options.jpeg_quality), next(names)]
    if outputs.previews:
        arguments += [*_jpegs("low", PREVIEW_QUALITY), next(names)]
    return arguments


def _graph(facts: Facts, part: Part, choice: Choice, outputs: Outputs) -> list[str]:
    frames = ["[high]", "[low]"][: 1 + outputs.previews]
    chain = [
        f"[0:V:0]{_trim(part)}showinfo=checksum=0"
        + (",split=2[playing][stills]" if outputs.segments else "[stills]"),
        f"[stills]{choice.select()}split={len(frames)}{''.join(frames)}",
    ]
    if outputs.segments:
        square = "" if facts.square else "setsar=1,"
        chain += [f"[playing]{square}{_PLAYABLE},split=2[large][medium]", f"[medium]{LOW}[small]"]
        if facts.audio_rate and not part.is_whole:
            chain.append(f"[0:a:0]{_trim_sound(facts, part)},asplit=2[sound0][sound1]")
    return chain


def _trim(part: Part) -> str:
    bounds = [f"start_pts={part.start}"] if part.start is not None else []
    bounds += [f"end_pts={part.end}"] if part.end is not None else []
    return f"trim={':'.join(bounds)}," if bounds else ""


def _trim_sound(facts: Facts, part: Part) -> str:
    """Begin the sound a little before the part, on the grid of AAC's blocks, and let it end a little after.

    Blocks overlap: what plays at a joint is right only where both neighbours encode what lies beyond it.
    """
    first, end = _sound_blocks(facts, part)
    lead = max(first - _LEAD, 0) * _BLOCK
    until = f":end={(end + _LEAD) * _BLOCK / _sound_rate(facts):.6f}" if end is not None else ""
    begin = max(lead / _sound_rate(facts) - 1, 0)
    mix = f"{facts.audio_mix}," if facts.audio_mix else ""
    return f"{mix}atrim=start={begin:.6f}{until},aresample={_sound_rate(facts)}:async=1:first_pts={lead}"


def _sound_blocks(facts: Facts, part: Part) -> tuple[int, int | None]:
    """Return the first block of AAC that belongs to the part, and the first that does not any more."""
    blocks = [
        None if time is None else round(time * facts.time_base * _sound_rate(facts) / _BLOCK)
        for time in (part.start, part.end)
    ]
    return blocks[0] or 0, blocks[1]


def _sound_rate(facts: Facts) -> int:
    return facts.audio_rate if facts.audio_rate in _AAC_RATES else 48_000


def _sound(facts: Facts, part: Part, number: int) -> list[str]:
    """Return the sound of one output; of a part only the blocks that are its own."""
    if not facts.audio_rate:
        return []
    if part.is_whole:
        return ["-map", "0:a:0", *(("-af", facts.audio_mix) if facts.audio_mix else ()), "-c:a", "aac"]
    first, end = _sound_blocks(facts, part)
    other = [f"lt(pts,{first * _BLOCK})"] if part.start is not None else []
    other += [f"gte(pts,{end * _BLOCK})"] if end is not None else []
    return ["-map", f"[sound{number}]", "-c:a", "aac", "-bsf:a", f"noise=drop='{'+'.join(other)}'"]


def _segments(facts: Facts, part: Part, options: VideoOptions, quality: str) -> list[str]:
    number = list(_QUALITIES).index(quality)
    return [
        *("-map", ("[large]", "[small]")[number], *_sound(facts, part, number)),
        *x264_arguments(quality, options.profile, is_cut=not part.is_whole),
        *(*_EVERY_FRAME, "-max_muxing_queue_size", "1024", "-avoid_negative_ts", "disabled"),
        *_later(facts),
        # The tables are needed once a segment, where the splitter puts them.
        *("-pat_period", "100000", "-sdt_period", "100000", "-f", "mpegts"),
    ]


def x264_arguments(quality: str, profile: str, *, is_cut: bool = False) -> list[str]:
    """Return what x264 is told for a quality, of a whole video or of a part."""
    is_fast = profile == "fast"
    speed = _FAST if is_fast else ()
    # A key frame at every change of scene would make the cuts depend on what x264 thinks of the pictures.
    grid = ("-sc_threshold", "0") if is_fast or is_cut else ()
    distance = ("-g", str(KEY_FRAME_EVERY))
    return ["-c:v", "libx264", *speed, *grid, "-crf", _QUALITIES[quality][is_fast], *distance]


def _later(facts: Facts) -> list[str]:
    """Shift a slow video's clock: frames that refer forward are decoded earlier than time can be written.

    MPEG-TS begins 1.4 seconds after zero, which is enough where three frames take less.
    """
    times = facts.times
    longest = max((after - before for before, after in zip(times, times[3:], strict=False)), default=0)
    seconds = float((longest or times[-1] - times[0]) * facts.time_base)
    return ["-output_ts_offset", f"{seconds:.3f}"] if seconds > _HEAD_START else []


def _jpegs(label: str, quality: int) -> list[str]:
    return ["-map", f"[{label}]", *_EVERY_FRAME, "-q:v", str(quality), "-c:v", "mjpeg", "-f", "image2pipe"]


def thumbnail_arguments(pipe: str, *, time: int | None = None) -> list[str]:
    """Return what makes the thumbnail of the first frame, or of the first from a time in its time base on."""
    chosen = f"select=gte(pts\\,{time})," if time is not None else ""
    return [
        *("-map", "0:V:0", "-vf", chosen + _INSIDE, "-frames:v", "1", "-pix_fmt", "yuvj420p"),
        *("-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe", pipe),
    ]


def seek_to(seconds: float) -> list[str]:
    """Return the input option that begins to decode at the key frame before a time."""
    return ["-noaccurate_seek", "-ss", f"{max(seconds - _SEEK_MARGIN, 0):.6f}"]


def peaks_arguments(facts: Facts, pipe: str) -> list[str]:
    """Return what turns the first sound into a thousand unsigned bytes a second."""
    filters = ",".join(filter(None, (facts.audio_mix, "aresample=1000")))
    return ["-map", "0:a:0", "-ac", "1", "-af", filters, "-f", "u8", pipe]
