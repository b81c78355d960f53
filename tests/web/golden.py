"""Compares a screenshot with the one that was looked at and kept; HUB_UPDATE_GOLDEN=1 keeps a new one."""

from __future__ import annotations

import os
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from playwright.sync_api import Page

TOLERATED = 0.01  # share of pixels; fonts are hinted differently from release to release
FONT = "Noto Sans CJK SC"
DIFFERENCE = """async ([one, other]) => {
  const pixels = async (encoded) => {
    const image = new Image();
    image.src = `data:image/png;base64,${encoded}`;
    await image.decode();
    const {width, height} = image;
    const canvas = Object.assign(document.createElement('canvas'), {width, height});
    const drawing = canvas.getContext('2d');
    drawing.drawImage(image, 0, 0);
    return drawing.getImageData(0, 0, width, height);
  };
  const [a, b] = [await pixels(one), await pixels(other)];
  if (a.width !== b.width || a.height !== b.height) return 1;
  let different = 0;
  for (let at = 0; at < a.data.length; at += 4) {
    const far = [0, 1, 2].some((colour) => Math.abs(a.data[at + colour] - b.data[at + colour]) > 48);
    if (far) different += 1;
  }
  return different / (a.width * a.height);
}"""


def require_font() -> None:
    """Skips where the font of the kept pictures is missing."""
    lister = shutil.which("fc-list")
    fonts = (
        subprocess.run([lister, ":lang=zh"], capture_output=True, text=True, check=True).stdout
        if lister
        else ""
    )
    if FONT not in fonts:
        pytest.skip(f"no {FONT} on this machine: apt install fonts-noto-cjk")


def compare(page: Page, kept: Path, blank: Page) -> None:
    """The page looks as the kept picture; ``blank`` is a page without a policy, which compares them."""
    seen = page.screenshot(animations="disabled")
    if os.environ.get("HUB_UPDATE_GOLDEN"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(seen)
    encoded = [b64encode(picture).decode() for picture in (seen, kept.read_bytes())]
    assert blank.evaluate(DIFFERENCE, encoded) <= TOLERATED
