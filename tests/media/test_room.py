"""What the machine must have before a video is extracted: room for the file, and an ffmpeg."""

import platform
from pathlib import Path

import pytest

from beagle.domain.errors import ConfigurationError, MediaTooLargeError
from beagle.domain.items import ReadyItem
from beagle.domain.routes import parse_routes
from beagle.domain.routing import route_event
from beagle.media.maker import Maker
from beagle.media.video import ffmpeg
from beagle.playground.packaging import build_layer, project_root
from support.world import ROUTES, Budget, World

pytestmark = pytest.mark.xdist_group("packages")


class Enormous:
    """An object that no disk holds."""

    size = 1 << 60

    def read(self, start: int, length: int) -> bytes:
        raise AssertionError((start, length))

    def download(self, to: Path) -> None:
        raise AssertionError(to)


def test_a_video_that_fits_on_no_disk_is_refused_before_its_download() -> None:
    """It is a dead letter that says how large it is, not an invocation that fails again and again."""
    world = World()
    event = world.event("a/film.mp4")
    [route] = ROUTES["routes"]
    routes = parse_routes({"team": "acme", "routes": [{**route, "access": "read_only"}]})
    ready = ReadyItem(event=event, item=route_event(routes, event).item, route="r")
    maker = Maker(lambda _: Enormous(), lambda *_: None, invocation_seconds=900)

    with pytest.raises(MediaTooLargeError, match="1,152,921,504,606,846,976 bytes"):
        maker.make(ready, Budget(world.clock, 60))


def test_without_the_wheel_the_layers_program_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Lambda: no imageio-ffmpeg, but /opt/bin on the PATH. The layer is the one that is deployed."""
    machine = platform.machine()
    if machine not in {"x86_64", "aarch64"}:
        pytest.skip(f"no layer runs on {machine}")
    layer = build_layer(
        project_root(), project_root() / ".cache" / "package" / machine / "ffmpeg", machine=machine
    )
    monkeypatch.setattr(ffmpeg, "_packaged", lambda: None)
    monkeypatch.setenv("PATH", str(layer / "bin"))

    assert ffmpeg.find_ffmpeg().path == layer / "bin" / "ffmpeg"


def test_without_any_ffmpeg_the_deployer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a fault of the deployment: videos wait until it is mended."""
    monkeypatch.setattr(ffmpeg, "_packaged", lambda: None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(ConfigurationError, match="no ffmpeg"):
        ffmpeg.find_ffmpeg()
