"""Our thumbnails held against ImageMagick's: sizes, pixels, and all eight EXIF orientations of one JPEG.

V7's documentation makes them by `mogrify -resize "356x200>" -format jpg -quality 50`. That leaves the pixels
as they are stored, and the orientation's tag beside them: a browser turns what was fitted unturned. Ours is
fitted as it is shown (`mogrify -auto-orient`), or as it is stored where a route asks for that.
"""

from __future__ import annotations

import io
import math
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageOps, ImageStat

from beagle.media.child import Children
from beagle.media.stills import THUMBNAIL, make_still
from benchmarks.one_thumbnail import File, Kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Literal

RESIZE = ("-resize", "356x200>")
LEAST = 35.0
"""Decibels: two encoders' JPEGs of quality 50 are nearer (40 and more), other pixels are not."""
_ORIENTATION = 0x0112
_STORED_AS: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How the pixels of an upright picture lie in a file of an EXIF orientation."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two pictures: their sizes and, where these agree, the peak signal to noise ratio in decibels."""

    ours: tuple[int, int]
    theirs: tuple[int, int]
    decibels: float = math.nan

    @classmethod
    def of(cls, ours: Image.Image, theirs: Image.Image) -> Likeness:
        """Hold two pictures against each other."""
        if ours.size != theirs.size:
            return cls(ours.size, theirs.size)
        squares = ImageStat.Stat(ImageChops.difference(ours.convert("RGB"), theirs.convert("RGB"))).rms
        mean = sum(value * value for value in squares) / 3
        return cls(ours.size, theirs.size, 10 * math.log10(255 * 255 / mean) if mean else math.inf)

    @property
    def alike(self) -> bool:
        """Say whether they differ by no more than JPEGs do; of different sizes they are not alike."""
        return self.decibels >= LEAST

    def __str__(self) -> str:
        if math.isnan(self.decibels):
            return f"sizes differ: {_size(self.ours)}, {_size(self.theirs)}"
        return "equal" if math.isinf(self.decibels) else f"{self.decibels:.1f} dB"


@dataclass(frozen=True, slots=True)
class Turned:
    """One JPEG in one EXIF orientation, as both sides show it and as both leave it."""

    orientation: int
    shown: Likeness
    stored: Likeness
    in_browser: tuple[int, int]
    """The size at which a browser shows the thumbnail that V7's command makes."""

    HEADS = (
        "EXIF",
        "shown: ours",
        "against -auto-orient",
        "stored: ours",
        "against V7's",
        "V7's in a browser",
    )

    def line(self) -> str:
        """Return it as a line of the table."""
        cells = (
            _size(self.shown.ours),
            self.shown,
            _size(self.stored.ours),
            self.stored,
            _size(self.in_browser),
        )
        return f"| {self.orientation} | {' | '.join(map(str, cells))} |"

    def faults(self) -> Iterator[str]:
        """Yield what is not as ImageMagick has it."""
        for name, likeness in (("as shown", self.shown), ("as stored", self.stored)):
            if not likeness.alike:
                yield f"EXIF orientation {self.orientation}, {name}: {likeness}; JPEGs have {LEAST:.0f} dB"


def turn(upright: Image.Image, folder: Path) -> Iterator[Turned]:
    """Compare the thumbnails of one picture, stored in every orientation."""
    with Children() as children:
        for orientation in range(1, 9):
            path = folder / f"turned-{orientation}.jpg"
            exif = Image.Exif()
            exif[_ORIENTATION] = orientation
            how = _STORED_AS.get(orientation)
            (upright if how is None else upright.transpose(how)).save(path, exif=exif, quality=90)
            as_documented = _mogrified(path, folder)
            yield Turned(
                orientation,
                shown=Likeness.of(
                    _drawn(path, children, "shown"), _mogrified(path, folder, ["-auto-orient"])
                ),
                stored=Likeness.of(_drawn(path, children, "stored"), as_documented),
                in_browser=ImageOps.exif_transpose(as_documented).size,
            )


def _drawn(path: Path, children: Children, size: Literal["shown", "stored"]) -> Image.Image:
    kept = Kept()
    make_still(File(path), kept, children=children, size=size)
    return Image.open(io.BytesIO(kept[THUMBNAIL]))


def _mogrified(path: Path, folder: Path, before: Sequence[str] = ()) -> Image.Image:
    out = folder / "mogrified"
    out.mkdir(exist_ok=True)
    form = ("-format", "jpg", *RESIZE, "-quality", "50")
    subprocess.run(["mogrify", *before, "-path", out, *form, path], check=True)  # noqa: S607
    return Image.open(io.BytesIO((out / path.name).read_bytes()))


def _size(size: tuple[int, int]) -> str:
    return "x".join(map(str, size))
