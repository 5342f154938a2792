"""What a routes file may say, what it means, and how its mistakes are told."""

from __future__ import annotations

import json

import pytest

from beagle.domain.errors import RoutesError
from beagle.domain.events import NotAnObject, ObjectCreated, ObjectRef
from beagle.domain.routes import Routes, parse_routes
from beagle.domain.routing import Routed, route_event
from beagle.providers.local.clock import EPOCH
from beagle.settings import load_routes

DESIGN = """
team: acme
routes:
  - name: cars                      # first match wins
    watch: {bucket: acme-uploads, prefix: cars/, include: ["**/*.jpg", "**/*.mp4"], exclude: ["**/drafts/**"]}
    dataset: cars
    storage: acme-uploads           # the storage integration's name in Darwin
    access: read_only               # or read_write
    path: "/{folder}"               # template over the key: {folder} {stem} {suffix} {file_name} {hash8}, and named captures
    name: "{file_name}"
    video: {fps: 5, frames: png, preview_frames: true, shape: hls}     # or shape: sections
    dicom: {extract_views: false, ignore_layout: false}
    group: {by: "{folder}", slots: [front.mp4, back.mp4], layout: horizontal}   # or series, or a manifest
    tags: [incoming]
    on_overwrite: ignore            # or dead_letter, new_name
    on_name_collision: dead_letter  # or new_name
    examples:                       # test vectors: checked whenever the file is loaded
      - {key: cars/a/1.jpg, item: {path: /a, name: 1.jpg}}
"""  # noqa: E501

ROUTE = {"name": "cars", "watch": {"bucket": "up", "prefix": "cars/"}, "dataset": "cars", "storage": "s3"}


def routes(*changes):
    """Return routes: one for each set of changes to a plain one."""
    return parse_routes({"team": "acme", "routes": [{**ROUTE, **change} for change in changes or ({},)]})


def fate(parsed, key, size=1, provider="aws"):
    """Return what becomes of an object in the bucket `up`."""
    ref = ObjectRef(provider=provider, bucket="up", key=key)
    return route_event(parsed, ObjectCreated(ref=ref, content="v1", size=size, occurred_at=EPOCH))


def place(parsed, key):
    """Return the route, path and name that a key gets, or the code of why it is ignored."""
    routed = fate(parsed, key)
    if isinstance(routed, NotAnObject):
        return routed.code
    return routed.route.name, routed.item.id.path, routed.item.id.name


# --- what may be said ----------------------------------------------------------------------------------


def test_the_routes_of_the_design_mean_what_they_say():
    """A file of a slot waits for its group, another is an item of its own, drafts are left alone."""
    parsed = load_routes(DESIGN)

    def key(text):
        ref = ObjectRef(provider="aws", bucket="acme-uploads", key=text)
        return route_event(parsed, ObjectCreated(ref=ref, content="v1", size=1, occurred_at=EPOCH))

    still, front, draft = key("cars/a/1.jpg"), key("cars/a/front.mp4"), key("cars/drafts/1.jpg")
    assert isinstance(still, Routed)
    assert isinstance(front, Routed)
    assert isinstance(draft, NotAnObject)
    assert (still.group, still.item.id.path, still.item.id.name) == ("", "/a", "1.jpg")
    assert (front.group, front.item.id.path, front.item.id.name) == ("cars/a/", "/a", "a")
    assert (front.item.slots[0].name, front.item.slots[0].fps) == ("front.mp4", 5)
    assert front.item.layout.slots == ("front.mp4", "back.mp4")
    assert (still.item.access, still.item.tags, draft.code) == ("read_only", ("incoming",), "excluded")


def test_a_newcomer_writes_four_fields():
    """Everything else has a default; a route without a name is called by its dataset."""
    parsed = parse_routes({"team": "acme", "routes": [{k: v for k, v in ROUTE.items() if k != "name"}]})

    assert place(parsed, "cars/a/1.jpg") == ("cars", "/a", "1.jpg")


def test_one_text_stands_for_a_list_of_one():
    parsed = routes({"watch": {"bucket": "up", "include": "*.jpg", "exclude": "x*"}, "tags": "night"})

    assert parsed.routes[0].watch.include == ("*.jpg",)
    assert fate(parsed, "1.jpg").item.tags == ("night",)


def test_a_route_may_have_its_own_name_and_a_template_both_called_name():
    text = """
team: acme
routes:
  - name: cars
    watch: {bucket: up}
    dataset: cars
    storage: s3
    name: "{stem}-{hash8}{suffix}"
"""
    [route] = load_routes(text).routes

    assert (route.name, route.item_name) == ("cars", "{stem}-{hash8}{suffix}")


