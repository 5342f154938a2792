from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import beagle
from beagle.domain.answers import Postponed, Refused
from beagle.emulator import EmulatedDarwin, Fault, Server
from registration.samples import MINUTE, TO_UPLOADS, client_of, images, registrar_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "CANARY7.0123456789abcdef0123456789abcdef"
OURS = str(Path(beagle.__file__).parent / "registration")

FAULTS = {
    "none": [],
    "reset": [Fault(kind="reset", count=None)],
    "reset, then silence": [Fault(kind="reset"), Fault(kind="hang", seconds=2)],
    "reset in the reply": [Fault(kind="reset_mid_body")],
    "truncated": [Fault(kind="truncated_json")],
    "HTML": [Fault(kind="html", status=200)],
    "empty": [Fault(kind="empty")],
    "blocked": [Fault(kind="block")],
    **{
        str(status): [Fault(kind="status", status=status, count=None)]
        for status in (302, 400, 401, 403, 404, 413, 422, 429, 500, 502, 503)
    },
}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("name", [*FAULTS, "unreachable", "no TLS"])
def test_the_api_key_shows_nowhere_whatever_happens(
    darwin: EmulatedDarwin, server: Server, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Not in logs, not in reprs, not in errors and their causes, nor in what tracebacks hold of ours."""
    caplog.set_level(logging.DEBUG)
    darwin.add_key(secret=CANARY)
    darwin.inject(*FAULTS.get(name, []))
    url = {"unreachable": "http://127.0.0.1:9", "no TLS": f"https://127.0.0.1:{server.port}"}.get(
        name, server.url
    )
    client = client_of(url, CANARY, longest_silence=0.3)
    registrar = registrar_of(client)

    answers = registrar.register(TO_UPLOADS, images(2), MINUTE)

    shown = [
        caplog.text,
        repr(client),
        repr(vars(client)),
        repr(registrar),
        repr(vars(registrar)),
        repr(answers),
    ]
    shown += [repr(record.__dict__) for record in caplog.records]
    for answer in answers:
        for error in chain(answer.error if isinstance(answer, Postponed | Refused) else None):
            shown += [repr(error), str(error), repr(vars(error)), "".join(traceback.format_exception(error))]
            request = getattr(error, "request", None)
            shown.append(repr(getattr(request, "headers", None)))
            for frame, _ in traceback.walk_tb(error.__traceback__):
                if frame.f_code.co_filename.startswith(OURS):
                    shown.append(repr(frame.f_locals))
    assert len(shown) > 5
    assert not [text for text in shown if CANARY in text or CANARY[8:] in text]
