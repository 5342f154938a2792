"""One contract for every ledger: whoever creates an entry is the only one, and nobody writes unseen."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import urlsplit

import pytest
from obstore.store import MemoryStore, S3Store

from beagle.bootstrap import gcp
from beagle.domain.errors import LedgerConflictError, LedgerUnavailableError
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.items import Item, ItemId, ReadyItem, Slot
from beagle.ports import Kept, LedgerEntry, Trace
from beagle.providers.attempts import StoreAttempts
from beagle.providers.azure.account import Account
from beagle.providers.local.clock import EPOCH
from beagle.providers.patience import small
from beagle.providers.state import StoreGroupMembers, StoreLedger
from beagle.settings import Settings
from support.azure.azurite import connection_string

BUCKETS = count()
ODD = ["a b+c%20%2B", "é", "e\u0301", "🐶", "a//b", "..", ".", "/", " ", "a\nb", "x" * 1000, "\x7f", "A", "a"]


def s3(endpoint, bucket, **options):
    return S3Store(
        bucket,
        endpoint=endpoint,
        access_key_id="test",
        secret_access_key="test",  # noqa: S106 - the local AWS's own
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
        **options,
    )


def gcs(address, bucket, patience=small):
    return gcp._bucket(Settings(storage_emulator_host=address), patience, bucket)


def blobs(connection_string, container):
    return Account(connection_string=connection_string).container(container, small)


AZURE = pytest.param("azure", marks=pytest.mark.xdist_group("local-azure"))


@pytest.fixture(params=["memory", "s3", "gcs", AZURE])
def store(request):
    """Return an empty bucket of each provider that runs here."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "gcs":
        return gcs(request.getfixturevalue("cloud").address, f"state-{next(BUCKETS)}")
    bucket = f"state-{next(BUCKETS)}"
    if request.param == "azure":
        azurite = request.getfixturevalue("azurite")
        azurite.blobs.create_container(bucket)
        return blobs(azurite.connection_string, bucket)
    aws = request.getfixturevalue("aws")
    aws.client("s3").create_bucket(Bucket=bucket)
    return s3(aws.endpoint, bucket)


@pytest.fixture
def ledger(store):
    return StoreLedger(store)


def entry(name="1.jpg", **changes):
    fields = {
        "item": ItemId(team="acme", dataset="cars", path="/a", name=name),
        "state": "intent",
        "provider": "aws",
        "bucket": "up",
        "key": "a/1.jpg",
        "content": "v1",
        "sequencer": "",
        "size": 1,
        "attempts": 1,
    }
    return LedgerEntry(**(fields | changes))


def test_what_is_absent_is_created_and_can_be_read(ledger):
    [kept] = ledger.create([entry()])
    [found] = ledger.read([entry().item])

    assert (kept.created, kept.entry) == (True, entry())
    assert (found.created, found.entry) == (False, entry())


def test_nothing_is_read_where_nothing_is(ledger):
    assert ledger.read([entry().item]) == [None]
    assert ledger.read([]) == ledger.create([]) == ledger.replace([]) == []


def test_what_is_there_is_never_created_over(ledger):
    """The second is told what stands there, and changes nothing."""
    ledger.create([entry()])
    [kept] = ledger.create([entry(key="other")])

    assert (kept.created, kept.entry.key) == (False, "a/1.jpg")
    assert ledger.read([entry().item])[0].entry == entry()


def test_of_32_that_create_at_once_exactly_one_does(ledger, store):
    """Each with a ledger of its own, as instances have; the others all learn who was first."""
    gate = threading.Barrier(32)

    def race(number):
        mine = StoreLedger(store, threads=1)
        gate.wait()
        return mine.create([entry(key=str(number))])[0]

    with ThreadPoolExecutor(32) as pool:
        results = list(pool.map(race, range(32)))

    winners = {kept.entry.key for kept in results if kept.created}
    assert len(winners) == 1
    assert sum(kept.created for kept in results) == 1
    assert {kept.entry.key for kept in results} == winners == {ledger.read([entry().item])[0].entry.key}


def test_what_was_seen_is_replaced_and_the_new_version_can_be_replaced_again(ledger):
    [kept] = ledger.create([entry()])
    [first] = ledger.replace([(kept, entry(state="registered"))])
    [second] = ledger.replace([(first, entry(state="released"))])

    assert isinstance(second, Kept)
    assert ledger.read([entry().item])[0].entry.state == "released"


def test_what_has_changed_since_is_not_replaced(ledger):
    [kept] = ledger.create([entry()])
    ledger.replace([(kept, entry(state="registered"))])
    [late] = ledger.replace([(kept, entry(state="released"))])

    assert isinstance(late, LedgerConflictError)
    assert ledger.read([entry().item])[0].entry.state == "registered"


