"""What ffmpeg says about a file before anything is decoded: text in, numbers out."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from fractions import Fraction

# Anchored at the line's start with just two spaces: what a file's own tags say is indented further.
_STREAM = re.compile(r"^  Stream #0:\d+\S*: (?P<kind>[A-Z][a-z]+): (?P<codec>\w+)(?P<rest>.*)$")
_PIXELS = re.compile(r", (?P<format>[a-z]\w+)(?:\([^)]*\))?, \d+x\d+")
_SHAPE = re.compile(r"\[SAR (?P<across>\d+):(?P<down>\d+) ")
_ROTATION = re.compile(r"^      Display Matrix: rotation of (-?[\d.]+) degrees", re.IGNORECASE)
_RATE = re.compile(r", (\d+) Hz")
_ENCODABLE = re.compile(r" Hz, (mono|stereo|2\.1|3\.0|4\.0|quad|5\.0|5\.1|[1-6] channels)(?=[(,]|$)")
_UNNAMED = re.compile(r" Hz, \d+ channels")
_DEEP = re.compile(
    r"(9|1[0-6])(msb)?(le|be)$|^(rgb|bgr)48|^(rgba|bgra|ya|ayuv)64|^p[024]1[0-6]|^y2[01]\d|^x[v2]"
)
_STEREO, _FIRST_TWO = "aformat=channel_layouts=stereo", "pan=stereo|c0=c0|c1=c1"
_DEFAULT_DURATION = b"\x23\xe3\x83"
_FFMPEG_FRACTION = 30_000


@dataclass(slots=True)
class Header:
    """What ffmpeg printed about the file's streams, collected line by line."""

    opened: bool = False
    streams: int = 0
    video_codec: str = ""
    pixel_format: str = ""
    rotation: float = 0
    square: bool = True
    audio_codec: str = ""
    audio_rate: int = 0
    audio_mix: str = ""
    _inside: str = ""

    def read(self, line: str) -> bool:
        """Take a line in; say whether it told anything."""
        if line.startswith("Input #0"):
            self.opened, self._inside = True, "input"
            return True
        if line.startswith(("Output #", "Stream mapping")):
            self._inside = ""
        if not self._inside:
            return False
        if found := _STREAM.match(line):
            self.streams += 1
            self._inside = "input"
            self._begin(found["kind"], found["codec"], found["rest"])
            return True
        if self._inside == "video" and (turned := _ROTATION.match(line)):
            self.rotation = float(turned[1])
        return False

    def _begin(self, kind: str, codec: str, rest: str) -> None:
        if kind == "Video" and not self.video_codec and not rest.endswith("(attached pic)"):
            self._inside, self.video_codec = "video", codec
            found = _PIXELS.search(rest)
            self.pixel_format = found["format"] if found else ""
            shape = _SHAPE.search(rest)
            self.square = not shape or shape["across"] == shape["down"]
        if kind == "Audio" and not self.audio_codec:
            self.audio_codec = codec
            rate = _RATE.search(rest)
            self.audio_rate = int(rate[1]) if rate else 0
            if not _ENCODABLE.search(rest):
                self.audio_mix = _FIRST_TWO if _UNNAMED.search(rest) else _STEREO

    @property
    def turned(self) -> bool:
        """Say whether the picture is shown lying on its side."""
        return round(self.rotation / 90) % 2 == 1


@dataclass(slots=True)
class Packets:
    """The video's packets, as ffmpeg's framecrc lists them: times without a decode."""

    time_base: Fraction = Fraction(1)
    width: int = 0
    height: int = 0
    times: array[int] = field(default_factory=lambda: array("q"))
    keys: array[int] = field(default_factory=lambda: array("q"))
    length: int = 0
    """Sum of the packets' durations."""
    guessed: bool = False
    """Some packets tell no time, as in AVI and raw streams; in their place stands their number."""

    def read(self, line: str) -> None:
        """Take a line in: `stream, dts, pts, duration, size, checksum[, F=flags]`, or a line of the head."""
        if line.startswith("#"):
            name, _, value = line[1:].partition(" 0: ")
            if name == "tb":
                self.time_base = Fraction(value)
            if name == "dimensions":
                self.width, self.height = map(int, value.split("x"))
            return
        fields = line.split(",")
        flags = next((int(f.strip().removeprefix("F="), 0) for f in fields[6:] if "F=" in f), _KEY)
        pts = int(fields[2])
        if pts == _NO_TIME:
            self.guessed = True
            pts = len(self.times)
        if flags & _KEY:
            self.keys.append(pts)
        # What lies before an edit list's begin is decoded for what follows it, and never shown.
        if flags & _DISCARD:
            return
        self.times.append(pts)
        self.length += int(fields[3])


_KEY, _DISCARD = 1, 4
_NO_TIME = -(1 << 63)


def exact_rate(head: bytes, packets: Packets) -> Fraction | None:
    """Return the average frame rate as ffmpeg knows it, which it prints to two digits only.

    The head of a Matroska file into which the stream was copied holds the frame's duration in nanoseconds;
    that tells which fraction is meant. None where ffmpeg knows no rate.
    """
    at = head.find(_DEFAULT_DURATION)
    if at < 0:
        return None
    nanoseconds = int.from_bytes(head[at + 4 : at + 4 + (head[at + 3] & 0x7F)], "big")
    if not nanoseconds:
        return None
    rough = Fraction(10**9, nanoseconds)
    meant = [Fraction(round(rough)), Fraction(round(rough * 1001 / 1000) * 1000, 1001)]
    if packets.length:
        meant.insert(0, Fraction(len(packets.times)) / (packets.length * packets.time_base))
    for rate in meant:
        if rate and abs(10**9 / rate - nanoseconds) <= 1:
            return rate
    return rough.limit_denominator(_FFMPEG_FRACTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a video before it is decoded."""

    codec: str
    width: int
    """As it is shown: after rotation."""
    height: int
    pixel_format: str
    native_fps: float
    time_base: Fraction
    times: array[int]
    """When each frame is shown, in order, in units of the time base."""
    keys: array[int]
    """The times of those that can be decoded without their predecessors; none where times are guessed."""
    seconds: float
    audio_rate: int
    """Samples a second of the sound that goes into the segments; 0 without sound."""
    audio_mix: str = ""
    """The filter that makes stereo of more channels than ffmpeg's AAC takes; of loudspeakers that have no
    names, the first two."""
    square: bool = True
    """Whether pixels are shown as wide as they are high."""

    @property
    def deep(self) -> bool:
        """Say whether a colour has more than eight bits."""
        return _DEEP.search(self.pixel_format) is not None
