from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
import requests
from pydantic import SecretStr

import beagle
from beagle.domain.errors import (
    ConfigurationError,
    DarwinAmbiguousError,
    DarwinNotAskedError,
    DarwinUnauthorizedError,
    DarwinUnreachableError,
    SecretUnavailableError,
)
from beagle.emulator import DEFAULT_KEY, EmulatedDarwin, Fault, Server, serve
from beagle.providers.local.clock import FakeClock, SystemClock
from beagle.registration.payloads import build_request
from registration.samples import TO_UPLOADS, Left, client_of, item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from beagle.registration.client import DarwinClient

PATH = "/api/v2/teams/acme/items/register_existing"
BODY = build_request(TO_UPLOADS, [item("a.jpg")])
MINUTE = Left(60)


@pytest.fixture
def seen() -> Iterator[list[dict[str, str]]]:
    """The headers that a server on this machine was sent; the first entry is its URL."""
    headers: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers.append(dict(self.headers))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    headers.append({"url": f"http://127.0.0.1:{server.server_port}"})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield headers
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def answering(head: bytes, body: bytes) -> Iterator[str]:
    """Lend the address of a server that sends these bytes to whoever connects first."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(head + body)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_a_request_says_who_asks_and_shows_the_key_as_darwin_wants_it(seen: list[dict[str, str]]) -> None:
    client_of(seen[0]["url"], "1234567.secret\n").post(PATH, BODY, MINUTE)

    [headers] = seen[1:]
    assert headers["Authorization"] == "ApiKey 1234567.secret"
    assert headers["User-Agent"] == f"beagle/{beagle.__version__}"
    assert headers["Content-Length"] == str(len(BODY))
    assert headers["Content-Type"] == "application/json"


def test_a_redirect_is_an_answer_and_never_followed(
    darwin: EmulatedDarwin, client: DarwinClient, seen: list[dict[str, str]]
) -> None:
    """Followed, it would carry the key, or the items, to wherever the answer points."""
    for status in (301, 302, 307, 308):
        darwin.inject(Fault(kind="status", status=status, location=seen[0]["url"]))
        assert client.post(PATH, BODY, MINUTE).status == status

    assert seen[1:] == []


@pytest.mark.parametrize("location", ["http://[", "//\xff\xfe", "http://a b:port/", "%%%"])
def test_a_redirect_to_nowhere_is_an_answer_too(
    darwin: EmulatedDarwin, client: DarwinClient, location: str
) -> None:
    """Where it points is not even read."""
    darwin.inject(Fault(kind="status", status=302, location=location))

    assert client.post(PATH, BODY, MINUTE).status == 302


def test_a_redirect_with_a_flood_behind_it_is_read_no_further_than_any_other() -> None:
    """What nobody asks for may not fill the memory."""
    with answering(
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 50000000\r\n\r\n", b"x" * 50_000_000
    ) as url:
        reply = client_of(url, most_bytes=1000).post(PATH, BODY, MINUTE)

    assert (reply.status, len(reply.body), reply.cut_short) == (302, 1000, True)


@pytest.mark.parametrize("key", ["1234567.secret", "1234567.secret\n"])
def test_a_proxy_that_echoes_the_request_does_not_get_the_key_into_the_reply(key: str) -> None:
    """What Darwin says goes into logs and dead letters."""
    body = b"refused: Authorization: ApiKey 1234567.secret"
    with answering(b"HTTP/1.1 422 Bad\r\nContent-Length: %d\r\n\r\n" % len(body), body) as url:
        reply = client_of(url, key).post(PATH, BODY, MINUTE)

    assert reply.body == b"refused: Authorization: ApiKey [the API key]"


@pytest.mark.parametrize(
    "url",
    [
        "http://darwin.v7labs.com",
        "http://127.0.0.1.example.com",
        "ftp://darwin.v7labs.com",
        "https://",
        "https://user:word@darwin.v7labs.com",
        "https://darwin.v7labs.com?x=1",
        "https://darwin.v7labs.com#x",
        "darwin.v7labs.com",
    ],
)
def test_the_key_goes_nowhere_but_to_one_host_over_https(url: str) -> None:
    with pytest.raises(ConfigurationError):
        client_of(url)


@pytest.mark.parametrize(
    "url", ["https://darwin.v7labs.com/", "http://localhost:1", "http://[::1]:1", "http://127.0.0.2:1"]
)
def test_any_host_over_https_and_this_machine_without_are_fine(url: str) -> None:
    client_of(url)


def test_no_proxy_and_no_netrc_of_the_environment_leads_the_key_elsewhere(
    client: DarwinClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    assert client.post(PATH, BODY, MINUTE).status == 200


def test_the_session_has_no_way_to_another_host(server: Server, seen: list[dict[str, str]]) -> None:
    client = client_of(server.url)
    for url in (
        seen[0]["url"],
        f"{server.url[:-1]}/",
        f"http://127.0.0.1:{server.port}@{seen[0]['url'][7:]}/",
    ):
        with pytest.raises(requests.exceptions.InvalidSchema):
            client._session().post(url)

    assert seen[1:] == []


def test_a_connection_that_rested_long_is_not_trusted(darwin: EmulatedDarwin) -> None:
    """A frozen function does not hear that the other side hung up: the next request must leave no doubt."""
    clock = FakeClock()
    ports: set[int] = set()
    with serve(darwin) as server:
        client = client_of(server.url, clock=clock)
        for pause in (0, 1, 21):
            clock.advance(pause)
            assert client.post(PATH, BODY, MINUTE).tries == 1
            ports |= {connection.getpeername()[1] for connection in server._listener.connections}

    assert len(ports) == 2


def test_no_connection_means_that_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        with pytest.raises(DarwinUnreachableError) as caught:
            client_of(f"http://127.0.0.1:{taken.getsockname()[1]}").post(PATH, BODY, MINUTE)

    assert not caught.value.committed
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("url", ["https://127.0.0.1:{port}", "https://nowhere.invalid"])
def test_no_name_and_no_tls_mean_that_nothing_was_sent(
    server: Server, darwin: EmulatedDarwin, url: str
) -> None:
    with pytest.raises(DarwinUnreachableError):
        client_of(url.format(port=server.port)).post(PATH, BODY, MINUTE)

    assert darwin.items() == []


def test_a_connection_that_fails_is_tried_three_times_with_a_growing_wait() -> None:
    clock = FakeClock()
    with pytest.raises(DarwinUnreachableError):
        client_of("http://127.0.0.1:9", clock=clock).post(PATH, BODY, MINUTE)

    assert 1 <= clock.monotonic() <= 1.5


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["reset", "hang"])
def test_a_request_without_a_reply_is_ambiguous_whether_darwin_acted_or_not(
    darwin: EmulatedDarwin, server: Server, kind: str, when: str
) -> None:
    darwin.inject(Fault(kind=kind, when=when, count=None, seconds=5))

    with pytest.raises(DarwinAmbiguousError) as caught:
        client_of(server.url, longest_silence=0.2).post(PATH, BODY, MINUTE)

    assert caught.value.committed


def test_silence_is_not_asked_again_at_once(darwin: EmulatedDarwin, server: Server) -> None:
    darwin.inject(Fault(kind="hang", count=None, seconds=5))

    with pytest.raises(DarwinAmbiguousError):
        client_of(server.url, longest_silence=0.2).post(PATH, BODY, MINUTE)

    time.sleep(0.05)
    assert len(darwin.requests()) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_trouble_is_mended_by_a_short_retry_that_tells_of_the_doubt(
    darwin: EmulatedDarwin, client: DarwinClient, status: int
) -> None:
    darwin.inject(Fault(kind="status", status=status, count=2))

    reply = client.post(PATH, BODY, MINUTE)

    assert (reply.status, reply.after_ambiguity, reply.tries) == (200, True, 3)


def test_a_request_that_went_well_at_once_leaves_no_doubt(client: DarwinClient) -> None:
    reply = client.post(PATH, BODY, MINUTE)

    assert (reply.status, reply.after_ambiguity, reply.tries) == (200, False, 1)


def test_an_unreachable_darwin_after_a_doubtful_try_leaves_the_doubt(darwin: EmulatedDarwin) -> None:
    server = serve(darwin)
    darwin.inject(Fault(kind="status", status=502, when="after"))

    class Closing(FakeClock):
        def sleep(self, seconds: float) -> None:
            server.close()
            super().sleep(seconds)

    with pytest.raises(DarwinAmbiguousError) as caught:
        client_of(server.url, clock=Closing()).post(PATH, BODY, MINUTE)

    assert caught.value.committed
    assert len(darwin.items()) == 1


@pytest.mark.parametrize(("asked", "tries"), [("2", 3), ("5", 3), ("6", 1), ("soon", 3), ("-1", 3)])
def test_a_503_is_never_asked_again_sooner_than_it_says(
    darwin: EmulatedDarwin, server: Server, asked: str, tries: int
) -> None:
    """A longer wait than a few seconds is for the queue."""
    darwin.inject(Fault(kind="status", status=503, count=None, retry_after=asked))
    clock = FakeClock()

    reply = client_of(server.url, clock=clock).post(PATH, BODY, MINUTE)

    assert reply.tries == tries == len(darwin.requests())
    assert clock.monotonic() >= (tries - 1) * (float(asked) if asked.isdigit() else 0)


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422, 429, 500])
def test_other_statuses_are_answers_and_not_asked_again(
    darwin: EmulatedDarwin, client: DarwinClient, status: int
) -> None:
    darwin.inject(Fault(kind="status", status=status, count=None, retry_after="1"))

    assert client.post(PATH, BODY, MINUTE).status == status
    assert len(darwin.requests()) == 1


def test_nothing_is_begun_without_the_time_to_end_it(darwin: EmulatedDarwin, client: DarwinClient) -> None:
    with pytest.raises(DarwinNotAskedError):
        client.post(PATH, BODY, Left(3.9))

    assert darwin.requests() == []


def test_a_short_retry_is_left_out_when_there_is_no_time_for_it(
    darwin: EmulatedDarwin, client: DarwinClient
) -> None:
    darwin.inject(Fault(kind="status", status=503, count=None, retry_after="3"))

    assert client.post(PATH, BODY, Left(6)).tries == 1


def test_a_reply_larger_than_we_are_ready_to_read_is_cut(server: Server) -> None:
    reply = client_of(server.url, most_bytes=100).post(PATH, BODY, MINUTE)

    assert (len(reply.body), reply.cut_short) == (100, True)


def test_a_reply_that_breaks_off_is_told_as_far_as_it_came(
    darwin: EmulatedDarwin, client: DarwinClient
) -> None:
    darwin.inject(Fault(kind="reset_mid_body"))

    reply = client.post(PATH, BODY, MINUTE)

    assert (reply.status, reply.cut_short) == (200, True)


def test_a_reply_that_trickles_ends_before_the_deadline(darwin: EmulatedDarwin, server: Server) -> None:
    darwin.inject(Fault(kind="drip", seconds=20))
    clock = SystemClock()
    end = clock.monotonic() + 8

    class Until:
        def remaining(self) -> float:
            return end - clock.monotonic()

    reply = client_of(server.url).post(PATH, BODY, Until())

    assert (reply.status, reply.cut_short) == (200, True)
    assert clock.monotonic() < end


def test_a_rotated_key_is_fetched_once_and_the_request_repeated(
    darwin: EmulatedDarwin, server: Server
) -> None:
    fresh = darwin.add_key()
    keys = iter(["old.key", fresh])
    client = client_of(server.url, lambda: SecretStr(next(keys)))

    assert [client.post(PATH, BODY, MINUTE).status for _ in range(2)] == [200, 200]
    assert [request.status for request in darwin.requests()] == [401, 200, 200]


def test_a_key_that_may_do_nothing_any_more_is_looked_for_anew(
    darwin: EmulatedDarwin, server: Server
) -> None:
    """403, too, may be the end of a rotation."""
    darwin.inject(Fault(kind="status", status=403))
    keys = iter(["old.key", darwin.add_key()])
    client = client_of(server.url, lambda: SecretStr(next(keys)))

    assert client.post(PATH, BODY, MINUTE).status == 200
    assert [request.status for request in darwin.requests()] == [403, 200]


def test_a_wrong_key_that_stays_the_same_costs_one_request(darwin: EmulatedDarwin, server: Server) -> None:
    assert client_of(server.url, "wrong.key").post(PATH, BODY, MINUTE).status == 401
    assert len(darwin.requests()) == 1


def test_a_refused_key_stays_the_news_when_the_secret_store_is_down(
    darwin: EmulatedDarwin, server: Server
) -> None:
    fetched: list[int] = []

    def fetch() -> SecretStr:
        fetched.append(1)
        if len(fetched) > 1:
            raise SecretUnavailableError("down")
        return SecretStr("wrong.key")

    assert client_of(server.url, fetch).post(PATH, BODY, MINUTE).status == 401
    assert len(darwin.requests()) == 1


@pytest.mark.parametrize("key", ["", "  ", "CANARY\nX: y", "CANARY KEY", "CANARY\u00e9"])
def test_what_is_no_key_is_not_sent_and_not_shown(darwin: EmulatedDarwin, server: Server, key: str) -> None:
    with pytest.raises(DarwinUnauthorizedError) as caught:
        client_of(server.url, key).post(PATH, BODY, MINUTE)

    assert "CANARY" not in str(caught.value)
    assert darwin.requests() == []


def test_threads_share_a_client(darwin: EmulatedDarwin, server: Server) -> None:
    client = client_of(server.url)
    statuses: list[int] = []

    def work(number: int) -> None:
        body = build_request(TO_UPLOADS, [item(f"{number}.jpg")])
        statuses.append(client.post(PATH, body, MINUTE).status)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 16
    assert len(darwin.items()) == 16


def test_keys_and_names_of_any_script_reach_darwin(darwin: EmulatedDarwin, client: DarwinClient) -> None:
    reply = client.post(PATH, build_request(TO_UPLOADS, [item("\u96ea \U0001f436 +%2F.jpg")]), MINUTE)

    assert json.loads(reply.body)["items"][0]["name"] == "\u96ea \U0001f436 +%2F.jpg"
    assert [registered.name for registered in darwin.items()] == ["\u96ea \U0001f436 +%2F.jpg"]
    assert DEFAULT_KEY not in reply.body.decode()
