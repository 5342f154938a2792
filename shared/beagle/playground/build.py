"""What `make build` runs: the packages of one provider, and the zip files that Terraform uploads."""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path

from beagle.domain.errors import BeagleError
from beagle.domain.waiting import bound_waits
from beagle.playground.packaging import (
    FUNCTIONS,
    MACHINES,
    archive_of,
    build_app,
    build_function,
    build_layer,
    build_source,
    project_root,
    zip_folder,
)
from beagle.playground.wheels import LAMBDA_PYTHON, lambda_interpreter
from beagle.providers import azure, gcp
from beagle.settings import read_settings, routes_of

LONGEST_WAIT_HOURS = {"azure": azure.LONGEST_WAIT_HOURS, "gcp": gcp.LONGEST_WAIT_HOURS}
"""On AWS a stage says when a message comes again, and may spread its receives over any wait."""


def check_routes(file: Path, provider: str = "aws") -> None:
    """Refuse to build what would not start: the same checks, with the place that the template writes to.

    Which bucket a deployment hears of is not known here.

    Raises:
        SystemExit: The routes do not hold together, or could start themselves; it says how.

    """
    if not file.is_file():
        raise SystemExit(f"{file}: there is no such file.")
    try:
        routes = routes_of(read_settings({"BEAGLE_ROUTES": file.name}), file.parent)
        bound_waits(routes, LONGEST_WAIT_HOURS.get(provider, math.inf))
    except BeagleError as error:
        raise SystemExit(f"{file}: {error} ({error.code})") from error


def build(root: Path, folder: Path, provider: str, machine: str, routes: Path | None) -> Iterator[Path]:
    """Build for a provider, and yield each package and its zip file."""
    functions = folder / "functions" / provider
    for name in FUNCTIONS:
        match provider:
            case "gcp":
                package = build_source(root, name, functions / name, routes=routes)
                archive = zip_folder(package)
            case "azure":
                package = build_app(root, name, functions / name, routes=routes)
                archive = archive_of(package)
            case _:
                package = build_function(
                    root, name, functions / name, machine=MACHINES[machine], routes=routes
                )
                archive = archive_of(package)
        yield from (package, archive)
    # Terraform refuses packages whose routes come from elsewhere than the deployment says.
    (functions / "routes").write_text("parameters\n" if routes is None else "file\n")
    if provider == "aws":
        layer = build_layer(root, folder / "layers" / "ffmpeg", machine=MACHINES[machine])
        yield from (layer, archive_of(layer))
        # Likewise packages for another processor than the functions'.
        (folder / "architecture").write_text(f"{machine}\n")


def main() -> None:
    """Build the folders that `sam deploy` looks for, and the zip files that Terraform uploads."""
    parser = argparse.ArgumentParser(prog="python -m beagle.playground.build", description=main.__doc__)
    parser.add_argument(
        "--provider", choices=("aws", "azure", "gcp"), default="aws", help="where it will be deployed"
    )
    parser.add_argument("--routes", type=Path, help="a routes.yaml to deploy with the functions")
    parser.add_argument("--machine", choices=MACHINES, default="arm64", help="the functions' processors")
    options = parser.parse_args()
    if options.routes is not None:
        check_routes(options.routes, options.provider)
    if options.provider != "gcp" and lambda_interpreter() is None:
        print(  # noqa: T201 - see below
            f"No Python {LAMBDA_PYTHON} on this machine: the packages are built without bytecode, and each "
            "cold start takes longer. Install one (uv python install 3.13) and build again to have it.",
            file=sys.stderr,
        )
    root = project_root()
    for made in build(root, root / ".build", options.provider, options.machine, options.routes):
        print(made)  # noqa: T201 - what a caller of this command wants to know


if __name__ == "__main__":
    main()
