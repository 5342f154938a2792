"""The schema of a Terraform provider, read out of the bindings for it that PyPI has.

The bindings were generated from the provider's own schema, and carry their TypeScript source. A comment
there tells of every argument whether it is required, optional or computed; the code around it tells the rest.
"""

import base64
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

_CLASS = re.compile(r"(?ms)^export class (\w+) extends cdktf\.(\w+) \{\n(.*?)^\}")
_FUNCTION = re.compile(r"(?ms)^export function (\w+)ToHclTerraform\((.*?)^\}")
_MEMBER = re.compile(
    r"(?ms)^  // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n"
    r"(.*?)(?=^  // \w+ - computed|^  // ====|\Z)"
)
_ARGUMENT = re.compile(
    r'(\w+): \{\s+value: .*?,\s+isBlock: (true|false),\s+type: "(\w+)",\s+storageClassType: "(\w+)",\s+\}',
    re.DOTALL,
)
_NESTED = re.compile(r'new (?:cdktf\.)?(\w+)\(this, "\w+"(?:, (true|false))?\)')
_GETTER = re.compile(r"\.get(\w+?)Attribute\('")
_PLAIN = {"string": "string", "number": "number", "boolean": "bool"}
_NESTINGS = {"list", "set", "map"}


def read_schema(wheel: Path, provider: str, types: Iterable[str]) -> Schema:
    """Return what Terraform asks a provider for: its own schema and those of some of its types.

    A type that the bindings do not know is left out, so that Terraform itself says that there is none.
    `types` are as a configuration writes them, `data.` before those that are only read.
    """
    places = {_folder(provider, name): name for name in types}
    schema: Schema = {"resources": {}, "data": {}}
    for folder, source in _sources(wheel, {"provider", *places}):
        [(kind, body)] = [(kind, body) for _, kind, body in _CLASS.findall(source) if kind in _KINDS]
        block = _Source(source).block_of(body)
        version = re.search(r"providerVersion: '([\d.]+)'", source)
        if folder == "provider":
            block["attributes"].pop("alias", None)  # Terraform's own
            schema |= {"provider": block, "version": version[1] if version else "?"}
        else:
            schema[_KINDS[kind]][places[folder].removeprefix("data.")] = block
    return schema


_KINDS = {"TerraformResource": "resources", "TerraformDataSource": "data", "TerraformProvider": "provider"}


def _folder(provider: str, name: str) -> str:
    kind, dot, rest = name.rpartition(".")
    words = rest.removeprefix(f"{provider}_").replace("_", "-")
    return f"data-{provider}-{words}" if dot and kind == "data" else words


def _sources(wheel: Path, folders: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the TypeScript of some folders of the package that the wheel carries."""
    with zipfile.ZipFile(wheel) as archive:
        [package] = [name for name in archive.namelist() if name.endswith(".jsii.tgz")]
        with archive.open(package) as file, tarfile.open(fileobj=file, mode="r|gz") as members:
            for member in members:
                match member.name.split("/"):
                    case [_, "lib", folder, "index.js"] if folder in folders:
                        content = members.extractfile(member)
                        assert content is not None
                        yield folder, _typescript(content.read())


def _typescript(javascript: bytes) -> str:
    """Return the source that a compiled file carries for debuggers, in its last line."""
    carried = json.loads(base64.b64decode(javascript.rpartition(b"base64,")[2]))
    source: str = carried["sourcesContent"][0]
    return source


@dataclass(slots=True)
class _Argument:
    is_block: bool
    nesting: str
    kind: str

    @property
    def struct(self) -> str:
        """The name of what is nested here."""
        return self.kind if self.nesting == "struct" else re.sub(r"(List|Map)$", "", self.kind)


class _Source:
    """The source of one type."""

    def __init__(self, text: str) -> None:
        self._bodies = {name: body for name, _, body in _CLASS.findall(text)}
        self._functions = {name.lower(): body for name, body in _FUNCTION.findall(text)}

    def block_of(self, body: str, arguments: str | None = None) -> Schema:
        """Return the schema of a class, whose arguments a function of their own may list."""
        block: Schema = {"attributes": {}, "blocks": {}}
        given = {
            name: _Argument(is_block == "true", nesting, kind)
            for name, is_block, nesting, kind in _ARGUMENT.findall(body if arguments is None else arguments)
        }
        members = {name: (*flags, text) for name, *flags, text in _MEMBER.findall(body)}
        for name in members | given:
            computed, optional, required, text = members.get(name, ("false", "true", "false", ""))
            argument = given.get(name)
            nested = _NESTED.search(text)
            if argument and argument.is_block:
                # A provider's own source has no classes for what is nested, only functions.
                one = nested is not None and nested[1].endswith("OutputReference")
                block["blocks"][name] = {
                    "nesting": argument.nesting if argument.nesting in _NESTINGS else "single",
                    "least": 1 if required == "true" and argument.nesting in {"list", "set"} else 0,
                    "most": 1 if one and argument.nesting in {"list", "set"} else 0,
                    "block": self.block_of(
                        self._bodies.get(f"{argument.struct}OutputReference", ""),
                        self._functions.get(argument.struct.lower(), ""),
                    ),
                }
            else:
                block["attributes"][name] = {
                    "type": _type_of(argument) if argument and not nested else self._type_of_text(text),
                    "required": required == "true",
                    "optional": optional == "true",
                    "computed": computed == "true",
                }
        return block

    def _type_of_text(self, text: str) -> Any:
        """Return the type of what can be read, by how it is read."""
        if nested := _NESTED.search(text):
            name, as_set = nested[1], nested[2] == "true"
            if plain := re.fullmatch(r"(String|Number|Boolean|Any)Map(List)?", name):
                element: Any = ["map", _PLAIN.get(plain[1].lower(), "string")]
                return ["list", element] if plain[2] else element
            struct = re.sub(r"(OutputReference|List|Map)$", "", name)
            element = self._object(struct)
            if name.endswith("OutputReference"):
                return element
            return ["map" if name.endswith("Map") else "set" if as_set else "list", element]
        getter = _GETTER.search(text)
        kind = getter[1][0].lower() + getter[1][1:] if getter else "any"
        collection = "set" if "Fn.tolist(" in text else "list"
        return _type_of(_Argument(False, collection, "stringList" if kind == "list" else kind))

    def _object(self, struct: str) -> Any:
        body = self._bodies.get(f"{struct}OutputReference", "")
        return ["object", {name: self._type_of_text(text) for name, *_, text in _MEMBER.findall(body)}]


def _type_of(argument: _Argument) -> Any:
    """Return a type as Terraform writes it in JSON; `dynamic` for what the bindings take as it comes."""
    named = re.fullmatch(r"(string|number|boolean)((?:List|Map|Set)*)", argument.kind)
    if named is None:
        return "dynamic"
    kind: Any = _PLAIN[named[1]]
    collections = re.findall("List|Map|Set", named[2])
    for place, collection in enumerate(collections):
        outermost = place == len(collections) - 1 and argument.nesting in _NESTINGS
        kind = [argument.nesting if outermost and collection != "Map" else collection.lower(), kind]
    return kind
