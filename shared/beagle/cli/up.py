"""`beagle up`: the real stack on this machine, for somebody's own files."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from beagle.cli.filters import state_file
from beagle.cli.output import aside, outcome_text, screen, styled
from beagle.cli.running import local_trouble, stops_on_request
from beagle.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.text import Text

    from beagle.playground.outcomes import Ended
    from beagle.playground.scene import Scene

LOOK_SECONDS = 0.5


def up(
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Its new or changed files are uploaded; by default demo-run/uploads."
        ),
    ] = None,
) -> None:
    """`beagle up --folder pictures` runs the stack that `beagle demo` shows, for your own files.

    A local AWS with the real template deployed, and a local Darwin with its page. What lies in the folder,
    and what is put there or changed later, is uploaded under its path in the folder; the outcomes are shown
    as they come. `beagle letters` and `beagle replay` work on it from another terminal. Ctrl-C takes all
    down.
    """
    from rich.text import Text  # noqa: PLC0415 - see the package

    from beagle.playground.scene import BUCKET, DATASET, set_scene  # noqa: PLC0415

    run = state_file().parent
    watched = folder or run / "uploads"
    _require_folder(watched)
    with local_trouble(), stops_on_request():
        waiting = aside().status("Starting the local AWS and Darwin, deploying the template")
        with waiting, set_scene(run) as scene:
            waiting.stop()
            for name, value in (
                ("page", scene.url),
                ("dataset", DATASET),
                ("folder", f"{watched} -> s3://{BUCKET}"),
            ):
                screen().print(Text.assemble((f"{name:<9}", "dim"), styled(value, "bold")), soft_wrap=True)
            screen().print(styled("Put files into the folder. Ctrl-C takes all down.", "dim"))
            _play(scene, watched)
    aside().print(styled("All is taken down.", "dim"))


def _require_folder(folder: Path) -> None:
    """Make the folder where it is not there, and look into it.

    Raises:
        ConfigurationError: It cannot be made, or not be read.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        next(folder.iterdir(), None)
    except FileExistsError as error:
        raise ConfigurationError(f"{folder} is not a folder.") from error
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder} cannot be made or read: {error.strerror}. Name another one (--folder)."
        ) from error


def _play(scene: Scene, folder: Path) -> None:
    import time  # noqa: PLC0415

    from beagle.playground.folder import WatchedFolder  # noqa: PLC0415

    watched = WatchedFolder(folder)
    told = 0
    while True:
        for key, path in watched.poll():
            try:
                scene.stack.upload(path, key)
            except (OSError, UnicodeEncodeError) as error:
                aside().print(styled(f"{key} cannot be uploaded: {error}", "yellow"), soft_wrap=True)
        ended = scene.outcomes()
        for one in ended[told:]:
            if one.ending != "passed_on":
                screen().print(outcome_line(one), soft_wrap=True)
        told = len(ended)
        time.sleep(LOOK_SECONDS)


def outcome_line(ended: Ended) -> Text:
    """Return an outcome as one line: what became of which object, and where it stands or why it does not."""
    from rich.text import Text  # noqa: PLC0415

    words = outcome_text(ended.ending)
    words.pad_right(max(0, 20 - len(words.plain)))
    return Text.assemble(words, styled(ended.key or "(a message)"), styled(f"  {where_or_why(ended)}", "dim"))


def where_or_why(ended: Ended) -> str:
    """Return the place of what stands, and the reason of what does not."""
    if ended.stands:
        return f"-> {ended.place}" + (f" ({ended.code})" if ended.code else "")
    return f"{ended.code}: {ended.detail}" if ended.detail else ended.code
