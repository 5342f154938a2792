"""Environment in, settings out; and what a deployment without a routes file is."""

from __future__ import annotations

import json

import pytest

from beagle.domain.errors import ConfigurationError, RoutesError
from beagle.domain.routes import parse_routes
from beagle.settings import PREFIX, Settings, load_routes, read_settings, routes_of

ONE_DATASET = {
    "BEAGLE_TEAM": "acme",
    "BEAGLE_DATASET": "cars",
    "BEAGLE_STORAGE": "s3",
    "BEAGLE_BUCKET": "up",
}
ROUTES = {
    "team": "acme",
    "routes": [{"name": "x", "watch": {"bucket": "up"}, "dataset": "x", "storage": "s3"}],
}


def test_every_field_is_a_variable_of_its_name():
    values = {
        "TEAM": "acme", "DATASET": "cars", "STORAGE": "s3", "ACCESS": "read_only", "BUCKET": "up",
        "PREFIX": "cars/", "ROUTES": "r.yaml", "ROUTES_FROM": "file", "ARTIFACT_PREFIX": "made/",
        "DARWIN_URL": "https://d", "API_KEY_SECRET": "arn", "UPLOADS_QUEUE": "u", "ITEMS_QUEUE": "i",
        "DEAD_LETTERS_QUEUE": "d", "STATE_BUCKET": "st", "ITEMS_PER_REQUEST": "7",
        "REQUESTS_PER_MINUTE": "12.5", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }  # fmt: skip
    settings = read_settings({f"{PREFIX}{name}": value for name, value in values.items()})

    told = {name: str(getattr(settings, name.lower())) for name in values}
    assert told == values
    assert (settings.items_per_request, settings.requests_per_minute) == (7, 12.5)


def test_an_empty_environment_gives_the_defaults_and_an_empty_variable_counts_as_none():
    assert read_settings({}) == Settings()
    assert read_settings(dict.fromkeys(("BEAGLE_ITEMS_PER_REQUEST", "BEAGLE_ACCESS"), "")) == Settings()


def test_other_variables_are_nobodys_business():
    assert read_settings({"PATH": "/bin", "BEAGLE_UNKNOWN": "x", "TEAM": "other"}) == Settings()


