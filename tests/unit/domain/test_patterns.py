"""Globs choose whole keys and capture parts of them; templates use what was captured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beagle.domain.patterns import captures_of, compile_glob, fill, placeholders_of

PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*?{}"), max_size=30)


@pytest.mark.parametrize(
    ("glob", "key", "matches"),
    [
        ("*.jpg", "1.jpg", True),
        ("*.jpg", "a/1.jpg", False),
        ("*.jpg", "1.jpg.txt", False),
        ("**/*.jpg", "1.jpg", True),
        ("**/*.jpg", "a/b/1.jpg", True),
        ("**/drafts/**", "drafts/1.jpg", True),
        ("**/drafts/**", "a/drafts/b/1.jpg", True),
        ("**/drafts/**", "a/mydrafts/1.jpg", False),
        ("a/**", "a/b/c.jpg", True),
        ("a/**", "ab/c.jpg", False),
        ("?.jpg", "1.jpg", True),
        ("?.jpg", "/.jpg", False),
        ("*.{jpg,png}", "1.png", True),
        ("*.{jpg,png}", "1.gif", False),
        ("{site}/*.jpg", "rome/1.jpg", True),
        ("{site}/*.jpg", "rome/a/1.jpg", False),
        ("{site}/*.jpg", "/1.jpg", False),
        ("*.JPG", "1.jpg", True),
        ("ÉTÉ/*", "été/1", True),
        ("a+b (1).[x]", "a+b (1).[x]", True),
        ("a.c", "abc", False),
        ("**", "a\nb/c", True),
        ("*.jpg", "a\nb.jpg", True),
        ("", "", True),
    ],
)
def test_a_glob_matches_whole_keys(glob, key, matches):
    """`*` stays within a folder, `**` crosses folders, braces choose or capture; in any case of letters."""
    assert bool(compile_glob(glob).fullmatch(key)) is matches


def test_a_capture_is_what_stands_there():
    glob = "{site}/**/{camera}_*.{jpg,png}"

    match = compile_glob(glob).fullmatch("Rome/2026/01/front_17.PNG")

    assert match is not None
    assert match.groupdict() == {"site": "Rome", "camera": "front"}
    assert captures_of(glob) == {"site", "camera"}


@pytest.mark.parametrize("glob", ["{", "{}", "a{b", "{a b}", "{Site}", "{a}/{a}", "{*.jpg,*.png}", "{a?,b}"])
def test_a_brace_that_means_nothing_is_refused(glob):
    """With a sentence that shows it: silently it would match no key at all."""
    with pytest.raises(ValueError, match="glob"):
        compile_glob(glob)


@given(text=PLAIN)
def test_a_glob_without_wildcards_matches_itself(text):
    """No character of a key has a meaning of its own."""
    assert compile_glob(text).fullmatch(text)


@given(folder=PLAIN, name=PLAIN.filter(lambda text: text and "/" not in text))
def test_a_captured_part_can_be_put_back(folder, name):
    match = compile_glob("**/{part}").fullmatch(f"{folder}/{name}")

    assert match is not None
    assert fill("{part}", match.groupdict()) == name


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("/", set()),
        ("/{folder}", {"folder"}),
        ("{stem}-{hash8}{suffix}", {"stem", "hash8", "suffix"}),
        ("{{}}", set()),
    ],
)
def test_a_template_tells_the_names_that_it_uses(template, names):
    assert placeholders_of(template) == names


@pytest.mark.parametrize("template", ["{", "}", "{}", "{a.b}", "{a[0]}", "{a!r}", "{a:>9}", "{A}", "{0}"])
def test_a_template_holds_plain_names_only(template):
    """Never attributes, items or formats: a template is no program."""
    with pytest.raises(ValueError, match=r"\{|\}"):
        placeholders_of(template)


def test_filling_changes_nothing_but_the_names():
    assert fill("/{folder}/{{x}}/é%2B", {"folder": "a{b}+ c"}) == "/a{b}+ c/{x}/é%2B"
