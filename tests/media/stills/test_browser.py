"""Sizes against a real browser: what `read_size` tells is what Chromium shows."""

import base64
import shutil

import pytest

from beagle.media.headers import read_size
from media.stills.samples import Object, oriented

KINDS = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp", "AVIF": "avif"}
MEASURE = """address => new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve([image.naturalWidth, image.naturalHeight]);
    image.onerror = () => reject("not shown");
    image.src = address;
})"""


@pytest.fixture(scope="module")
def page():
    """A page in headless Chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium here")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page()
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize("kind", KINDS)
def test_sizes_are_what_the_browser_shows(page, kind):
    """For every orientation, width and height are those of the image on the page."""
    for orientation in range(1, 9):
        data = oriented(kind, orientation)
        size = read_size(Object(data))
        address = f"data:image/{KINDS[kind]};base64,{base64.b64encode(data).decode()}"

        assert size is not None
        assert [size.width, size.height] == page.evaluate(MEASURE, address), orientation
