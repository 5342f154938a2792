"""Odd videos, and what becomes of each: what the tests claim, and what the README's table says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """What is odd about a clip, and what its item is like."""

    what: str
    size: tuple[int, int] = (160, 90)
    frames: int | None = 75
    """None: as many as are there."""
    sound: bool = False
    form: str = "rgb24"
    """What ffmpeg calls the pixels that lose nothing."""
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What is odd about a clip, and the code of its dead letter."""

    what: str
    code: str


REGISTERED = {
    "plain.mp4": Odd(what="nothing: H.264 and AAC in MP4", sound=True),
    "silent.mp4": Odd(what="no sound", how="no audio peaks"),
    "odd_sound.mkv": Odd(what="sound of a kind that is not trusted (DTS)", how="silent"),
    "rotated.mp4": Odd(
        what="stored on its side", size=(90, 160), sound=True, how="upright, the thumbnail too"
    ),
    "odd.mp4": Odd(
        what="odd sides", size=(159, 89), sound=True, how="frames as they are, segments padded to even sides"
    ),
    "anamorphic.mp4": Odd(what="pixels that are not square", how="sizes as stored"),
    "full_colour.mp4": Odd(
        what="colours at full size (4:4:4)", how="in segments at half size, as browsers play"
    ),
    "ten_bit.mp4": Odd(
        what="ten bits a colour", form="rgb48be", how="PNG of sixteen bits, segments of eight"
    ),
    "grey.mkv": Odd(what="grey (FFV1 in Matroska)", form="gray", how="grey PNG"),
    "transparent.mov": Odd(what="transparent (ProRes 4444)", form="rgba64be", how="PNG with alpha"),
    "variable.mp4": Odd(what="a variable frame rate", frames=40, how="each frame once, at its own time"),
    "slow.mp4": Odd(what="a frame a second", frames=40),
    "one_frame.mp4": Odd(what="a single frame", frames=1),
    "trimmed.mp4": Odd(
        what="trimmed without encoding anew", frames=57, sound=True, how="without what players leave out"
    ),
    "raw.avi": Odd(what="uncompressed pictures in AVI"),
    "raw.mov": Odd(what="uncompressed pictures in QuickTime"),
    "surround.mov": Odd(what="sound of eight channels", sound=True, how="stereo in segments"),
    "ceiling.mov": Odd(what="sound from the ceiling, too (5.1.2)", sound=True, how="stereo in segments"),
    "studio.mov": Odd(what="nine channels that say not what they are", sound=True, how="the first two"),
    "cover.mp4": Odd(what="a cover picture", sound=True, how="the cover is left out"),
    "endless.mkv": Odd(what="Matroska that tells no duration, as recorders stream it", sound=True),
    "broken_off.mkv": Odd(
        what="Matroska that breaks off", frames=None, sound=True, how="the frames that are there"
    ),
    "damaged.mp4": Odd(
        what="bytes gone bad in the middle",
        frames=None,
        sound=True,
        how="the frames that the decoder can make",
    ),
    "hollow.mov": Odd(what="frames that are gone", frames=None, how="the frames that are left"),
    "hevc.mp4": Odd(what="HEVC in MP4", sound=True),
    "raw.hevc": Odd(what="HEVC without a container"),
    "apple.mov": Odd(what="QuickTime with PCM sound", sound=True),
    "motion_jpeg.avi": Odd(what="Motion JPEG in AVI", sound=True),
    "mpeg4.avi": Odd(what="MPEG-4 with B-frames in AVI, which tells no times", sound=True),
    "windows.wmv": Odd(what="Windows Media", sound=True),
}
REFUSED = {
    "sound_only.mp4": Refused(what="sound only", code="unsupported_media"),
    "resized.hevc": Refused(what="another size on the way", code="unsupported_media"),
    "magicyuv.avi": Refused(what="a codec that is not trusted (MagicYUV)", code="unsupported_media"),
    "unbegun.mp4": Refused(what="no frames: a recording that never began", code="unreadable_media"),
    "broken_off.mp4": Refused(what="MP4 that breaks off: its index is missing", code="unreadable_media"),
    "playlist.mp4": Refused(what="a playlist that is called a video", code="unreadable_media"),
}


def table() -> list[tuple[str, ...]]:
    """Return the README's rows."""
    rows = [(odd.what, ", ".join(filter(None, ("item", _told(odd), odd.how)))) for odd in REGISTERED.values()]
    return rows + [(refused.what, f"dead letter `{refused.code}`") for refused in REFUSED.values()]


def _told(odd: Odd) -> str:
    """Say how an item's numbers differ from the plain clip's."""
    plain = REGISTERED["plain.mp4"]
    if odd.size != plain.size:
        return "{}x{}".format(*odd.size)
    if odd.frames not in {plain.frames, None}:
        return f"{odd.frames} frames" if odd.frames > 1 else "1 frame"
    return ""