def test_the_first_route_that_watches_an_object_has_it():
    narrow = {"name": "narrow", "watch": {"bucket": "up", "prefix": "cars/night/"}}

    assert place(routes(narrow, {}), "cars/night/1.jpg")[0] == "narrow"
    assert place(routes(narrow, {}), "cars/day/1.jpg")[0] == "cars"
    assert place(routes({}, narrow), "cars/night/1.jpg")[0] == "cars"


def test_captured_parts_fill_the_templates():
    parsed = routes(
        {
            "watch": {"bucket": "up", "include": ["{site}/{day}/**/*.jpg", "{site}/{day}/*.png"]},
            "path": "/{site}/by day/{day}",
            "name": "{site}-{stem}-{hash8}{suffix}",
        }
    )

    _, path, name = place(parsed, "Rome/07/x/1.jpg")
    assert path == "/Rome/by day/07"
    assert name.startswith("Rome-1-")
    assert name.endswith(".jpg")


def test_a_groups_item_is_named_by_what_its_objects_share():
    group = {"slots": ["l.mp4", "r.mp4"]}

    assert place(routes({"group": group}), "cars/a/b/l.mp4") == ("cars", "/a/b", "b")
    assert place(routes({"group": group, "item_name": "pair"}), "cars/a/b/l.mp4") == ("cars", "/a/b", "pair")
    assert place(routes({"group": group, "item_name": "{stem}"}), "cars/a/b/l.mp4") == ("cars", "/a/b", "b")
    assert place(routes({"group": group}), "cars/l.mp4") == ("cars", "/", "cars")
    assert place(routes({"group": group}), "cars/a/x.jpg") == ("cars", "/a", "x.jpg")


# --- what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"datset": "x"}, "routes[0] (cars) datset: there is no such field"),
        ({"dataset": ""}, "routes[0] (cars) dataset: "),
        ({"dataset": None}, "routes[0] (cars) dataset: "),
        ({"storage": 5}, "routes[0] (cars) storage: "),
        ({"name": "my cars"}, "routes[0] (my cars) name: "),
        ({"access": "readonly"}, "routes[0] (cars) access: "),
        ({"type": "picture"}, "routes[0] (cars) type: "),
        ({"on_overwrite": "replace"}, "routes[0] (cars) on_overwrite: "),
        ({"watch": {"bucket": "up", "prefix": "cars"}}, 'routes[0] (cars) watch: prefix must end with "/"'),
        ({"watch": {"bucket": "up", "prefix": "/cars/"}}, "must not start with a slash"),
        ({"watch": {"bucket": "up", "prefix": ".beagle/x/"}}, "a loop"),
        ({"watch": {"bucket": ""}}, "routes[0] (cars) watch.bucket: "),
        ({"watch": {}}, "routes[0] (cars) watch.bucket: "),
        ({"watch": {"bucket": "up", "include": ["{a"]}}, "glob"),
        ({"watch": {"bucket": "up", "exclude": ["{*.jpg,x}"]}}, "glob"),
        (
            {"watch": {"bucket": "up", "include": ["**/{file_name}.jpg"]}},
            "watch: include captures {file_name}",
        ),
        ({"watch": {"bucket": "up", "include": ["*.jpg", "{group}/*"]}}, "watch: include captures {group}"),
        ({"path": "/{sight}"}, "path: {sight} is unknown here; there are file_name, folder"),
        ({"path": "/{folder"}, "path: '/{folder': "),
        ({"item_name": "{a.b}"}, "item_name: '{a.b}': "),
        (
            {"watch": {"bucket": "up", "include": ["{site}/*", "*.jpg"]}, "path": "/{site}"},
            "path: {site} is unknown here",
        ),
        ({"video": {"fps": 0}}, "routes[0] (cars) video.fps"),
        ({"video": {"fps": float("inf")}}, "routes[0] (cars) video.fps"),
        ({"video": {"frames": "jpeg:1"}}, "routes[0] (cars) video.frames: "),
        ({"video": {"fps": "fast"}}, "routes[0] (cars) video.fps: Input should be 'native'"),
        ({"video": {"frames": "jpeg:5", "fps": 5}}, "video.frames: only with access: read_only"),
        ({"pdf": {"convert": True}, "image": {"size": "stored"}}, "image.size, pdf.convert: only with"),
        ({"group": {}}, "either slots or series"),
        ({"group": {"slots": ["a"], "series": True}}, "either slots or series"),
        ({"group": {"slots": ["a", "a"]}}, "two slots of a group have one file name"),
        ({"group": {"slots": ["a"], "by": "{stem}"}}, "group.by: {stem} is unknown here"),
        (
            {"group": {"slots": ["a"]}, "path": "/{stem}"},
            "path: {stem} is unknown here; there are folder, group",
        ),
        ({"group": {"slots": ["a"], "wait_hours": 241}}, "group.wait_hours"),
        ({"group": {"series": True, "settle_minutes": float("inf")}}, "group.settle_minutes"),
        ({"group": {"series": True}, "access": "read_only"}, "with dicom.convert: true Beagle draws them"),
        ({"examples": [{"item": {"path": "/", "name": "x"}}]}, "routes[0] (cars) examples[0].key: "),
    ],
)
def test_a_mistake_is_told_with_its_place(change, told):
    """The route by number and name, the field, and what is wrong: to be mended without reading our code."""
    with pytest.raises(RoutesError) as refusal:
        routes(change)

    assert told in str(refusal.value)
    assert "routes[0] (" in str(refusal.value)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (None, "the file: "),
        ([], "the file: "),
        ({}, "team: "),
        ({"team": "acme"}, "routes: "),
        ({"team": "acme", "routes": []}, "there is no route"),
        ({"team": "acme", "routes": [ROUTE, ROUTE]}, "two routes are named 'cars'"),
        ({"team": "acme", "routes": [1]}, "routes[0]: "),
        ({"team": "acme", "routes": [ROUTE], "version": 2}, "version: "),
    ],
)
def test_a_file_that_is_no_routes_file_is_told(document, told):
    with pytest.raises(RoutesError) as refusal:
        parse_routes(document)

    assert told in str(refusal.value)


