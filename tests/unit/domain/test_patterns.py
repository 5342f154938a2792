"""Globs choose whole keys and capture parts of them; templates use what was captured."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
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
    assert compile_glob(glob).matches(key) is matches


def test_a_capture_is_what_stands_there():
    glob = "{site}/**/{camera}_*.{jpg,png}"

    captured = compile_glob(glob).capture("Rome/2026/01/front_17.PNG")

    assert captured == {"site": "Rome", "camera": "front"}
    assert captures_of(glob) == {"site", "camera"}


@pytest.mark.parametrize("glob", ["{", "{}", "a{b", "{a b}", "{Site}", "{a}/{a}", "{*.jpg,*.png}", "{a?,b}"])
def test_a_brace_that_means_nothing_is_refused(glob):
    """With a sentence that shows it: silently it would match no key at all."""
    with pytest.raises(ValueError, match="glob"):
        compile_glob(glob)


@given(text=PLAIN)
def test_a_glob_without_wildcards_matches_itself(text):
    """No character of a key has a meaning of its own."""
    assert compile_glob(text).matches(text)


@given(folder=PLAIN, name=PLAIN.filter(lambda text: text and "/" not in text))
def test_a_captured_part_can_be_put_back(folder, name):
    captured = compile_glob("**/{part}").capture(f"{folder}/{name}")

    assert captured is not None
    assert fill("{part}", captured) == name


TOKENS = {
    "**/": "(?:.*/)?",
    "**": ".*",
    "*": "[^/]*",
    "?": "[^/]",
    "{x}": "(?P<x>[^/]+)",
    "{y}": "(?P<y>[^/]+)",
    "{a,ab,}": "(?:a|ab|)",
    "a": "a",
    "_": "_",
    "/": "/",
    "\u017f": "\u017f",
}


def meant(tokens):
    """Return the regular expression that says what a glob means, at any cost of time."""
    return re.compile("".join(TOKENS[token] for token in tokens), re.DOTALL | re.IGNORECASE)


@settings(max_examples=500)
@given(
    tokens=st.lists(st.sampled_from(sorted(TOKENS)), max_size=7).filter(
        lambda tokens: (
            max(tokens.count("{x}"), tokens.count("{y}")) < 2
            and not any(one.startswith("*") and two.startswith("*") for one, two in pairwise(tokens))
            and ("**", "/") not in pairwise(tokens)  # which is another token
        )
    ),
    key=st.text("aAb_/s\n", max_size=12),
)
def test_a_glob_matches_and_captures_what_its_regular_expression_would(tokens, key):
    """The first part takes as much as lets the rest match, then the second: of all ways, the same one."""
    match = meant(tokens).fullmatch(key)

    assert compile_glob("".join(tokens)).capture(key) == (match.groupdict() if match else None)


@pytest.mark.parametrize(
    ("glob", "key"),
    [
        ("**/{patient}_{study}_{series}_{n}.dcm", "_" * 1000 + ".txt"),
        ("**/{a}-{b}_{c}.jpg", "-_" * 500),
        ("**/**/**/**/x", "/" * 1000),
        ("*a*a*a*a*a*a*a*a*b", "a" * 1000),
    ],
)
def test_no_key_takes_a_glob_long(glob, key):
    """Whoever uploads chooses the key: one that keeps prepare busy for good would kill it again and again."""
    started = time.process_time()

    assert not compile_glob(glob).matches(key)
    assert time.process_time() - started < 1


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
