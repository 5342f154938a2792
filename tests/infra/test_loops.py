"""What Beagle writes cannot start it again."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beagle.domain.errors import RoutesError
from beagle.domain.events import NotAnObject, ObjectCreated, ObjectRef
from beagle.domain.routes import parse_routes
from beagle.domain.routing import route_event
from beagle.playground.build import check_routes
from beagle.settings import Settings, routes_of
from support.template import (
    ARTIFACTS,
    GLOBALS,
    RESOURCES,
    TEMPLATE,
)


def test_our_artifacts_do_not_start_us_again() -> None:
    """Watching the whole bucket, the rule leaves the artifacts out; a prefix cannot hold them."""
    (key,) = RESOURCES["Created"]["Properties"]["EventPattern"]["detail"]["object"]["key"]
    condition, whole, part = key["Fn::If"]

    assert TEMPLATE["Conditions"][condition] == {"Fn::Equals": [{"Ref": "Prefix"}, ""]}
    assert whole == {"anything-but": {"prefix": ARTIFACTS}}
    assert part == {"prefix": {"Ref": "Prefix"}}
    assert GLOBALS["Environment"]["Variables"]["BEAGLE_ARTIFACT_PREFIX"] == ARTIFACTS


@pytest.mark.parametrize(
    ("prefix", "allowed"),
    [
        ("", True),
        ("cars/", True),
        ("cars/2026/", True),
        (".hidden/", True),
        ("cars", False),
        ("/", False),
        ("cars//", False),
        (".beagle/", False),
        (".beagle/frames/", False),
    ],
)
def test_a_prefix_is_a_folder_and_not_ours(prefix: str, allowed: bool) -> None:  # noqa: FBT001 - a table of claims
    """Without its slash "cars" would also match "cars-backup/"; below ".beagle/" lie our own artifacts."""
    pattern = TEMPLATE["Parameters"]["Prefix"]["AllowedPattern"]

    assert (re.fullmatch(pattern, prefix) is not None) is allowed


def route(prefix: str) -> dict[str, object]:
    watch = {"bucket": "b", "prefix": prefix, "include": ["**"]}
    return {"watch": watch, "dataset": "d", "storage": "s", "access": "read_only", "type": "image"}


@given(prefix=st.text(alphabet=".beagl/x", max_size=12), rest=st.text(alphabet=".beagl/x", max_size=8))
def test_no_prefix_that_the_template_takes_lets_an_artifact_in(prefix: str, rest: str) -> None:
    """Whatever prefix is deployed, no key below ".beagle/" matches the rule's pattern."""
    pattern = TEMPLATE["Parameters"]["Prefix"]["AllowedPattern"]
    key = ARTIFACTS + rest
    if re.fullmatch(pattern, prefix) is None:
        return

    passes = key.startswith(prefix) if prefix else not key.startswith(ARTIFACTS)

    assert not passes


@given(rest=st.text(max_size=20))
def test_no_route_takes_an_artifact_for_an_upload(rest: str) -> None:
    """The function refuses what the rule should not have brought, whichever globs a route has."""
    event = ObjectCreated(
        ref=ObjectRef(provider="aws", bucket="b", key=ARTIFACTS + rest),
        content="c",
        size=1,
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    routed = route_event(parse_routes({"team": "t", "routes": [route("")]}), event)

    assert isinstance(routed, NotAnObject)


@pytest.mark.parametrize("artifacts", [ARTIFACTS, "made/by/beagle/"])
def test_routes_that_would_watch_our_artifacts_start_nothing(tmp_path: Path, artifacts: str) -> None:
    """The message names the route and the place, whichever place is configured."""
    (tmp_path / "routes.yaml").write_text(
        f'team: t\nroutes: [{{watch: {{bucket: b, prefix: "{artifacts}x/"}}, dataset: d, storage: s}}]\n'
    )

    with pytest.raises(RoutesError, match=r"a loop|start it again"):
        routes_of(Settings(artifact_prefix=artifacts), tmp_path)


def test_routes_that_could_start_themselves_are_not_even_built(tmp_path: Path) -> None:
    """`make build` with such a file ends before anything is built, and says why."""
    file = tmp_path / "routes.yaml"
    file.write_text(
        f'team: t\nroutes: [{{watch: {{bucket: b, prefix: "{ARTIFACTS}"}}, dataset: d, storage: s}}]\n'
    )

    with pytest.raises(SystemExit, match="a loop"):
        check_routes(file)
    file.write_text("team: t\nroutes: [{watch: {bucket: b}, dataset: d, storage: s}]\n")
    check_routes(file)
