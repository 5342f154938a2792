"""`beagle demo`: the whole way on one machine, from upload to replay, with books that add up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from beagle.cli.filters import choice_of, list_oldest_first, state_file
from beagle.cli.output import FAILED, screen
from beagle.cli.running import local_trouble, stops_on_request, wait_for_the_end

if TYPE_CHECKING:
    from beagle.cli.demo_show import Show
    from beagle.playground.run import Run
    from beagle.playground.scene import Scene


def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running until Ctrl-C.")] = False,
) -> None:
    """`beagle demo` uploads real files to a local AWS and shows what becomes of each.

    The template of this checkout is deployed for real; Darwin is played by the emulator. Every
    announcement is delivered twice; one object cannot be registered, its cause is mended, and it is
    replayed. In the end the books of every object must add up, or the command exits with 1.
    """
    from beagle.cli.demo_show import Show  # noqa: PLC0415 - see the package

    show = Show(screen())
    adds_up = False
    with local_trouble(), stops_on_request():
        adds_up = _perform(show, keep=keep)
    if not adds_up:
        raise typer.Exit(FAILED)


def _perform(show: Show, *, keep: bool) -> bool:
    from beagle.playground.run import Run  # noqa: PLC0415
    from beagle.playground.scene import set_scene  # noqa: PLC0415
    from beagle.playground.story import ROUTES  # noqa: PLC0415

    show.title("A local AWS, and a local Darwin")
    with set_scene(state_file().parent, routes=ROUTES, tell=show.step) as scene:
        run = Run(scene)
        show.title("Real files land in the bucket; every announcement is delivered twice")
        with show.watching(run):
            run.upload()
            run.announce_again()
        _mend_and_replay(run, scene, show)
        show.title("The books")
        books = run.books()
        show.books(books)
        show.page(scene.url, keep=keep)
        if keep:
            with stops_on_request():
                wait_for_the_end()
        return books.add_up


def _mend_and_replay(run: Run, scene: Scene, show: Show) -> None:
    """Do what an operator does, by the code of `beagle letters` and `beagle replay`."""
    from beagle.bootstrap.operator import local_deployment  # noqa: PLC0415
    from beagle.cli.replay import run_plan  # noqa: PLC0415
    from beagle.pipeline.replay import plan_replay  # noqa: PLC0415
    from beagle.playground.story import COLLISION, CORRECTED_ROUTES, CORRECTION  # noqa: PLC0415
    from beagle.providers.local.clock import SystemClock  # noqa: PLC0415

    now = SystemClock().now()
    place = local_deployment(scene.local, "the demo")
    box = place.letter_box()
    try:
        show.title("beagle letters")
        steps = plan_replay(list_oldest_first(box), choice_of(["name_collision"], "", "", None, now))
        show.letters(steps, now)
        show.title("routes.yaml is mended and deployed again")
        show.correct(COLLISION, CORRECTION)
        scene.redeploy(CORRECTED_ROUTES)
        show.title("beagle replay --code name_collision")
        show.plan(steps)
        show.skip(run)
        done = [one for one in run_plan(steps, place, box, show.console) if one.error is None]
    finally:
        box.release()
    keys = [one.step.letter.event.ref.key for one in done if one.step.letter.event]
    with show.telling(run):
        run.replayed(keys, sum(len(one.step.copies) for one in done))
