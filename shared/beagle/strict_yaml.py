"""YAML without what it forgives."""

from __future__ import annotations

import yaml

from beagle.domain.errors import RoutesError


def load_yaml(text: str) -> object:
    """Return the document.

    Raises:
        RoutesError: It is no YAML, says a thing twice, or merges mappings.

    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        told = ", ".join(filter(None, (error.context, error.problem)))
        raise RoutesError(f"The routes file is not valid YAML{where}: {told}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that is none
        raise RoutesError(f"The routes file is not valid YAML: {error}") from error


class _Loader(yaml.SafeLoader):
    """Refuses what YAML forgives: a key that stands twice in one mapping, of which one would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002 - PyYAML's signature
        mapping: dict[object, object] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise RoutesError(
                    f"The routes file merges mappings (<<, line {key_node.start_mark.line + 1}): that is not "
                    "taken, write the fields out. Whole values may be named (&name) and used again (*name)."
                )
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} is no field's name", key_node.start_mark
                )
            value = self.construct_object(value_node, deep=deep)
            if key in mapping and key == "name" and "{" in str(value):
                key = "item_name"  # a route's own name and the template of its items' name
            if key in mapping:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} stands twice", key_node.start_mark
                )
            mapping[key] = value
        return mapping
