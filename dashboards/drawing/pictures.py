"""Pages as pictures: taken by the Chromium that is installed, and kept with 256 colours, since they are many."""

from __future__ import annotations

import base64
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dashboards.drawing.page import WIDTH

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_INDEXED = (Path(__file__).parent / "colors.js").read_text(encoding="utf-8")


@contextmanager
def browser() -> Iterator[Browser]:
    """Run Chromium: `chromium`, or what CHAINWATCH_CHROMIUM points to. Raises ImportError without Playwright."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may be missing, and nothing else needs it

    binary = os.environ.get("CHAINWATCH_CHROMIUM", "/usr/bin/chromium")
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=binary, headless=True, args=arguments)
        try:
            yield running
        finally:
            running.close()


def shoot(running: Browser, html: str, height: int, path: Path) -> None:
    """Write the picture of a page of so many pixels' height. Raises OSError."""
    context = running.new_context(viewport={"width": WIDTH, "height": height}, device_scale_factor=1)
    try:
        tab = context.new_page()
        tab.set_content(html)
        taken = base64.b64encode(tab.screenshot()).decode()
        found = tab.evaluate(_INDEXED, taken)
    finally:
        context.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(found["width"], found["palette"], base64.b64decode(found["pixels"])))


def png(width: int, palette: list[int], pixels: bytes) -> bytes:
    """Return a picture as PNG: `palette` holds red, green and blue of each colour, `pixels` a colour's number each."""
    height = len(pixels) // width
    rows = b"".join(b"\0" + pixels[row * width : (row + 1) * width] for row in range(height))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(palette)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    framed = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)
