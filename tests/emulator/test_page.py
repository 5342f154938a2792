"""The page in a real browser: it shows what is registered, by itself, and runs nothing that was uploaded."""

import io
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from beagle.emulator import EmulatedDarwin, Fault, Hooks, Server, serve
from beagle.emulator.pictures import THUMBNAIL
from emulator.samples import PREFIX, artifacts, flat, hls, post, sections, slot, slotted, still

pytestmark = pytest.mark.browser

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH_BUTTON = """
  window.labels = [];
  const button = document.querySelector("button[aria-label=Play]");
  new MutationObserver(() => labels.push(button.getAttribute("aria-label")))
    .observe(button, { attributeFilter: ["aria-label"] });
"""
WICKED = '<img src=x onerror="document.title=1">'


FILM = hls(
    visible_frames=12,
    total_frames=24,
    storage_sections_key_prefix="artifacts/film/high",
    storage_frames_manifest_key="artifacts/film/frames_manifest.txt",
)


def _picture(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (20, 90 + width % 100, 140)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the system's Chromium once."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def stage() -> EmulatedDarwin:
    """Set up a Darwin that sees its buckets; every read-write picture is the little grey one."""
    objects = artifacts() | {"artifacts/clip/thumbnail.jpg": THUMBNAIL, "stills/1.jpg": _picture(900, 600)}
    # The sixth frame of the film is missing; every other is as wide as its number says.
    objects |= {f"artifacts/film/high/{n:09d}.png": _picture(100 + n, 80) for n in range(12) if n != 5}
    objects |= {f"{PREFIX}/hq/{n}.png": _picture(200 + n, 80) for n in (1, 2, 3)}
    times = [f"{n}:0:{n % 2}:{n / 20:.4f}" for n in range(24)]
    objects["artifacts/film/frames_manifest.txt"] = "\n".join(times).encode()
    del objects["artifacts/clip/audio_peaks.gz"]

    def open_object(bucket: str, key: str) -> bytes | None:
        return objects.get(key) if bucket == "acme-archive" else THUMBNAIL

    return EmulatedDarwin.with_defaults(hooks=Hooks(open_object=open_object), processing_seconds=0)


@pytest.fixture
def running(stage: EmulatedDarwin) -> Iterator[Server]:
    with serve(stage) as server:
        yield server


@pytest.fixture
def page(browser: Any, running: Server) -> Iterator[Any]:
    """Open the page in a fresh profile, and demand a silent console."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(running.url)
    page.wait_for_selector("body[data-ready]")
    yield page
    page.close()
    assert complaints == []


def test_an_empty_darwin_says_where_to_register(page: Any, running: Server) -> None:
    """The first thing a newcomer sees is the address to call."""
    assert page.title() == "Darwin (emulated)"
    assert page.get_by_text("No items yet").is_visible()
    assert f"{running.url}/api/v2/teams/acme/items/register_existing" in page.inner_text("#hint")


def test_items_appear_by_themselves_with_their_pictures(page: Any, stage: EmulatedDarwin) -> None:
    """Nobody reloads."""
    post(stage, flat("1.jpg"), flat("2.jpg"))
    page.wait_for_selector("text=2.jpg")
    # A picture that has loaded takes the place of its type's icon.
    page.locator(".shot:not(:has(svg)) img").nth(1).wait_for()

    assert page.inner_text("#count-items") == "2"
    assert page.locator(".card .name").all_inner_texts() == ["2.jpg", "1.jpg"]
    assert page.get_by_role("button", name="/cars").first.is_visible()


def test_an_item_opens_with_its_keys_and_problems(page: Any, stage: EmulatedDarwin) -> None:
    """What Darwin's own lists keep to themselves, and what a viewer would miss."""
    post(stage, slotted(hls(), name="clip.mp4"), read_only=True)
    page.click("text=1 problem")
    page.wait_for_selector("dialog[open]")

    text = page.inner_text("dialog")
    assert "videos/clip.mp4" in text
    assert "audio peaks artifacts/clip/audio_peaks.gz do not exist" in text
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_names_are_text_whatever_they_say(page: Any, stage: EmulatedDarwin) -> None:
    """Markup in a name, a folder, a key or a reason stays what it is: characters."""
    post(stage, flat(WICKED.replace("/", ""), f"/{WICKED}") | {"storage_key": WICKED, "type": "image"})
    stage.inject(Fault(kind="block", reason=WICKED))
    post(stage, slotted(slot() | {"slot_name": WICKED, "storage_key": WICKED}, name=WICKED))
    page.wait_for_selector(".card")
    page.click(".card")
    page.wait_for_selector("dialog[open]")
    assert WICKED in page.inner_text("dialog")
    page.keyboard.press("Escape")
    page.click("[data-view=blocked]")
    page.wait_for_selector("#blocked tr")

    assert WICKED in page.inner_text("#blocked")
    assert page.title() == "Darwin (emulated)"
    assert page.locator('img[src="x"]').count() == 0


def test_requests_show_their_status_and_fault(page: Any, stage: EmulatedDarwin) -> None:
    """And faults to come are announced."""
    stage.inject(Fault(kind="status", status=503), Fault(kind="hang", count=2))
    post(stage, flat())
    page.click("[data-view=requests]")
    page.wait_for_selector("#requests tr")

    assert "status 503" in page.inner_text("#requests")
    assert page.inner_text("#faults") == "Faults to come: hang (2 times)"
    assert page.locator("#chart rect.bad").count() == 1


def test_filters_and_folders_narrow_the_view(page: Any, stage: EmulatedDarwin) -> None:
    """By folder, by name, by status."""
    post(stage, flat("1.jpg", "/a"), flat("2.jpg", "/b"), flat("3.jpg", "/b"))
    page.wait_for_selector("text=3.jpg")
    page.click("#datasets button:has-text('/b')")
    assert page.locator(".card").count() == 2

    page.fill("#search", "3")
    assert page.locator(".card .name").all_inner_texts() == ["3.jpg"]
    page.select_option("#state", "error")
    assert page.get_by_text("Nothing fits").is_visible()


def test_a_removed_item_leaves_the_page(page: Any, stage: EmulatedDarwin) -> None:
    """A reset empties it."""
    post(stage, flat("1.jpg"))
    page.wait_for_selector(".card")
    stage.reset()
    page.wait_for_selector(".card", state="detached")

    assert page.inner_text("#count-items") == "0"


def test_three_hundred_items_with_long_names_fit_a_narrow_screen(page: Any, stage: EmulatedDarwin) -> None:
    """Nothing pushes the page wider than the screen, and only a part is drawn at first."""
    long = "x" * 180
    post(stage, *(flat(f"{n}-{long}.jpg", f"/{long}/{n % 7}") for n in range(300)))
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_selector("#more:visible")

    assert page.locator(".card").count() == 120
    for view in ("requests", "blocked", "items"):
        page.click(f"[data-view={view}]")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.click("#more")
    assert page.locator(".card").count() == 300


def _shown(page: Any) -> int:
    """Return how wide the frame is that stands on the stage, once there is one."""
    page.locator(".stage img").wait_for()
    return int(page.evaluate("document.querySelector('.stage img').naturalWidth"))


def _await_frame(page: Any, number: int) -> None:
    """Wait until a film has come so far; on a busy machine a frame may come and go unseen."""
    page.wait_for_function(
        "number => parseInt(document.querySelector('.told').textContent) >= number", arg=number
    )


def _step(page: Any, key: str, to: str) -> int:
    page.keyboard.press(key)
    page.wait_for_selector(f".stage [alt='Frame {to}']")
    return _shown(page)


def test_a_film_is_stepped_through_by_keys_and_slider(page: Any, stage: EmulatedDarwin) -> None:
    """Each frame is the picture of its number, with the time that the manifest tells."""
    post(stage, slotted(FILM, name="film.mp4"), read_only=True)
    page.click(".card")
    page.wait_for_selector(".told:has-text('0:00.05')")

    assert _shown(page) == 100
    assert page.inner_text(".told").split() == ["1", "/", "12", "0:00.05"]
    assert _step(page, "ArrowRight", "2") == 101
    assert _step(page, "ArrowRight", "3") == 102
    assert page.inner_text(".told").split() == ["3", "/", "12", "0:00.25"]
    assert _step(page, "ArrowLeft", "2") == 101
    page.fill(".controls input", "11")
    page.wait_for_selector(".stage [alt='Frame 12']")
    assert _shown(page) == 111
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".told").split() == ["12", "/", "12", "0:01.15"]


