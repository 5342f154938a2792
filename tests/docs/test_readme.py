"""What the documentation says is what the code does."""

from __future__ import annotations

import re

import pytest

from beagle.domain.errors import BeagleError
from beagle.settings import load_routes
from docs import infra
from docs.readme import PAGES, README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name + "/" + page.name)
def test_the_tables_are_what_the_code_says(page):
    """After a change of settings, routes, commands, permissions, alarms, codes or prices: `make docs`."""
    text = page.read_text(encoding="utf-8")

    assert PAGES[page](text) == text


def test_every_code_says_what_to_do():
    """The page of the operator leaves no code out, and none of them says nothing."""
    table = infra.codes_table()

    assert "| `darwin_unauthorized` |" in table
    assert not [line for line in table.splitlines() if line.endswith("|  |")]


def test_the_routes_file_that_the_readme_shows_holds_together():
    """Every YAML block of the README loads, its examples included."""
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        try:
            load_routes(block)
        except BeagleError as error:
            pytest.fail(str(error))
