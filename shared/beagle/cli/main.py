"""The entry: `beagle`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from beagle import __version__
from beagle.cli import announce, artifacts, demo, emulator, estimate, explain, letters, replay, routes, up
from beagle.cli.output import FAILED, MISUSE, aside, styled
from beagle.domain.errors import BeagleError, ConfigurationError


class _App(typer.Typer):
    """Ends trouble that is expected as one sentence; a bug still shows its traceback."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the base class
        try:
            return super().__call__(*args, **kwargs)
        except BeagleError as error:
            aside().print(styled(error, "bold red"), styled(f"({error.code})", "dim"), soft_wrap=True)
            raise SystemExit(MISUSE if isinstance(error, ConfigurationError) else FAILED) from error


app = _App(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print local variables, keys among them
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if wanted:
        typer.echo(f"beagle {__version__}")
        raise typer.Exit


@app.callback()
def beagle(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """Register what lands in a bucket as items of a V7 Darwin dataset, and look after what could not be."""


app.command(short_help="See it work: the real template on a local AWS, from upload to replay.")(demo.demo)
app.command(short_help="Run the same stack for your own files, until Ctrl-C.")(up.up)
app.command(short_help="Tell what would become of a notification, without talking to anybody.")(
    explain.explain
)
app.command(short_help="List the dead letters: what could not be registered, why, and what to do.")(
    letters.letters
)
app.command(short_help="Send dead letters through again, once their cause is mended.")(replay.replay)
app.command(short_help="Make what read-only storage needs of one file, on this machine.")(artifacts.artifacts)
app.command(short_help="Tell what a deployment costs a month, line by line, before there is one.")(
    estimate.estimate
)
app.command(
    short_help="Turn on announcements for an S3 bucket that exists, without touching its other notifications."
)(announce.announce)
app.add_typer(routes.app, name="routes", short_help="Check a routes file; export its JSON Schema.")
app.command(short_help="Run a local Darwin, with a page to look at.")(emulator.emulator)