def test_a_film_plays_at_its_own_pace_past_a_missing_frame(page: Any, stage: EmulatedDarwin) -> None:
    """A tenth of a second a frame, as the manifest says; a frame that is not there is told, and passed."""
    post(stage, slotted(FILM, name="film.mp4"), read_only=True)
    page.click(".card")
    page.wait_for_selector(".told:has-text('0:00.05')")
    page.fill(".controls input", "5")
    page.wait_for_selector(".stage:has-text('Frame 6 cannot be shown.')")
    page.fill(".controls input", "0")
    page.evaluate(WATCH_BUTTON)
    began = page.evaluate("performance.now()")
    page.click("button[aria-label=Play]")
    page.wait_for_selector(".told:has-text('12 / 12')")
    page.wait_for_selector("button[aria-label=Play]")

    assert page.evaluate("performance.now()") - began >= 1000
    assert page.evaluate("labels") == ["Pause", "Play"]
    page.click("button[aria-label=Play]")
    _await_frame(page, 3)
    page.keyboard.press("ArrowLeft")
    assert page.locator("button[aria-label=Play]").count() == 1


def test_sections_are_played_without_a_manifest(page: Any, stage: EmulatedDarwin) -> None:
    """The documentation's shape tells no times: frames still come one after the other."""
    post(stage, sections(3, name="pages.mp4", path="/"), read_only=True)
    page.click(".card")

    assert _shown(page) == 201
    assert _step(page, "ArrowRight", "2") == 202
    assert page.inner_text(".told") == "2 / 3"
    page.click("button[aria-label=Play]")
    page.wait_for_selector(".told:has-text('3 / 3')")


