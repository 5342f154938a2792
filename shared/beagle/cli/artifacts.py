"""`beagle artifacts`: what read-only storage needs of one file, made on this machine."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from beagle.cli.filters import AsJson  # noqa: TC001 - Typer reads the annotations
from beagle.cli.output import FAILED, aside, pretty_json, print_line, screen, styled, wants_lines
from beagle.cli.running import stops_on_request
from beagle.cli.videos import Fps, Frames, require_video_options
from beagle.domain.errors import BeagleError, ConfigurationError, UnregisterableKeyError
from beagle.domain.events import ObjectRef
from beagle.domain.keys import derive_storage_key
from beagle.domain.media import MediaKind  # noqa: TC001 - Typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
            help="What the artifacts' storage keys begin with: a folder of FILE's own. By default of the "
            "form that deployments on AWS and Google Cloud use, `.beagle/12/12ab...-name/`, made from KEY, "
            "FILE's SHA-256 and the options. On Azure these keys begin with the container, as KEY does: say "
            "`CONTAINER/.beagle/name/`. Where a deployment watches the bucket, stay below its own prefix "
            "(by default `.beagle/`): whatever artifact lies elsewhere is a new upload to it.",
            show_default=False,
        ),
    ] = None,
    fps: Fps = "native",
    frames: Frames = "png",
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
    JSON object. Put the content of DIR into the bucket below the prefix that is told, with the headers that
    are told there, then register it. With the AWS CLI that is a run for each line: `aws s3 cp DIR
    s3://BUCKET/PREFIX --recursive --exclude "*" --include "*.gz" --content-type application/octet-stream
    --content-encoding gzip`. On Azure the container is no part of the blobs' own names.

    Exits with 1 where the file can have no artifacts, and leaves nothing in DIR then.
    """
    require_video_options(fps, frames)
    named = None if artifact_prefix is None else _prefix_of(artifact_prefix)
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
    console, payload, sink = aside(), None, None
    with stops_on_request(), _libraries(), _progress(console) as progress, _whole_or_nothing(out):
        from beagle.bootstrap.local import Workbench  # noqa: PLC0415 - see the package
        from beagle.registration.payloads import build_item  # noqa: PLC0415

        bench = Workbench.for_file(file, storage_key, route, folder=out, prefix=named, progress=progress)
        payload, sink = build_item(bench.make()), bench.sink
    if payload is None or sink is None:
        console.print(styled("Stopped.", "dim"))
        raise typer.Exit(FAILED)
    made = len(sink.headers)
    console.print(
        styled(
            f"{made} file{'' if made == 1 else 's'} in {out}, for the bucket below {sink.prefix}", "green"
        ),
        soft_wrap=True,
    )
    console.print(styled("with the headers that files do not keep:", "dim"))
    for line in _told_headers(sink.headers):
        console.print(styled(f"  {line}"), soft_wrap=True)
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


def _prefix_of(text: str) -> str:
    """Return a prefix that ends in a slash, and with which Darwin takes keys.

    Raises:
        ConfigurationError: No storage key begins like that.

    """
    try:
        derive_storage_key(ObjectRef(provider="local", bucket="", key=text))
    except UnregisterableKeyError as error:
        raise ConfigurationError(f"--artifact-prefix {text!r} cannot begin a storage key. {error}") from error
    return text if text.endswith("/") else f"{text}/"


def _told_headers(headers: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return which headers belong to the files that end alike, a line each."""
    lines = {
        f"*{PurePosixPath(name).suffix}".ljust(8)
        + "  ".join(f"{header}: {value}" for header, value in told.items())
        for name, told in headers.items()
    }
    return sorted(lines)


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