def test_of_16_that_replace_what_they_saw_exactly_one_does(ledger, store):
    ledger.create([entry()])
    gate = threading.Barrier(16)

    def race(number):
        mine = StoreLedger(store, threads=1)
        [kept] = mine.read([entry().item])
        gate.wait()
        return mine.replace([(kept, entry(attempts=number + 2))])[0]

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(race, range(16)))

    [winner] = [result for result in results if isinstance(result, Kept)]
    assert all(isinstance(result, Kept | LedgerConflictError) for result in results)
    assert ledger.read([entry().item])[0].entry == winner.entry


def test_what_was_changed_and_changed_back_has_changed(ledger):
    """The same words again are another version: whoever saw the first must not write over the third."""
    [first] = ledger.create([entry()])
    [second] = ledger.replace([(first, entry(state="released"))])
    [third] = ledger.replace([(second, entry())])
    [late] = ledger.replace([(first, entry(state="registered"))])

    assert isinstance(third, Kept)
    assert isinstance(late, LedgerConflictError)


def test_what_is_not_there_is_not_replaced(ledger, store):
    [kept] = ledger.create([entry()])
    for page in store.list():
        for found in page:
            store.delete(found["path"])

    [result] = ledger.replace([(kept, entry(state="registered"))])

    assert isinstance(result, LedgerConflictError)
    assert ledger.read([entry().item]) == [None]


def test_every_name_that_darwin_takes_has_an_entry_of_its_own(ledger):
    """Keys of the state bucket are plain, whatever the item's name, path, dataset or team is."""
    ids = [entry(name).item for name in ODD]
    ids += [ItemId(team=odd, dataset="", path="/a", name="1.jpg") for odd in ODD]
    ids += [ItemId(team="", dataset=odd, path="/a", name="1.jpg") for odd in ODD]
    ids += [ItemId(team="acme", dataset="cars", path=odd, name="1.jpg") for odd in ODD]

    created = ledger.create([entry(item=item) for item in ids])
    found = ledger.read(ids)

    assert all(kept.created for kept in created)
    assert [kept.entry.item for kept in found] == ids


def test_results_come_in_the_order_of_the_arguments(ledger):
    names = [f"{number}.jpg" for number in range(100)]
    created = ledger.create([entry(name) for name in names])
    replaced = ledger.replace([(kept, replace(kept.entry, state="registered")) for kept in created])
    found = ledger.read([entry(name).item for name in reversed(names)])

    assert [kept.entry.item.name for kept in replaced] == names
    assert [kept.entry.item.name for kept in found] == names[::-1]
    assert {kept.entry.state for kept in found} == {"registered"}


def test_an_entry_that_cannot_be_read_is_trouble_in_its_place_alone(ledger, store):
    """Bytes of somebody else, or of a newer Beagle: the others have their entries."""
    ledger.create([entry("1.jpg")])
    [page] = list(store.list())
    [broken] = [found["path"] for found in page]
    ledger.create([entry("2.jpg")])
    for data in (b"\xff", b'{"beagle": "ledger/2"}'):
        store.put(broken, data)
        first, second = ledger.read([entry("1.jpg").item, entry("2.jpg").item])
        [created] = ledger.create([entry("1.jpg")])

        assert isinstance(first, LedgerUnavailableError)
        assert isinstance(created, LedgerUnavailableError)
        assert second.entry.item.name == "2.jpg"


def test_a_bucket_that_does_not_answer_is_trouble_in_each_results_place(aws):
    """Never an exception, and never an entry that seems to be absent: nothing is posted without it."""
    kept = Kept(entry(), {"e_tag": '"x"'})
    ledger = StoreLedger(s3("http://127.0.0.1:1", "state", retry_config=NO_RETRIES))
    results = [
        *ledger.create([entry(), entry("2.jpg")]),
        *ledger.replace([(kept, entry()), (kept, entry("2.jpg"))]),
        *ledger.read([entry().item, entry("2.jpg").item]),
    ]
    nowhere = StoreLedger(s3(aws.endpoint, "no-such-bucket", retry_config=NO_RETRIES))

    assert [type(result) for result in results] == [LedgerUnavailableError] * 6
    assert [type(result) for result in nowhere.create([entry()])] == [LedgerUnavailableError]


NO_RETRIES = {"max_retries": 0, "retry_timeout": timedelta(seconds=2)}


@pytest.mark.parametrize("provider", ["s3", "gcs", AZURE])
def test_a_write_whose_answer_was_lost_is_known_for_ones_own(provider, request):
    """The bucket took the first try, its answer was lost, and the second is refused: by our own write."""
    if provider == "s3":
        aws = request.getfixturevalue("aws")
        aws.client("s3").create_bucket(Bucket="lossy")
        upstream, open_bucket = aws.endpoint, s3
    elif provider == "gcs":
        upstream, open_bucket = request.getfixturevalue("cloud").address, gcs
    else:
        azurite = request.getfixturevalue("azurite")
        azurite.blobs.create_container("lossy")
        upstream, open_bucket = f"http://127.0.0.1:{azurite.ports[0]}", through
    with losing_first_answers(upstream) as endpoint:
        ledger = StoreLedger(open_bucket(endpoint, "lossy"), threads=1)
        [created] = ledger.create([entry()])
        [replaced] = ledger.replace([(created, entry(state="registered"))])
    [found] = StoreLedger(open_bucket(upstream, "lossy")).read([entry().item])

    assert created.created
    assert isinstance(replaced, Kept)
    assert found.entry.state == "registered"


