"""One contract for every bucket's reader: every legal key, exactly the content that was announced."""

from __future__ import annotations

import gzip
import unicodedata
from contextlib import contextmanager
from functools import partial
from itertools import count

import pytest
from azure.storage.blob import ContentSettings

from beagle.bootstrap import aws as on_aws
from beagle.bootstrap import gcp as on_gcp
from beagle.domain.errors import ObjectGoneError, StoreUnavailableError, SupersededError
from beagle.domain.events import ObjectCreated, ObjectRef
from beagle.domain.items import Item, ItemId, ReadyItem, Slot
from beagle.providers.aws.objects import open_odd
from beagle.providers.azure.account import Account
from beagle.providers.azure.objects import open_odd as open_odd_blob
from beagle.providers.local.clock import EPOCH, SystemClock
from beagle.providers.objects import Objects
from beagle.providers.patience import small
from beagle.settings import Settings
from gcp.xml_api import Reply

BUCKETS = count()
PLAIN, ODD = "folder/a b.png", "folder//a b.png"
KEYS = {
    "plain": "plain.png",
    "spaces": " spaces  inside .png",
    "trailing space": "trailing.png ",
    "percent": "100%25 + %2F ?&=#.png",
    "composed": unicodedata.normalize("NFC", "café.png"),
    "decomposed": unicodedata.normalize("NFD", "café.png"),
    "beyond the plane": "\U0001f436.png",
    "doubled slash": "a//b.png",
    "dots": "a/../b.png",
    "dot": "a/./b.png",
    "leading slash": "/a.png",
    "control": "a\x01\x1f\x7f.png",
    "tab": "a\tb.png",
}
DATA = bytes(range(256)) * 20


class S3:
    """A bucket of the local AWS."""

    def __init__(self, request):
        aws = request.getfixturevalue("aws")
        self.client, self.name = aws.client("s3"), f"objects-{next(BUCKETS)}"
        self.client.create_bucket(Bucket=self.name)
        settings = Settings(aws_endpoint_url=aws.endpoint)
        for name, value in aws.environment.items():
            request.getfixturevalue("monkeypatch").setenv(name, value)
        self.objects = Objects(
            store_of=lambda name: on_aws._bucket(settings, small, name),
            open_odd=partial(open_odd, self.client),
            artifact_prefix=".beagle/",
        )

    def put(self, key, data):
        return self.client.put_object(Bucket=self.name, Key=key, Body=data)["ETag"].strip('"')

    def remove(self, key):
        self.client.delete_object(Bucket=self.name, Key=key)

    def headers(self, key):
        told = self.client.head_object(Bucket=self.name, Key=key)
        return told["ContentType"], told.get("ContentEncoding"), told["ContentLength"]


class Gcs:
    """A bucket of the local Google Cloud; objects are uploaded by Google's own client."""

    def __init__(self, request):
        self.cloud, self.name = request.getfixturevalue("cloud"), f"objects-{next(BUCKETS)}"
        self.bucket = self.cloud.client().bucket(self.name)
        settings = Settings(storage_emulator_host=self.cloud.address)
        self.objects = on_gcp._objects(settings, SystemClock())

    def put(self, key, data):
        blob = self.bucket.blob(key)
        blob.upload_from_string(data)
        return str(blob.generation)

    def remove(self, key):
        self.bucket.blob(key).delete()

    def headers(self, key):
        blob = self.bucket.get_blob(key)
        return blob.content_type, blob.content_encoding, blob.size


class Blobs:
    """A container of Azurite; blobs are uploaded by Azure's own client."""

    def __init__(self, request):
        azurite, self.name = request.getfixturevalue("azurite"), f"objects-{next(BUCKETS)}"
        self.container = azurite.blobs.create_container(self.name)
        account = Account(connection_string=azurite.connection_string)
        self.objects = Objects(
            store_of=account.container,
            open_odd=partial(open_odd_blob, account.blobs()),
            artifact_prefix=".beagle/",
        )

    def put(self, key, data, **more):
        if key in {KEYS[name] for name in ("dots", "dot", "control", "tab")}:
            pytest.skip("Azure's own client cannot write such a key")
        return (
            self.container.upload_blob(key, data, overwrite=True, **more)
            .get_blob_properties()
            .etag.strip('"')
        )

    def remove(self, key):
        self.container.delete_blob(key)

    def headers(self, key):
        blob = self.container.get_blob_client(key).get_blob_properties()
        return blob.content_settings.content_type, blob.content_settings.content_encoding, blob.size


