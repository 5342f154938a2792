"""The emulated Darwin on a real port: connections that hold, break, hang and trickle."""

import http.client
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from beagle.emulator import DEFAULT_KEY, EmulatedDarwin, Fault, Server, serve
from emulator.samples import READ_WRITE, body, flat


def send(server: Server, *names: str, timeout: float = 5) -> requests.Response:
    """Register over the wire, on a connection of its own."""
    return requests.post(
        server.url + READ_WRITE,
        json=body(*(flat(name) for name in names)),
        headers={"Authorization": f"ApiKey {DEFAULT_KEY}"},
        timeout=timeout,
        allow_redirects=False,
    )


def are_left_after(before: set[threading.Thread]) -> set[threading.Thread]:
    """Return which threads stay that were not there before: those of other tests may end meanwhile."""
    deadline = time.monotonic() + 30
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.001)
    return left


def wait_for_requests(darwin: EmulatedDarwin, count: int) -> None:
    """Return when so many requests were served; their answers need not have been sent."""
    deadline = time.monotonic() + 30
    while len(darwin.requests()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_registration_over_the_wire(server: Server, darwin: EmulatedDarwin) -> None:
    """The same reply as in process."""
    reply = send(server, "ä b+%2F.jpg")

    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("application/json")
    assert reply.json()["items"][0]["name"] == darwin.items()[0].name == "ä b+%2F.jpg"


def test_one_connection_serves_many_requests(server: Server) -> None:
    """HTTP/1.1 keep-alive, also after refusals, errors and odd methods."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.connect()
    socket = connection.sock
    for method, path in [
        ("GET", "/"),
        ("HEAD", "/"),
        ("POST", READ_WRITE),
        ("GET", "/nowhere"),
        ("PATCH", "/api/datasets"),
        ("GET", "/api/users/token_info"),
    ]:
        connection.request(method, path, body=b"{}" if method == "POST" else None)
        connection.getresponse().read()

    assert connection.sock is socket
    connection.close()


def test_a_hang_answers_nothing_in_time(server: Server, darwin: EmulatedDarwin) -> None:
    """The client's own patience ends it; the items may be registered or not."""
    darwin.inject(Fault(kind="hang", seconds=30), Fault(kind="hang", seconds=30, when="after"))

    with pytest.raises(requests.ReadTimeout):
        send(server, "lost.jpg", timeout=0.2)
    wait_for_requests(darwin, 1)
    with pytest.raises(requests.ReadTimeout):
        send(server, "kept.jpg", timeout=0.2)
    wait_for_requests(darwin, 2)

    assert [item.name for item in darwin.items()] == ["kept.jpg"]


def test_a_hang_that_ends_closes_the_connection(server: Server, darwin: EmulatedDarwin) -> None:
    """Without a single byte of an answer."""
    darwin.inject(Fault(kind="hang", seconds=0.01))

    with pytest.raises(requests.ConnectionError, match="without response"):
        send(server, "1.jpg")


def test_closing_releases_whoever_hangs(darwin: EmulatedDarwin) -> None:
    """No thread is left waiting, and the port is free again."""
    darwin.inject(Fault(kind="hang", seconds=600))
    before = set(threading.enumerate())
    with ThreadPoolExecutor() as pool, serve(darwin) as server:
        waiting = pool.submit(send, server, "1.jpg", timeout=60)
        wait_for_requests(darwin, 1)
        started = time.monotonic()
        server.close()
        server.close()

        assert isinstance(waiting.exception(timeout=5), requests.ConnectionError)
        assert time.monotonic() - started < 5

    assert are_left_after(before) == set()
    with serve(darwin, port=server.port) as again:
        assert send(again, "2.jpg").status_code == 200


def test_closing_ends_idle_connections(darwin: EmulatedDarwin) -> None:
    """A client that keeps its connection open does not keep the emulator open."""
    before = set(threading.enumerate())
    session = requests.Session()
    with serve(darwin) as server:
        session.get(server.url, timeout=5)

    assert are_left_after(before) == set()
    with pytest.raises(requests.ConnectionError):
        session.get(server.url, timeout=5)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reset_is_a_reset(server: Server, darwin: EmulatedDarwin, when: str) -> None:
    """Not a farewell: the client's socket fails."""
    darwin.inject(Fault.model_validate({"kind": "reset", "when": when}))

    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        send(server, "1.jpg")
    assert len(darwin.items()) == (when == "after")


def test_half_an_answer_is_noticed_as_such(server: Server, darwin: EmulatedDarwin) -> None:
    """The length was promised, the connection broke: the items are registered."""
    darwin.inject(Fault(kind="reset_mid_body"))

    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        send(server, "1.jpg")
    assert len(darwin.items()) == 1


def test_truncated_json_is_whole_as_http(server: Server, darwin: EmulatedDarwin) -> None:
    """Only the parser notices."""
    darwin.inject(Fault(kind="truncated_json"))
    reply = send(server, "1.jpg")

    assert reply.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        reply.json()


def test_an_empty_200_and_an_html_page_arrive(server: Server, darwin: EmulatedDarwin) -> None:
    """What proxies make of an answer."""
    darwin.inject(Fault(kind="empty"), Fault(kind="html"))

    assert (send(server, "1.jpg").status_code, darwin.items()[0].name) == (200, "1.jpg")
    page = send(server, "2.jpg")
    assert (page.status_code, page.text[:6]) == (502, "<html>")


def test_a_drip_arrives_in_the_end(server: Server, darwin: EmulatedDarwin) -> None:
    """Every read succeeds, so a read time-out alone does not bound the call."""
    darwin.inject(Fault(kind="drip", seconds=3))
    started = time.monotonic()
    reply = send(server, "1.jpg", timeout=1)

    assert reply.json()["items"][0]["name"] == "1.jpg"
    assert time.monotonic() - started > 1


def test_a_redirect_is_not_followed_by_itself(server: Server, darwin: EmulatedDarwin) -> None:
    """It arrives with its target."""
    darwin.inject(Fault(kind="status", status=302))

    assert send(server, "1.jpg").headers["Location"] == "http://127.0.0.1:9/elsewhere"


def test_many_clients_at_once_register_each_name_once(server: Server, darwin: EmulatedDarwin) -> None:
    """Eight clients want the same two hundred names: each is accepted exactly once."""
    names = [f"{n}.jpg" for n in range(200)]

    def client(_: int) -> list[str]:
        replies = [send(server, *names[start : start + 20]).json() for start in range(0, 200, 20)]
        return [item["name"] for reply in replies for item in reply["items"]]

    with ThreadPoolExecutor(8) as pool:
        got = [name for accepted in pool.map(client, range(8)) for name in accepted]

    assert sorted(got) == sorted(names)
    assert len(darwin.items()) == 200
    assert sum(entry.items for entry in darwin.requests()) == 8 * 200
    assert sum(entry.registered + entry.blocked for entry in darwin.requests()) == 8 * 200


def test_a_body_of_unknown_length_is_refused(server: Server) -> None:
    """Chunked requests are not spoken here; the connection ends, so nothing is misread."""
    reply = requests.post(server.url + READ_WRITE, data=iter([b"{}"]), timeout=5)

    assert reply.status_code in {411, 413}
    assert reply.headers["Connection"] == "close"


def test_one_command_starts_it() -> None:
    """It says where it is and which key opens it."""
    command = [sys.executable, "-m", "beagle.emulator", "--port", "0"]
    path = str(Path(__file__).parents[2] / "shared")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": path}) as process:
        assert process.stdout is not None
        url, _, _, _, key = process.stdout.readline().split()
        reply = requests.get(
            f"{url}/api/users/token_info", headers={"Authorization": f"ApiKey {key}"}, timeout=5
        )
        process.send_signal(signal.SIGINT)

        assert reply.json()["selected_team"]["slug"] == "acme"
        assert process.wait(timeout=10) == 0
