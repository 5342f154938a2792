"""The page in a real browser: it shows what is registered, by itself, and runs nothing that was uploaded."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from beagle.emulator import EmulatedDarwin, Fault, Hooks, Server, serve
from beagle.emulator.pictures import THUMBNAIL
from emulator.samples import artifacts, flat, hls, post, slot, slotted

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
WICKED = '<img src=x onerror="document.title=1">'


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
    objects = artifacts() | {"artifacts/clip/thumbnail.jpg": THUMBNAIL}
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
    assert not page.locator("dialog").is_visible()


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