AZURE = pytest.param("azure", marks=pytest.mark.xdist_group("local-azure"))


@pytest.fixture(params=["s3", "gcs", AZURE])
def bucket(request):
    """Return an empty bucket of each provider that runs here."""
    return {"s3": S3, "gcs": Gcs, "azure": Blobs}[request.param](request)


def event(bucket, key, content):
    provider = {S3: "aws", Gcs: "gcp", Blobs: "azure"}[type(bucket)]
    ref = ObjectRef(provider=provider, bucket=bucket.name, key=key)
    return ObjectCreated(ref=ref, content=content, size=None, occurred_at=EPOCH)


def opened(bucket, key, content):
    return bucket.objects.open(event(bucket, key, content))


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_every_legal_key_is_read_byte_for_byte(bucket, key, tmp_path):
    """Whole, and any range of it; a neighbour whose key a URL would take for the same is another object."""
    neighbour = unicodedata.normalize("NFD" if key == unicodedata.normalize("NFC", key) else "NFC", key)
    for other in {neighbour, key.strip(), key.replace("//", "/"), "b.png", "a/b.png"} - {key}:
        bucket.put(other, b"another")
    reader = opened(bucket, key, bucket.put(key, DATA))
    reader.download(tmp_path / "whole")

    assert reader.size == len(DATA)
    assert (tmp_path / "whole").read_bytes() == DATA
    assert reader.read(0, 10) == DATA[:10]
    assert reader.read(5000, 1000) == DATA[5000:]
    assert reader.read(len(DATA), 10) == b""


@pytest.mark.parametrize("key", [PLAIN, ODD])
def test_another_content_than_the_announced_is_not_read(bucket, key, tmp_path):
    """Neither when it is there already, nor when it comes while one reads, which is looked at again.

    S3 may announce two writes at once as one, and Azure some changes not at all: there it is told what stands
    there.
    """
    first = bucket.put(key, b"first")
    reader = opened(bucket, key, first)
    second = bucket.put(key, b"the other")

    with pytest.raises(SupersededError) as caught:
        opened(bucket, key, first)
    with pytest.raises(StoreUnavailableError):
        reader.read(0, 3)
    with pytest.raises(StoreUnavailableError):
        reader.download(tmp_path / "whole")
    told = {} if isinstance(bucket, Gcs) else {"key": key, "content": second, "size": 9}
    assert caught.value.context == told


def test_every_version_of_a_bucket_with_versions_has_an_event_of_its_own(request):
    """So what was overwritten there has nothing left to do."""
    bucket = S3(request)
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    first = bucket.client.put_object(Bucket=bucket.name, Key=PLAIN, Body=b"first")["VersionId"]
    bucket.put(PLAIN, b"other")

    with pytest.raises(SupersededError) as caught:
        opened(bucket, PLAIN, first)

    assert caught.value.context == {}


@pytest.mark.parametrize("key", [PLAIN, ODD])
def test_what_is_gone_is_gone(bucket, key, tmp_path):
    content = bucket.put(key, b"first")
    reader = opened(bucket, key, content)
    bucket.remove(key)

    with pytest.raises(ObjectGoneError):
        opened(bucket, key, content)
    with pytest.raises(ObjectGoneError):
        reader.download(tmp_path / "whole")


