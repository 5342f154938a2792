"""Which ffmpeg runs, and what it may open: the whitelists that every run over an upload begins with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from beagle.domain.errors import ConfigurationError
from beagle.media.sandbox import Limits

FLOORS = ((8, 1, 3), (9, 0, 2))
"""The first releases without the decoder holes of 2026 (MagicYUV, MPEG-TS, AVI, Vulkan AV1), by major."""

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,hevc"
"""Containers of the suffixes that Darwin takes as video. No playlists: those open other files."""


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


VIDEO_CODECS = _named(
    "h264 hevc av1 libdav1d vp8 vp9 mpeg4 mpeg2video mpeg1video mjpeg prores dnxhd vc1 wmv1 wmv2 wmv3 "
    "msmpeg4v1 msmpeg4v2 msmpeg4 h263 flv theora ffv1 huffyuv ffvhuff rawvideo png"
)
AUDIO_CODECS = _named(
    "aac mp3float mp3 ac3 eac3 flac alac opus libopus vorbis wmav1 wmav2 wmapro amrnb amrwb adpcm_ms "
    "adpcm_ima_wav adpcm_ima_qt pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be pcm_f32le "
    "pcm_f32be pcm_u8 pcm_s8 pcm_alaw pcm_mulaw"
)
_OTHER_NAMES = {"mp3": "mp3", "msmpeg4v3": "msmpeg4", "flv1": "flv", "amr_nb": "amrnb", "amr_wb": "amrwb"}
"""What headers call a codec, where its decoder is called otherwise."""


def may_decode(codec: str, among: frozenset[str]) -> bool:
    """Say whether a codec, as a header names it, has a decoder that we trust."""
    return _OTHER_NAMES.get(codec, codec) in among


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a file's header may ask for; more is refused before anything is decoded."""

    pixels: int = 8192 * 4320
    seconds: float = 24 * 3600
    frame_rate: float = 480
    frames: int = 4_000_000
    streams: int = 32


@dataclass(frozen=True, slots=True)
class Ffmpeg:
    """A binary that was looked at once, and the limits under which it runs."""

    path: Path
    limits: Limits = field(default_factory=Limits)
    bounds: Bounds = field(default_factory=Bounds)

    def reading(self, file: int, *before: str, formats: str = FORMATS) -> list[str]:
        """Return the head of a command line that reads a file given as a descriptor, and nothing else.

        Times start at zero, and stay what they are when reading starts further in: parts agree.
        """
        decoders = ",".join(sorted(VIDEO_CODECS | AUDIO_CODECS))
        return [
            str(self.path),
            *("-nostdin", "-hide_banner", "-nostats", "-loglevel", "info"),
            *("-protocol_whitelist", "fd", "-format_whitelist", formats, "-codec_whitelist", decoders),
            *("-max_pixels", str(self.bounds.pixels), "-copyts", "-start_at_zero"),
            *before,
            *("-fd", str(file), "-i", "fd:"),
        ]


def find_ffmpeg(
    path: Path | None = None, *, allow_older: bool = False, bounds: Bounds | None = None
) -> Ffmpeg:
    """Return the given ffmpeg, or the wheel's, or the system's, once its version has been checked.

    `allow_older` takes a version with known holes: for files that one made oneself.

    Raises:
        ConfigurationError: There is none, it does not run, or it is older than is safe.

    """
    path = path or _packaged() or _installed()
    version = version_of(path)
    if version is None or (not allow_older and not is_safe(version)):
        told = ".".join(map(str, version)) if version else "of an unknown version"
        raise ConfigurationError(
            f"{path} is ffmpeg {told}; known holes are closed in 8.1.3 and 9.0.2.", path=str(path)
        )
    return Ffmpeg(path, bounds=bounds or Bounds())


def _packaged() -> Path | None:
    """Return the binary that imageio-ffmpeg's wheel brings."""
    try:
        folder = resources.files("imageio_ffmpeg").joinpath("binaries")
    except ModuleNotFoundError:
        return None
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.startswith("ffmpeg-"))
    return _runnable(Path(str(folder.joinpath(found[0])))) if found else None


@cache
def _runnable(path: Path) -> Path:
    """Return the program, or a copy that may be run: where Azure mounts a package, none of its files may be.

    https://github.com/Azure/Azure-Functions/issues/2537
    """
    if os.access(path, os.X_OK):
        return path
    folder = Path(tempfile.gettempdir(), f"beagle-ffmpeg-{os.geteuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        folder = Path(tempfile.mkdtemp(prefix="beagle-ffmpeg-"))  # the name is somebody else's
    copy = folder / path.name
    if not os.access(copy, os.X_OK):  # by another process, and after a restart, it is there already
        descriptor, unfinished = tempfile.mkstemp(dir=folder)
        os.close(descriptor)
        shutil.copyfile(path, unfinished)
        os.chmod(unfinished, 0o500)  # noqa: PTH101 - a name from mkstemp
        os.replace(unfinished, copy)  # noqa: PTH105
    return copy


def _installed() -> Path:
    """Return the binary that the system finds: on Lambda a layer's, in /opt/bin."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise ConfigurationError(
            "There is no ffmpeg: neither the package imageio-ffmpeg nor one on the PATH."
        )
    return Path(found)


def version_of(path: Path) -> tuple[int, int, int] | None:
    """Ask a binary for its version."""
    try:
        said = subprocess.run(  # noqa: S603 - the deployer's own binary
            [path, "-version"], stdin=subprocess.DEVNULL, capture_output=True, env={}, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationError(f"{path} does not run: {error}", path=str(path)) from error
    return parse_version(said.stdout.decode("utf-8", "replace"))


def parse_version(said: str) -> tuple[int, int, int] | None:
    """Return the release that `ffmpeg -version` names, None for a snapshot between releases.

    Builders add to the number on both sides: `n9.0.2-17-g2a571b6068`, `5.1.9-0+deb12u1`, `7.0.2-static`.
    """
    found = re.match(r"ffmpeg version n?(\d+)\.(\d+)(?:\.(\d+))?(?![.\d])", said)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def is_safe(version: tuple[int, int, int]) -> bool:
    """Say whether the release has the fixes of its major version, or came after all of them."""
    return version[0] > FLOORS[-1][0] or any(version[0] == floor[0] and version >= floor for floor in FLOORS)
