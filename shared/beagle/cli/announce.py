"""`beagle announce`: have a bucket that exists tell EventBridge of its objects."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from beagle.cli.filters import AsJson  # noqa: TC001 - Typer reads the annotations
from beagle.cli.output import aside, print_line, screen, styled, wants_lines
from beagle.domain.errors import ConfigurationError


def announce(
    bucket: Annotated[str, typer.Argument(metavar="BUCKET", help="The bucket's name.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be changed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """`beagle announce acme-uploads` switches EventBridge on for a bucket, and keeps all that it has.

    S3 keeps a bucket's notifications in one document, which every change replaces as a whole: writing only
    your own entry erases everyone else's. This reads the document, adds EventBridge, writes it back, and
    looks.
    """
    from beagle.bootstrap.operator import aws_client  # noqa: PLC0415 - see the package
    from beagle.providers.aws.announcing import read_announcing, write_announcing  # noqa: PLC0415

    asks = not (yes or dry_run)
    if asks and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigurationError("No terminal to confirm on: pass --yes to proceed, or --dry-run to preview.")
    client = aws_client("s3")
    found = read_announcing(client, bucket)
    changes = not found.to_eventbridge
    if not wants_lines(as_json):
        for arn in found.others:
            screen().print(styled(f"told already, and left alone: {arn}", "dim"), soft_wrap=True)
        screen().print(
            styled(
                f"EventBridge will be told of the objects of {bucket}"
                if changes
                else f"EventBridge is told of the objects of {bucket}: nothing to do",
                "bold" if changes else "green",
            )
        )
    if changes and found.others:
        # Whoever set those up may do it again, with the document as a whole.
        aside().print(
            "Does Terraform or CloudFormation set these up? Then switch EventBridge on there instead "
            "(eventbridge = true; EventBridgeEnabled: true): its next deployment would take this back.",
            soft_wrap=True,
        )
    done = changes and not dry_run and (not asks or typer.confirm("Change it?", err=True))
    if done:
        write_announcing(client, found.with_eventbridge())
        aside().print(styled(f"EventBridge is told of the objects of {bucket}", "green"))
    if wants_lines(as_json):
        others = list(found.others)
        print_line(
            {"bucket": bucket, "to_eventbridge": done or not changes, "changed": done, "others": others}
        )
