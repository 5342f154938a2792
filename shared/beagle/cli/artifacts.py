"""`beagle artifacts`: what read-only storage needs of one file, made on this machine."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from beagle.cli.filters import AsJson  # noqa: TC001 - Typer reads the annotations
from beagle.cli.output import FAILED, aside, pretty_json, print_line, screen, styled, wants_lines
from beagle.cli.running import stops_on_request
from beagle.domain.errors import BeagleError, ConfigurationError
from beagle.domain.media import MediaKind  # noqa: TC001 - Typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

MEDIA = frozenset({"PIL", "imageio_ffmpeg", "isal", "numpy", "pillow_heif", "pydicom", "pypdfium2"})
"""What the extra `media` brings."""


class MediaLibrariesError(BeagleError):
    """What decodes files is not installed."""

    code = "no_media_libraries"


def artifacts(  # noqa: PLR0913, PLR0917 - each an option
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An image, a video, a DICOM file or a PDF.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the artifacts go: a new or an empty folder.")
    ],
    storage_key: Annotated[
        str,
        typer.Option(
            metavar="KEY", help="FILE's own storage key, as Darwin receives it; its end tells the type."
        ),
    ],
    kind: Annotated[
        MediaKind | None,
        typer.Option(
            "--type",
            help="What FILE is, where the key's end does not say: HEIC and AVIF.",
            show_default=False,
        ),
    ] = None,
    artifact_prefix: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="What the artifacts' storage keys begin with. By default of the form that deployments use, "
            "`.beagle/12/12ab...-name/`, made from KEY, FILE's SHA-256 and the options.",
            show_default=False,
        ),
    ] = None,
    fps: Annotated[
        str, typer.Option(metavar="F", help="Frames a second that become visible; `native` for all.")
    ] = "native",
    frames: Annotated[
        str, typer.Option(help="As `png`, without loss, or `jpeg:N`, N from 2 (best) to 31.")
    ] = "png",
    shape: Annotated[
        Literal["hls", "sections"], typer.Option(help="A video as segments to play, or as every frame.")
    ] = "hls",
    profile: Annotated[
        Literal["fast", "equal"],
        typer.Option(help="Segments encoded fast, or with darwin-py's own settings: twice the time."),
    ] = "fast",
    size: Annotated[
        Literal["shown", "stored"],
        typer.Option(help="An image as browsers show it, or before EXIF orientation."),
    ] = "shown",
    *,
    preview: Annotated[
        bool, typer.Option("--preview/--no-preview", help="Small frames besides, for quick looks.")
    ] = True,
    convert: Annotated[
        bool, typer.Option("--convert", help="Draw DICOM and PDF, which read-only storage does not know.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """`beagle artifacts clip.mp4 --out made --storage-key clips/clip.mp4` makes what read-only storage needs.

    The thumbnail and, of a video, every frame, the segments, the manifest and the audio peaks, by the code
    that the functions run. The item, as `register_existing_readonly` takes it, goes to standard output as one
    JSON object. Put the content of DIR into the bucket below the prefix that is told, then register it.

    Exits with 1 where the file can have no artifacts, and leaves nothing in DIR then.
    """
    _require_option("--fps", "fps", fps)
    _require_option("--frames", "frames", frames)
    _require_new(out)
    route: dict[str, object] = {
        "image": {"size": size},
        "video": {
            "fps": fps,
            "frames": frames,
            "preview_frames": preview,
            "shape": shape,
            "profile": profile,
        },
        "dicom": {"convert": convert},
        "pdf": {"convert": convert},
    }
    if kind:
        route["type"] = kind
    console, payload, prefix = aside(), None, ""
    with stops_on_request(), _libraries(), _progress(console) as progress, _whole_or_nothing(out):
        from beagle.bootstrap.local import Workbench  # noqa: PLC0415 - see the package
        from beagle.registration.payloads import build_item  # noqa: PLC0415

        bench = Workbench.for_file(
            file, storage_key, route, folder=out, prefix=artifact_prefix, progress=progress
        )
        payload, prefix = build_item(bench.make()), bench.sink.prefix
    if payload is None:
        console.print(styled("Stopped.", "dim"))
        raise typer.Exit(FAILED)
    made = sum(1 for path in out.rglob("*") if path.is_file())
    console.print(
        styled(f"{made} file{'' if made == 1 else 's'} in {out}, for the bucket below {prefix}", "green"),
        soft_wrap=True,
    )
    if wants_lines(as_json):
        print_line(payload)
    else:
        screen().print(pretty_json(payload))


def _require_new(folder: Path) -> None:
    """Require a folder whose files can be none but those that we make.

    Raises:
        ConfigurationError: Something is there, or it cannot be looked into.

    """
    try:
        if next(folder.iterdir(), None) is not None:
            raise ConfigurationError(f"{folder} is not empty: what lies there would mix with the artifacts.")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot take the artifacts: {error.strerror}.") from error


def _require_option(option: str, field: str, value: str) -> None:
    from pydantic import ValidationError  # noqa: PLC0415

    from beagle.domain.kinds import Video  # noqa: PLC0415

    try:
        Video.model_validate({field: value})
    except ValidationError as error:
        about = {
            "fps": "a number greater than 0, or native",
            "frames": "png, or jpeg:N with N from 2 (best) to 31",
        }
        raise ConfigurationError(f"{option} {value!r} is not {about[field]}.") from error


@contextmanager
def _whole_or_nothing(folder: Path) -> Iterator[None]:
    """Leave in the folder what was made, or nothing; a folder that was not there goes again."""
    was_there = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be made: {error.strerror}.") from error
    try:
        yield
    except BaseException:
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if not was_there:
            folder.rmdir()
        raise


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Show a bar to whoever looks: frames of a video, or that something is going on."""
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("Making artifacts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _libraries() -> Iterator[None]:
    """Say in a sentence which library is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in MEDIA:
            raise
        raise MediaLibrariesError(
            f"{error.name} is not installed: pip install 'beagle[media]' brings what decodes files."
        ) from error