@pytest.mark.parametrize(
    ("name", "content_type", "content_encoding", "size"),
    [
        ("thumbnail.jpg", "image/jpeg", "", 5_000),
        ("audio_peaks.gz", "application/octet-stream", "gzip", 5_000),
        ("sections/high/000000000.png", "image/png", "", 12_000_000),
    ],
)
def test_an_artifact_is_kept_with_its_type_and_encoding(bucket, name, content_type, content_encoding, size):
    """As the provider's own client tells: browsers go by it. What is large is written in several requests."""
    announced = event(bucket, "clip.mp4", "v1")
    slot = Slot(
        name="0", file_name="clip.mp4", storage_key="clip.mp4", media_type="video", size=1, content="v1"
    )
    item = Item(
        id=ItemId(team="acme", dataset="d", path="/", name="clip.mp4"),
        storage="s",
        access="read_only",
        slots=(slot,),
    )
    sink = bucket.objects.sink(announced, ReadyItem(event=announced, item=item, route="r"))

    for _ in range(2):  # the second overwrites the first
        sink.put(name, bytes(size), content_type, content_encoding)

    assert bucket.headers(sink.root + name) == (content_type, content_encoding or None, size)


# --- what only Cloud Storage does ----------------------------------------------------------------------


@contextmanager
def answering(cloud, reply):
    cloud.before = lambda request: reply if request.query.get("alt") == "media" else None
    yield
    cloud.before = lambda _: None


@pytest.fixture
def gcs(request):
    return Gcs(request)


@pytest.mark.parametrize("key", [PLAIN, ODD])
def test_what_is_kept_in_gzip_is_read_as_it_is_kept(gcs, key, tmp_path):
    """Cloud Storage unpacks it for who does not say that it takes gzip: no range, no size is right then."""
    blob = gcs.bucket.blob(key)
    blob.content_encoding = "gzip"
    blob.upload_from_string(packed := gzip.compress(DATA))
    reader = opened(gcs, key, str(blob.generation))
    reader.download(tmp_path / "whole")

    assert reader.size == len(packed)
    assert (tmp_path / "whole").read_bytes() == packed
    assert reader.read(3, 7) == packed[3:10]


def test_an_answer_that_breaks_off_is_trouble_and_no_short_object(gcs, tmp_path):
    """The connection ends before the bytes that were promised have come."""
    reader = opened(gcs, ODD, gcs.put(ODD, DATA))
    with answering(gcs.cloud, Reply(200, {"Content-Length": "9999"}, DATA)):
        with pytest.raises(StoreUnavailableError):
            reader.download(tmp_path / "whole")
        with pytest.raises(StoreUnavailableError):
            reader.read(0, 9999)


@pytest.mark.parametrize("key", [PLAIN, ODD])
def test_metadata_leaves_a_generation_what_was_announced(gcs, key):
    """It has a number of its own there."""
    announced = gcs.put(key, b"first")
    blob = gcs.bucket.get_blob(key)
    blob.metadata = {"scanned": "yes"}
    blob.patch()

    assert blob.metageneration == 2
    assert opened(gcs, key, announced).read(0, 5) == b"first"


# --- what only Blob Storage does -----------------------------------------------------------------------


@pytest.mark.xdist_group("local-azure")
@pytest.mark.parametrize("key", [PLAIN, ODD])
def test_what_says_that_it_is_gzip_is_read_as_it_is_kept(request, key, tmp_path):
    """Azure's own client would unpack it: no range, no size is right then."""
    blobs, packed = Blobs(request), gzip.compress(DATA)
    content = blobs.put(key, packed, content_settings=ContentSettings(content_encoding="gzip"))
    reader = opened(blobs, key, content)
    reader.download(tmp_path / "whole")

    assert reader.size == len(packed)
    assert (tmp_path / "whole").read_bytes() == packed
    assert reader.read(3, 7) == packed[3:10]


@pytest.mark.xdist_group("local-azure")
@pytest.mark.parametrize("key", [PLAIN, ODD])
def test_metadata_makes_another_blob_of_it_that_nobody_announces(request, key):
    """So it is told what stands there by now: Event Grid has no event for metadata, or for properties."""
    blobs = Blobs(request)
    announced = blobs.put(key, b"first")
    blob = blobs.container.get_blob_client(key)
    blob.set_blob_metadata({"scanned": "yes"})
    blob.set_http_headers(ContentSettings(content_type="image/png"))
    now = blob.get_blob_properties().etag.strip('"')

    with pytest.raises(SupersededError) as caught:
        opened(blobs, key, announced)
    assert caught.value.context == {"key": key, "content": now, "size": 5}
    assert opened(blobs, key, now).read(0, 5) == b"first"
