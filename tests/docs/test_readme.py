"""What the documentation says is what the code does."""

from __future__ import annotations

import re

import pytest

from beagle.domain.errors import BeagleError
from beagle.settings import load_routes
from docs import costs
from docs.readme import README, regenerate


def test_the_readmes_tables_are_what_the_code_says():
    """After a change of settings, routes or commands: `make docs`."""
    text = README.read_text(encoding="utf-8")

    assert regenerate(text) == text


def test_the_tables_of_costs_are_what_the_model_says():
    """After a change of prices, sizes or what the stages ask for: `make docs`."""
    text = costs.COSTS.read_text(encoding="utf-8")

    assert costs.regenerate(text) == text


def test_the_routes_file_that_the_readme_shows_holds_together():
    """Every YAML block of the README loads, its examples included."""
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        try:
            load_routes(block)
        except BeagleError as error:
            pytest.fail(str(error))