def test_every_mistake_is_told_at_once():
    """Not one a deployment."""
    with pytest.raises(RoutesError) as refusal:
        routes({"access": "x"}, {"name": "b", "watch": {"bucket": ""}})

    assert "routes[0] (cars) access" in str(refusal.value)
    assert "routes[1] (b) watch.bucket" in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "a: [", "\t", "a: b: c", "? [a, b]\n: 1", "1: 2", "team: a\nteam: b", "team: 2026-99-99",
        "!!python/object:os.system {}", "[" * 3000, "&a [*a]", "a: *b", "\0",
    ],
)  # fmt: skip
def test_whatever_a_file_holds_it_is_refused_in_words(text):
    """Broken YAML, dates that are none, keys that are no names, programs in disguise."""
    with pytest.raises(RoutesError):
        load_routes(text)


# --- examples ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("example", "found"),
    [
        ({"key": "cars/a/1.jpg", "item": {"path": "/b", "name": "1.jpg"}}, "cars: /a 1.jpg"),
        ({"key": "cars/a/1.jpg"}, "cars: /a 1.jpg"),
        ({"key": "cars/a/1.txt", "item": {"path": "/a", "name": "1.txt"}}, "ignored"),
        ({"key": "vans/1.jpg", "item": {"path": "/", "name": "1.jpg"}}, "ignored"),
    ],
)
def test_an_example_that_ends_otherwise_is_refused(example, found):
    """With the route, the key, what was expected and what it is."""
    document = {"team": "acme", "routes": [{**ROUTE, "examples": [example]}]}

    with pytest.raises(RoutesError) as refusal:
        load_routes(json.dumps(document))

    assert "routes (cars) example " in str(refusal.value)
    assert repr(example["key"]) in str(refusal.value)
    assert f"it is {found}" in str(refusal.value)


def test_an_example_that_could_never_be_an_item_is_refused_with_the_reason():
    example = {"key": "cars/a/1.jpg", "item": {"path": "/", "name": "a/1.jpg"}}
    document = {"team": "acme", "routes": [{**ROUTE, "item_name": "{folder}/{stem}", "examples": [example]}]}

    with pytest.raises(RoutesError, match="unusable_name"):
        load_routes(json.dumps(document))


def test_examples_may_show_what_is_ignored():
    examples = [{"key": "cars/1.txt"}, {"key": ".beagle/cars/1.jpg"}, {"key": "cars/", "item": None}]

    assert load_routes(json.dumps({"team": "acme", "routes": [{**ROUTE, "examples": examples}]}))


# --- for editors ---------------------------------------------------------------------------------------


def test_the_json_schema_tells_editors_every_field():
    """Each with its description; nothing else is allowed."""
    schema = Routes.model_json_schema()

    assert json.loads(json.dumps(schema)) == schema
    route = schema["$defs"]["Route"]
    assert route["additionalProperties"] is False
    assert {"watch", "dataset", "storage", "path", "item_name", "group", "examples"} <= set(
        route["properties"]
    )
    undescribed = {name for name, field in route["properties"].items() if "description" not in field}
    assert undescribed <= {"watch", "image", "video", "dicom", "pdf", "group", "examples"}
