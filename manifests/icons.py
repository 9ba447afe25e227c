"""The two icons of the Teams app: a lamp that shines, drawn when they are packed, so that there are no pictures to keep."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from math import cos, hypot, pi, sin

Pixel = bytes
WHITE, BLUE = (255, 255, 255), (0, 94, 184)  # NHS Blue, #005EB8
RAYS = tuple((sin(turn * pi / 4), -cos(turn * pi / 4)) for turn in (-2, -1, 0, 1, 2))  # from left over the top to right


def color(size: int = 192) -> bytes:
    """A PNG: white on blue. Teams cuts its corners off, so the mark keeps to the middle."""
    covered = _lamp(size, size / 64)

    def pixel(x: int, y: int) -> Pixel:
        share = covered(x, y)
        return bytes(round(ground + (white - ground) * share) for ground, white in zip(BLUE, WHITE, strict=True))

    return _png(size, pixel, colours=2)


def outline(size: int = 32) -> bytes:
    """A PNG: white on nothing, to the edge, as Teams asks."""
    covered = _lamp(size, size / 32)
    return _png(size, lambda x, y: bytes((*WHITE, round(255 * covered(x, y)))), colours=6)


def _lamp(size: int, scale: float) -> Callable[[int, int], float]:
    """How much of a pixel the mark covers: a bulb, its two rings and five rays, in a square of 32 that is scaled about the middle."""

    def covered(column: int, row: int) -> float:
        x, y = ((place + 0.5 - size / 2) / scale for place in (column, row))
        within = [7 - hypot(x, y - 1), _bar(x, y - 10.5, 3, 0), _bar(x, y - 14, 1.5, 0)]
        within += [_bar(x - 12.5 * right, y - 1 - 12.5 * down, 2 * right, 2 * down) for right, down in RAYS]
        return min(max(max(within) * scale + 0.5, 0.0), 1.0)

    return covered


def _bar(x: float, y: float, right: float, down: float) -> float:
    """How far inside of a bar with round ends, from (-right, -down) to (right, down), a point lies."""
    along = (x * right + y * down) / (right * right + down * down)
    along = min(max(along, -1.0), 1.0)
    return 1.5 - hypot(x - along * right, y - along * down)


def _png(size: int, pixel: Callable[[int, int], Pixel], *, colours: int) -> bytes:
    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(size)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
