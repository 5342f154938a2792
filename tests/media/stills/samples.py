"""Objects in memory, a place for artifacts, and real image files."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import pydicom
from PIL import Image

DICOM_SAMPLES = Path(pydicom.__file__).parent / "data/test_files"


@dataclass
class Object:
    """One object of a bucket; counts what is asked of it."""

    data: bytes
    reads: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, start: int, length: int) -> bytes:
        self.reads.append((start, length))
        return self.data[start : start + length]

    def download(self, to: Path, _deadline: object = None) -> None:
        to.write_bytes(self.data)


@dataclass
class Sink:
    """Keeps artifacts with their content types."""

    kept: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def put(self, name: str, data: bytes, content_type: str, content_encoding: str = "") -> None:
        assert not content_encoding
        with self.lock:
            self.kept[name] = data
            self.types[name] = content_type

    def key(self, name: str) -> str:
        return f".beagle/x/{name}"

    def image(self, name: str = "thumbnail.jpg") -> Image.Image:
        return Image.open(io.BytesIO(self.kept[name]))


def encode(image: Image.Image, kind: str, **options) -> bytes:
    """Return an image file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def oriented(kind: str, orientation: int, size: tuple[int, int] = (60, 40), **options) -> bytes:
    """Return a file whose stored pixels look upright only after they are turned as it says.

    Upright, its left upper corner is red, its right lower blue, all else grey.
    """
    width, height = size
    upright = Image.new("RGB", size, "grey")
    upright.paste("red", (0, 0, width // 4, height // 4))
    upright.paste("blue", (width - width // 4, height - height // 4, width, height))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind == "TIFF":
        return encode(stored, kind, tiffinfo={0x0112: orientation}, **options)
    return encode(stored, kind, exif=exif, **options)


def natural(width: int, height: int) -> Image.Image:
    """Return a smooth picture with colour in it: what thumbnails can be compared on."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    spot = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, down, spot))


def close(one: tuple[int, ...], other: tuple[int, ...], within: int = 12) -> bool:
    """Say whether two colours differ by no more than a JPEG's loss."""
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=True))
