"""How a video's frames are chosen and stored: the options that `artifacts` and `estimate` share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from beagle.domain.errors import ConfigurationError

Fps = Annotated[str, typer.Option(metavar="F", help="Frames a second that become visible; `native` for all.")]
Frames = Annotated[str, typer.Option(help="As `png`, without loss, or `jpeg:N`, N from 2 (best) to 31.")]


def require_video_options(fps: str, frames: str) -> float | Literal["native"]:
    """Return the frames a second that a route would take from the same words.

    Raises:
        ConfigurationError: A route would refuse one of them; only that one is named.

    """
    from pydantic import ValidationError  # noqa: PLC0415 - see the package

    from beagle.domain.kinds import Video  # noqa: PLC0415

    try:
        asked = Video.model_validate({"fps": fps, "frames": frames})
    except ValidationError as error:
        if any(fault["loc"][0] == "fps" for fault in error.errors()):
            raise ConfigurationError(f"--fps {fps!r} is not a number greater than 0, or native.") from error
        raise ConfigurationError(
            f"--frames {frames!r} is not png, or jpeg:N with N from 2 (best) to 31."
        ) from error
    return asked.fps or "native"