def test_closing_an_item_ends_its_film(page: Any, stage: EmulatedDarwin) -> None:
    """Nothing goes on behind the page, and the next item begins at its own first frame."""
    post(stage, slotted(FILM, name="film.mp4"), read_only=True)
    page.click(".card")
    page.click("button[aria-label=Play]")
    _await_frame(page, 2)
    page.keyboard.press("Escape")
    page.wait_for_selector(".player", state="detached")
    page.click(".card")

    assert page.inner_text(".told").startswith("1 / 12")
    assert page.evaluate("players.length") == 1


def test_an_image_opens_at_full_size(page: Any, stage: EmulatedDarwin) -> None:
    """Pixel for pixel, with its size; a picture that a browser cannot show says so."""
    post(stage, still("1.jpg"), still("2.jpg"), read_only=True)
    page.click(".card:has-text('1.jpg')")
    page.click(".open")
    page.wait_for_selector("#full img")

    assert page.inner_text("#full-name") == "1.jpg, 900 \N{MULTIPLICATION SIGN} 600"
    box = page.locator("#full img").bounding_box()
    assert (box["width"], box["height"]) == (900, 600)
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_visible()
    page.keyboard.press("Escape")
    page.click(".card:has-text('2.jpg')")
    page.click(".open")
    page.wait_for_selector("#full-body:has-text('cannot show this file')")


def test_the_player_fits_a_narrow_screen(page: Any, stage: EmulatedDarwin) -> None:
    """Controls stay reachable on a telephone."""
    post(stage, slotted(FILM | {"file_name": WICKED}, name="x" * 180), read_only=True)
    page.set_viewport_size({"width": 360, "height": 740})
    page.click(".card")
    page.locator(".stage img").wait_for()

    assert page.evaluate("document.getElementById('detail').scrollWidth") <= 360
    assert page.locator(".told").bounding_box()["x"] < 360
