"""How the clips of these tests are made."""

from __future__ import annotations

from collections.abc import Callable

from media.archive import PLAYLIST

MOVING = ("-f", "lavfi", "-i", "testsrc2=s={size}:r={rate}:d={seconds}")
SOUND = ("-f", "lavfi", "-i", "sine=f=330:d={seconds}")
STUDIO = "pan=9 channels|" + "|".join(f"c{number}=c0" for number in range(9))
X265 = ("-c:v", "libx265", "-x265-params")
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-g", "50")

Recipe = tuple[str, ...] | Callable[[Callable[[str], bytes]], bytes]


def damaged(clip: bytes, size: int = 400) -> bytes:
    """Return a clip with a hole of zeros in its middle."""
    middle = len(clip) // 2
    return clip[:middle] + bytes(size) + clip[middle + size :]


# What follows `ffmpeg`, {name} being another clip; or what is made of other clips' bytes. Sizes and seconds
# are small: nothing here needs more.
RECIPES: dict[str, Recipe] = {
    "plain.mp4": (*MOVING, *SOUND, *X264, "-c:a", "aac"),
    "ntsc.mp4": (*MOVING, *SOUND, *X264, "-c:a", "aac"),
    "silent.mp4": (*MOVING, *X264),
    "thin.mkv": (*MOVING, "-vf", "scale=4096:4", "-pix_fmt", "gray", "-c:v", "ffv1"),
    "talkative.mp4": (
        *(*MOVING, *SOUND, *X264, "-c:a", "aac", "-metadata"),
        "title=n:   0 pts:      0 pts_time:0 duration:1 fmt:gray sar:1/1 s:8x8 i:P ",
    ),
    "rotated.mp4": ("-display_rotation", "90", "-i", "{plain.mp4}", "-c", "copy"),
    "odd.mp4": (*MOVING, *SOUND, "-vf", "crop=159:89:0:0:exact=1", "-pix_fmt", "yuv444p", *X264),
    "full_colour.mp4": (*MOVING, "-pix_fmt", "yuv444p", *X264),
    "ten_bit.mp4": (*MOVING, "-pix_fmt", "yuv420p10le", *X264),
    "grey.mkv": (*MOVING, "-pix_fmt", "gray", "-c:v", "ffv1"),
    "transparent.mov": (*MOVING, "-vf", "format=yuva444p10le", "-c:v", "prores_ks", "-profile:v", "4444"),
    "variable.mp4": (*MOVING, "-vf", "select='not(between(mod(n,11),3,7))'", "-fps_mode", "vfr", *X264),
    "hevc.mp4": (*MOVING, *SOUND, "-c:v", "libx265", "-x265-params", "log-level=error", "-tag:v", "hvc1"),
    "motion_jpeg.avi": (*MOVING, *SOUND, "-c:v", "mjpeg", "-q:v", "3", "-c:a", "pcm_s16le"),
    "lossless.mov": (*MOVING, "-c:v", "png"),
    "mpeg4.avi": (*MOVING, *SOUND, "-c:v", "mpeg4", "-bf", "2", "-c:a", "libmp3lame"),
    "apple.mov": (*MOVING, *SOUND, *X264, "-c:a", "pcm_s16le"),
    "endless.mkv": ("-i", "{plain.mp4}", "-c", "copy", "-live", "1"),
    "trimmed.mp4": ("-ss", "0.7", "-i", "{plain.mp4}", "-c", "copy"),
    "anamorphic.mp4": (*MOVING, "-vf", "setsar=4/3", *X264),
    "one_frame.mp4": (*MOVING, "-frames:v", "1", *X264),
    "slow.mp4": (*MOVING, *X264),
    "unbegun.mp4": ("-i", "{plain.mp4}", "-c", "copy", "-frames:v", "0", "-movflags", "empty_moov"),
    "broken_off.mp4": lambda read: read("plain.mp4")[:3000],
    "broken_off.mkv": lambda read: read("endless.mkv")[: len(read("endless.mkv")) * 2 // 3],
    "damaged.mp4": lambda read: damaged(read("plain.mp4")),
    "hollow.mov": lambda read: damaged(read("lossless.mov"), size=len(read("lossless.mov")) // 4),
    "resized.hevc": lambda read: read("raw.hevc") + read("small.hevc"),
    "playlist.mp4": lambda _read: PLAYLIST.format("file:///etc/hostname").encode(),
    "small.hevc": (*MOVING, "-s", "96x64", *X265, "log-level=error", "-f", "hevc"),
    "raw.hevc": (*MOVING, "-c:v", "libx265", "-x265-params", "log-level=error", "-f", "hevc"),
    "windows.wmv": (*MOVING, *SOUND, "-c:v", "wmv2", "-c:a", "wmav2"),
    "cover.mp4": (
        *("-i", "{plain.mp4}", "-i", "{cover.jpg}", "-map", "1", "-map", "0", "-c", "copy"),
        *("-disposition:0", "attached_pic"),
    ),
    "raw.avi": (*MOVING, "-c:v", "rawvideo", "-pix_fmt", "bgr24"),
    "raw.mov": (*MOVING, "-c:v", "rawvideo", "-pix_fmt", "rgb24"),
    "ceiling.mov": (*MOVING, *SOUND, *X264, "-af", "aformat=channel_layouts=5.1.2", "-c:a", "pcm_s16le"),
    "surround.mov": (*MOVING, *SOUND, *X264, "-af", "aformat=channel_layouts=7.1", "-c:a", "pcm_s16le"),
    "studio.mov": (*MOVING, *SOUND, *X264, "-af", STUDIO, "-c:a", "pcm_s16le"),
    "cover.jpg": (*MOVING, "-frames:v", "1", "-update", "1"),
    "sound_only.mp4": (*SOUND, "-c:a", "aac"),
    "magicyuv.avi": (*MOVING, "-c:v", "magicyuv"),
    "odd_sound.mkv": ("-i", "{plain.mp4}", "-c:v", "copy", "-c:a", "dca", "-strict", "-2", "-ar", "48000"),
    "open_gop.mp4": (
        *MOVING,
        *SOUND,
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=error:open-gop=1:keyint=24",
    ),
}
SHAPES: dict[str, dict[str, str]] = {
    "ntsc.mp4": {"rate": "30000/1001", "seconds": "9"},
    "slow.mp4": {"rate": "1", "seconds": "40"},
    "open_gop.mp4": {"seconds": "6"},
    "one_frame.mp4": {"seconds": "1"},
}
USUAL = {"size": "160x90", "rate": "25", "seconds": "3"}
