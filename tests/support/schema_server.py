"""A Terraform provider that knows nothing but its schema; it runs in an environment of its own.

Terraform checks a configuration against the schema, plans it, and even applies it: what a real provider would
have computed is unknown in the plan, and afterwards made up. Of values, of what excludes what, and of any
service this provider knows nothing.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import tf.provider
import tf.runner
from tf.gen import tfplugin_pb2 as wire
from tf.gen import tfplugin_pb2_grpc as rpc

SCHEMA = json.loads((Path(sys.argv[0]).resolve().parent / "schema.json").read_text())
# What a resource is called, by whatever name.
NAMES = ("name", "account_id", "secret_id", "display_name", "service")
UNKNOWN = msgpack.ExtType(0, b"\0")
NESTINGS = wire.Schema.NestedBlock.NestingMode


def block_of(schema: dict[str, Any]) -> wire.Schema.Block:
    return wire.Schema.Block(
        attributes=[
            wire.Schema.Attribute(
                name=name,
                type=json.dumps(attribute["type"]).encode(),
                required=attribute["required"],
                optional=attribute["optional"],
                computed=attribute["computed"],
            )
            for name, attribute in sorted(schema["attributes"].items())
        ],
        block_types=[
            wire.Schema.NestedBlock(
                type_name=name,
                nesting=NESTINGS.Value(nested["nesting"].upper()),
                min_items=nested["least"],
                max_items=nested["most"],
                block=block_of(nested["block"]),
            )
            for name, nested in sorted(schema["blocks"].items())
        ],
    )


def schema_of(block: dict[str, Any]) -> wire.Schema:
    return wire.Schema(block=block_of(block))


def fill(value: Any, schema: dict[str, Any], made_up: Callable[[str, Any], Any]) -> Any:
    """Give every computed attribute that has no value the one that is made up for its name and type."""
    if isinstance(value, list):
        return [fill(one, schema, made_up) for one in value]
    if not isinstance(value, dict):
        return value
    for name, attribute in schema["attributes"].items():
        if attribute["computed"] and value.get(name) is None:
            value[name] = made_up(name, attribute["type"])
    for name, nested in schema["blocks"].items():
        value[name] = fill(value.get(name), nested["block"], made_up)
    return value


def make_up(type_name: str, value: dict[str, Any]) -> Callable[[str, Any], Any]:
    """Return how to make values up for one resource; a text says whose: `google_pubsub_topic.uploads.id`."""
    own = next((value[name] for name in NAMES if isinstance(value.get(name), str)), "?")

    def some(name: str, kind: Any) -> Any:
        match kind:
            case ["object", attributes]:
                return {one: some(one, attributes[one]) for one in attributes}
            case [collection, _]:
                return {} if collection == "map" else []
        return {"string": f"{type_name}.{own}.{name}", "number": 0, "bool": False}.get(kind)

    return some


def without_unknown(value: Any) -> Any:
    match value:
        case msgpack.ExtType():
            return None
        case dict():
            return {name: without_unknown(one) for name, one in value.items()}
        case list():
            return [without_unknown(one) for one in value]
    return value


def load(value: wire.DynamicValue) -> Any:
    return msgpack.unpackb(value.msgpack, strict_map_key=False) if value.msgpack else json.loads(value.json)


def dump(value: Any) -> wire.DynamicValue:
    return wire.DynamicValue(msgpack=msgpack.packb(value))


class SchemaOnly(rpc.ProviderServicer):
    """Terraform's plugin protocol 6.

    https://github.com/hashicorp/terraform/tree/main/docs/plugin-protocol
    """

    def __init__(self, _: object) -> None: ...

    def GetMetadata(self, _request, _context):  # noqa: N802 - the protocol's names, here and below
        return wire.GetMetadata.Response(
            server_capabilities=wire.ServerCapabilities(),
            resources=[wire.GetMetadata.ResourceMetadata(type_name=name) for name in SCHEMA["resources"]],
            data_sources=[wire.GetMetadata.DataSourceMetadata(type_name=name) for name in SCHEMA["data"]],
        )

    def GetProviderSchema(self, _request, _context):  # noqa: N802
        return wire.GetProviderSchema.Response(
            provider=schema_of(SCHEMA["provider"]),
            resource_schemas={name: schema_of(block) for name, block in SCHEMA["resources"].items()},
            data_source_schemas={name: schema_of(block) for name, block in SCHEMA["data"].items()},
        )

    def ValidateProviderConfig(self, _request, _context):  # noqa: N802
        return wire.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, _request, _context):  # noqa: N802
        return wire.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, _request, _context):  # noqa: N802
        return wire.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(self, request, _context):  # noqa: N802
        return wire.UpgradeResourceState.Response(
            upgraded_state=wire.DynamicValue(json=request.raw_state.json)
        )

    def ConfigureProvider(self, _request, _context):  # noqa: N802
        return wire.ConfigureProvider.Response()

    def ReadResource(self, request, _context):  # noqa: N802
        return wire.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request, _context):  # noqa: N802
        planned = load(request.proposed_new_state)
        if load(request.prior_state) is None:
            planned = fill(planned, SCHEMA["resources"][request.type_name], lambda *_: UNKNOWN)
        return wire.PlanResourceChange.Response(planned_state=dump(planned), legacy_type_system=True)

    def ApplyResourceChange(self, request, _context):  # noqa: N802
        made = without_unknown(load(request.planned_state))
        if made is not None:
            made = fill(made, SCHEMA["resources"][request.type_name], make_up(request.type_name, made))
        return wire.ApplyResourceChange.Response(new_state=dump(made), legacy_type_system=True)

    def ReadDataSource(self, request, _context):  # noqa: N802
        read = load(request.config)
        read = fill(read, SCHEMA["data"][request.type_name], make_up(request.type_name, read))
        return wire.ReadDataSource.Response(state=dump(read))

    def GetFunctions(self, _request, _context):  # noqa: N802
        return wire.GetFunctions.Response()

    def StopProvider(self, _request, _context):  # noqa: N802
        return wire.StopProvider.Response()


if __name__ == "__main__":
    tf.provider.ProviderServicer = SchemaOnly
    tf.runner.run_provider(None, sys.argv[:1])
