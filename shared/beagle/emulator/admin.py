"""Everything outside `/api`: the page, what it polls, and the levers of tests under `/_admin`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .faults import Fault
from .looking import look_at
from .records import ALL_PERMISSIONS, Provider
from .routing import decode
from .snapshot import item_detail, snapshot
from .wire import RefusalError, Reply, json_reply, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from .api import EmulatedDarwin
    from .wire import Request

Parsed = TypeVar("Parsed")

PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/_page/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/_page/player.js": ("player.js", "text/javascript; charset=utf-8"),
    "/_page/page.css": ("page.css", "text/css; charset=utf-8"),
    "/_page/icon.svg": ("icon.svg", "image/svg+xml"),
}
# Names on the page come from whoever uploads: nothing but our own script runs, nothing leaves.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)


class Form(BaseModel):
    """A lever's body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SeededItem(Form):
    """An item that is there already."""

    dataset: str
    name: str
    path: str = "/"
    storage_key: str = ""
    storage: str = "elsewhere"
    size_bytes: int = 0


class Removal(Form):
    """Items to forget: by id, by place, or all of them."""

    item_ids: list[str] | None = None
    dataset: str | None = None
    path: str | None = None
    name: str | None = None


class NewDataset(Form):
    """A dataset to add."""

    name: Annotated[str, Field(min_length=1)]
    slug: str | None = None


class NewStorage(Form):
    """A storage integration to add."""

    name: Annotated[str, Field(min_length=1)]
    provider: Provider = "aws"
    bucket: str | None = None
    prefix: str = ""
    readonly: bool = False
    region: str | None = None


class NewKey(Form):
    """A key to add; it is made up when it is not given."""

    secret: str | None = None
    permissions: list[str] = sorted(ALL_PERMISSIONS)


class NewTag(Form):
    """A tag class to make known."""

    name: Annotated[str, Field(min_length=1)]


FAULTS: TypeAdapter[list[Fault] | Fault] = TypeAdapter(list[Fault] | Fault)


class Admin:
    """Answers every request of the server, passing on what is the API's."""

    def __init__(self, darwin: EmulatedDarwin) -> None:
        self._darwin = darwin
        self._levers: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "state"): self._state,
            ("GET", "faults"): lambda _: self._faults(),
            ("POST", "faults"): self._inject,
            ("DELETE", "faults"): lambda _: self._clear_faults(),
            ("POST", "items"): self._seed_item,
            ("DELETE", "items"): self._remove_items,
            ("POST", "datasets"): self._add_dataset,
            ("POST", "storages"): self._add_storage,
            ("POST", "keys"): self._add_key,
            ("POST", "tags"): self._add_tag,
            ("POST", "reset"): lambda _: self._reset(),
        }

    def handle(self, request: Request) -> Reply:
        """Answer a request: API, page or lever."""
        if request.path.startswith("/api/"):
            return self._darwin.handle(request)
        try:
            return self._outside(request)
        except RefusalError as refusal:
            return refusal.reply()

    def _outside(self, request: Request) -> Reply:
        if request.method in {"GET", "HEAD"} and request.path in PAGE:
            name, kind = PAGE[request.path]
            return Reply(200, (("Content-Type", kind), *PAGE_HEADERS), _asset(name))
        segments = request.segments
        if segments[:1] != ("_admin",):
            raise not_found("page")
        # Levers need no key, so a browser must not pull them for some other site's page.
        origin = request.header("origin")
        if origin and origin.partition("://")[2] != request.header("host"):
            raise RefusalError(403, "FORBIDDEN", {"origin": ["is another site"]})
        if segments[1:2] == ("items",) and request.method == "GET":
            return look_at(self._darwin.context, segments[2:])
        lever = self._levers.get((request.method, "/".join(segments[1:])))
        if lever is None:
            raise not_found("lever")
        return lever(request)

    def _state(self, request: Request) -> Reply:
        query = dict(request.query)
        since, epoch = query.get("since", "0"), query.get("epoch", "0")
        return json_reply(
            snapshot(
                self._darwin,
                since=int(since) if since.isdecimal() else 0,
                epoch=int(epoch) if epoch.isdecimal() else 0,
            )
        )

    def _faults(self) -> Reply:
        return json_reply({"faults": [f.model_dump(mode="json") for f in self._darwin.pending_faults()]})

    def _inject(self, request: Request) -> Reply:
        faults = _parse(FAULTS, request)
        self._darwin.inject(*(faults if isinstance(faults, list) else [faults]))
        return self._faults()

    def _clear_faults(self) -> Reply:
        self._darwin.clear_faults()
        return self._faults()

    def _seed_item(self, request: Request) -> Reply:
        wanted = _parse(TypeAdapter(SeededItem), request)
        item = self._darwin.seed_item(**wanted.model_dump())
        return json_reply(item_detail(item), 201)

    def _remove_items(self, request: Request) -> Reply:
        wanted = _parse(TypeAdapter(Removal), request) if request.body else Removal()
        chosen = [
            item
            for item in self._darwin.items(wanted.dataset)
            if (wanted.item_ids is None or item.id in wanted.item_ids)
            and wanted.path in {None, item.path}
            and wanted.name in {None, item.name}
        ]
        return json_reply({"removed": self._darwin.context.world.remove_items(chosen)})

    def _add_dataset(self, request: Request) -> Reply:
        wanted = _parse(TypeAdapter(NewDataset), request)
        dataset = self._darwin.add_dataset(wanted.name, wanted.slug)
        return json_reply({"id": dataset.id, "name": dataset.name, "slug": dataset.slug}, 201)

    def _add_storage(self, request: Request) -> Reply:
        wanted = _parse(TypeAdapter(NewStorage), request)
        storage = self._darwin.add_storage(**wanted.model_dump())
        return json_reply({**wanted.model_dump(), "bucket": storage.bucket}, 201)

    def _add_key(self, request: Request) -> Reply:
        wanted = _parse(TypeAdapter(NewKey), request)
        return json_reply({"key": self._darwin.add_key(wanted.permissions, secret=wanted.secret)}, 201)

    def _add_tag(self, request: Request) -> Reply:
        wanted = _parse(TypeAdapter(NewTag), request)
        self._darwin.add_tag(wanted.name)
        return json_reply({"name": wanted.name}, 201)

    def _reset(self) -> Reply:
        self._darwin.reset()
        return json_reply({})


@cache
def _asset(name: str) -> bytes:
    return files(__package__).joinpath("page", name).read_bytes()


def _parse(adapter: TypeAdapter[Parsed], request: Request) -> Parsed:
    try:
        return adapter.validate_python(decode(request))
    except ValidationError as error:
        fields = {".".join(map(str, p["loc"])) or "body": [p["msg"]] for p in error.errors()}
        raise RefusalError(422, "INVALID_REQUEST", fields) from None
