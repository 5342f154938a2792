"""Pictures whose headers ask for more than a machine has."""

import struct
import zlib


def png_bomb() -> bytes:
    """Return 30,000 x 30,000 pixels in less than a megabyte."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    hundred = packer.compress(bytes(100 * 30_001)) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing refers back: the first hundred rows stand for all others, too.
    rows = hundred + hundred[2:] * 299 + packer.flush()[:-4]
    rows += struct.pack(">HH", 30_000 * 30_001 % 65_521, 1)  # the sum of nothing but zeros
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def tiff_bomb() -> bytes:
    """Return a directory that claims 60,000 x 60,000 pixels in one strip of nothing."""
    entries = [(256, 60_000), (257, 60_000), (258, 8), (259, 8), (262, 1), (273, 8), (278, 60_000), (279, 9)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(64)


def gif_bomb() -> bytes:
    """Return a canvas of 65,535 x 65,535 with a frame of a few bytes."""
    head = b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + bytes(6)
    return head + b"," + struct.pack("<HHHH", 0, 0, 65_535, 65_535) + b"\0\x02\x02D\x01\0;"


def webp_bomb() -> bytes:
    """Return a canvas of 16 million x 16 million."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6
    return b"RIFF" + struct.pack("<I", len(body)) + body + bytes(50)