def through(address, container):
    """Open a container of Azurite at another address."""
    return blobs(connection_string(urlsplit(address).port, 1), container)


KEPT_HEADERS = {"etag", "last-modified", "content-type", "x-amz-version-id", "x-goog-generation"}


@contextmanager
def losing_first_answers(upstream):
    """Pass requests on, and answer the first of two equal writes with 503 though it was taken."""
    seen = set()

    class Lossy(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, answer = self.forward(body)
            if body and body not in seen:
                seen.add(body)
                status, headers, answer = 503, [], b""
            self.reply(status, headers, answer)

        def do_GET(self):
            self.reply(*self.forward(None))

        def forward(self, body):
            connection = HTTPConnection(urlsplit(upstream).netloc, timeout=10)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()

        def reply(self, status, headers, answer):
            self.send_response(status)
            for name, value in headers:
                if name.lower() in KEPT_HEADERS:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Lossy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# --- groups --------------------------------------------------------------------------------------------


def member(key, content="v1"):
    item = Item(
        id=ItemId(team="acme", dataset="cars", path="/", name="g"),
        storage="s3",
        access="read_write",
        slots=(Slot(name="0", file_name="f", storage_key=key, media_type=None),),
    )
    ref = ObjectRef(provider="aws", bucket="up", key=key)
    event = ObjectCreated(ref=ref, content=content, size=1, occurred_at=EPOCH)
    return ReadyItem(event=event, item=item, route="r")


def test_all_members_of_a_group_are_remembered_each_once_in_its_latest_content(store):
    """Whatever their keys are, and however many: a slice that shared another's place would be lost."""
    members = StoreGroupMembers(store)
    keys = [*ODD, *(f"ct/{number}.dcm" for number in range(50))]
    for key in keys:
        members.add("g/", member(key))
    members.add("g/", member(keys[0], "v2"))
    members.add("other/", member("x"))
    found = {ready.event.ref.key: ready for ready in members.members("g/", member("").item.id)}

    members.add("g/", member(keys[1], "v3"))
    found_again = {ready.event.ref.key: ready for ready in members.members("g/", member("").item.id)}

    assert set(found) == set(keys)
    assert (found[keys[0]].event.content, found[keys[1]].event.content) == ("v2", "v1")
    assert found_again == {**found, keys[1]: member(keys[1], "v3")}
    assert members.members("none/", member("").item.id) == []
    assert members.members("other/", member("").item.id) == [member("x")]


def test_a_bucket_that_does_not_answer_makes_groups_wait():
    members = StoreGroupMembers(s3("http://127.0.0.1:1", "state", retry_config=NO_RETRIES))

    with pytest.raises(LedgerUnavailableError):
        members.add("g/", member("x"))
    with pytest.raises(LedgerUnavailableError):
        members.members("g/", member("x").item.id)


# --- attempts ------------------------------------------------------------------------------------------


def test_each_message_of_each_stage_has_a_trace_of_its_own(store):
    """What was written last is read, in the order that is asked for, by any instance; the rest is blank."""
    attempts = StoreAttempts(store, "register")
    attempts.write([(name, Trace(number, 100)) for number, name in enumerate(ODD)])
    attempts.write([(ODD[0], Trace(7, 12))])
    found = StoreAttempts(store, "register").read(["another", *reversed(ODD)])

    assert found == [Trace(), *(Trace(number, 100) for number in range(len(ODD) - 1, 0, -1)), Trace(7, 12)]
    assert StoreAttempts(store, "prepare").read(ODD) == [Trace()] * len(ODD)
    assert attempts.read([]) == []


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"unended": "x", "delivery": 1}', b"\xff"])
def test_a_trace_that_nobody_can_read_is_blank(data):
    store = MemoryStore()
    attempts = StoreAttempts(store, "register")
    attempts.write([("m", Trace(3, 4))])
    [meta] = next(iter(store.list("attempts/register/")))
    store.put(meta["path"], data)

    assert attempts.read(["m"]) == [Trace()]


def test_a_bucket_that_does_not_answer_tells_of_no_attempts():
    attempts = StoreAttempts(s3("http://127.0.0.1:1", "state", retry_config=NO_RETRIES), "register")

    with pytest.raises(LedgerUnavailableError):
        attempts.read(["m"])
    with pytest.raises(LedgerUnavailableError):
        attempts.write([("m", Trace())])