def test_awss_own_variable_for_its_address_is_known():
    assert read_settings({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).aws_endpoint_url == "http://127.0.0.1:1"


def test_a_prefix_ends_with_a_slash_whether_it_was_written_or_not():
    for written in ("cars", "cars/"):
        settings = read_settings({"BEAGLE_PREFIX": written, "BEAGLE_ARTIFACT_PREFIX": written})
        assert (settings.prefix, settings.artifact_prefix) == ("cars/", "cars/")


def test_every_wrong_variable_is_named():
    """By the name that the person set; and never by its value, which may be a secret."""
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(
            {
                "BEAGLE_ITEMS_PER_REQUEST": "501",
                "BEAGLE_REQUESTS_PER_MINUTE": "fast-s3cret",
                "BEAGLE_ACCESS": "write-s3cret",
            }
        )

    said = str(refusal.value)
    assert all(f"BEAGLE_{name}: " in said for name in ("ITEMS_PER_REQUEST", "REQUESTS_PER_MINUTE", "ACCESS"))
    assert "s3cret" not in said


def test_what_is_missing_is_named_by_its_variable():
    with pytest.raises(ConfigurationError, match=r"Not set: BEAGLE_ITEMS_QUEUE, BEAGLE_STATE_BUCKET\."):
        read_settings({"BEAGLE_UPLOADS_QUEUE": "u"}).require("uploads_queue", "items_queue", "state_bucket")


def test_one_dataset_needs_no_file(tmp_path):
    """Four variables make the one route of a deployment."""
    routes = routes_of(read_settings({**ONE_DATASET, "BEAGLE_PREFIX": "cars"}), tmp_path)

    [route] = routes.routes
    assert (routes.team, route.dataset, route.storage, route.access) == ("acme", "cars", "s3", "read_write")
    assert (route.watch.bucket, route.watch.prefix) == ("up", "cars/")


@pytest.mark.parametrize("missing", ONE_DATASET)
def test_without_a_file_all_four_must_be_set(missing, tmp_path):
    environment = {name: value for name, value in ONE_DATASET.items() if name != missing}

    with pytest.raises(ConfigurationError, match=missing):
        routes_of(read_settings(environment), tmp_path)


def test_a_routes_file_has_the_last_word(tmp_path):
    (tmp_path / "r.yaml").write_text("\ufeff" + json.dumps(ROUTES), encoding="utf-8")

    assert routes_of(read_settings({**ONE_DATASET, "BEAGLE_ROUTES": "r.yaml"}), tmp_path) == parse_routes(
        ROUTES
    )


@pytest.mark.parametrize("said", ["parameters", "file", ""])
def test_a_package_starts_only_where_it_holds_what_the_deployment_says(said, tmp_path):
    """Built without the routes that a deployment counts on, or with some that it knows nothing of."""
    settings = read_settings({**ONE_DATASET, "BEAGLE_ROUTES_FROM": said})

    def name_of_the_route() -> str:
        try:
            return routes_of(settings, tmp_path).routes[0].name
        except ConfigurationError as refusal:
            return str(refusal)

    without = name_of_the_route()
    (tmp_path / "routes.yaml").write_text(json.dumps(ROUTES))
    within = name_of_the_route()

    assert (without == "default") is (said != "file")
    assert (within == "x") is (said != "parameters")
    assert ("make build ROUTES=routes.yaml, and deploy again" in without) is (said == "file")
    assert ("deploy with Routes=file" in within) is (said == "parameters")


@pytest.mark.parametrize(
    ("watch", "reached"),
    [
        ({"bucket": "up"}, True),
        ({"bucket": "up", "prefix": "cars/"}, True),
        ({"bucket": "up", "prefix": "cars/berlin/"}, True),
        ({"bucket": "up", "prefix": "vans/"}, False),
        ({"bucket": "up", "prefix": "cars-old/"}, False),
        ({"bucket": "archive", "prefix": "cars/"}, False),
    ],
)
def test_a_route_that_nothing_would_reach_is_refused(watch, reached, tmp_path):
    """A deployment hears of one bucket, below one prefix: the message names the route and both places."""
    [route] = ROUTES["routes"]
    (tmp_path / "routes.yaml").write_text(json.dumps({**ROUTES, "routes": [{**route, "watch": watch}]}))
    settings = read_settings({**ONE_DATASET, "BEAGLE_PREFIX": "cars/"})

    if reached:
        assert routes_of(settings, tmp_path).routes[0].watch.prefix == watch.get("prefix", "")
    else:
        with pytest.raises(RoutesError, match=r"Route x watches .*(archive|vans/|cars-old/).* hears "):
            routes_of(settings, tmp_path)


def test_a_routes_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "routes.yaml").write_bytes(b"team: \xff")

    with pytest.raises(RoutesError, match="UTF-8"):
        routes_of(read_settings(ONE_DATASET), tmp_path)


def test_a_field_that_stands_twice_is_refused():
    """YAML forgives it and loses one of the two."""
    with pytest.raises(RoutesError, match="'team' stands twice"):
        load_routes("team: a\nteam: b\nroutes: []")


def test_merged_mappings_are_refused_by_name_and_whole_values_may_be_used_again():
    """`<<` is no part of YAML 1.2: the message says so, and not that the file is no YAML."""
    route = "dataset: d\n  storage: s\n"
    with pytest.raises(RoutesError, match=r"merges mappings \(<<, line 4\)"):
        load_routes(
            f"team: a\nroutes:\n- name: one\n  watch: {{<<: &b {{bucket: x}}, prefix: y/}}\n  {route}"
        )

    found = load_routes(
        f"team: a\nroutes:\n- name: one\n  watch: &x {{bucket: x}}\n  {route}"
        f"- name: two\n  watch: *x\n  {route}"
    )
    assert [one.watch.bucket for one in found.routes] == ["x", "x"]
