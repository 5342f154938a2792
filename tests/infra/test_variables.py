"""The module asks for what the template asks for. Read as text: this needs no Terraform."""

import json
import re
from typing import Any

import pytest

from support.comparing import plain, snake
from support.template import TEMPLATE
from support.terraform import MODULE

BLOCKS: dict[str, str] = dict(
    re.findall(r'(?ms)^variable "(\w+)" \{\n(.*?)^\}', (MODULE / "variables.tf").read_text())
)
OUTPUTS: dict[str, str] = dict(
    re.findall(r'(?ms)^output "(\w+)" \{\n(.*?)^\}', (MODULE / "outputs.tf").read_text())
)
# A template's packages are beside it, and its stack has a name.
OWN = {"name", "packages"}
PARAMETERS: dict[str, dict[str, Any]] = {
    # An object, so that its absence is known before its ARN is.
    "api_key_secret" if name == "ApiKeySecretArn" else snake(name): parameter
    for name, parameter in TEMPLATE["Parameters"].items()
}


def default_of(block: str) -> Any:
    """Return a default; Terraform writes plain values as JSON does."""
    [said] = re.findall(r"(?m)^  default +=(.*)$", block)
    return json.loads(said)


def test_variables_are_parameters() -> None:
    assert set(BLOCKS) == set(PARAMETERS) | OWN


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_one_requires_the_other_requires(name: str) -> None:
    """And where it may be left out, both take the same; no secret given is null here and empty there."""
    assert ("  default" in BLOCKS[name]) is ("Default" in PARAMETERS[name])
    if "Default" in PARAMETERS[name]:
        assert plain(default_of(BLOCKS[name]) or "") == str(PARAMETERS[name]["Default"]).replace("false", "")


@pytest.mark.parametrize("name", PARAMETERS)
def test_both_refuse_the_same(name: str) -> None:
    """The same pattern, the same choices, the same bounds."""
    parameter, block = PARAMETERS[name], BLOCKS[name]
    bounds = re.findall(rf"var\.{name} >= (\d+) && var\.{name} <= (\d+)", block)
    choices = [json.loads(said) for said in re.findall(rf"contains\((\[.*?\]), var\.{name}\)", block)]
    patterns = [
        json.loads(f'"{said}"').removeprefix("^").removesuffix("$")
        for said in re.findall(r'can\(regex\("(.*?)", var\.', block)
    ]

    if name == "prefix":  # Terraform's patterns look at nothing that they do not take
        assert parameter["AllowedPattern"] == r"(?!\.beagle/)" + patterns.pop()
        assert 'condition     = !startswith(var.prefix, ".beagle/")' in block
    elif name == "api_key_secret":
        assert parameter["AllowedPattern"] == patterns.pop().join(("(|", ")"))
    elif "AllowedPattern" in parameter:
        assert parameter["AllowedPattern"] == patterns.pop()
    if "MinValue" in parameter:
        assert bounds.pop() == (str(parameter["MinValue"]), str(parameter["MaxValue"]))
    if "AllowedValues" in parameter:
        assert parameter["AllowedValues"] == (choices.pop() if choices else ["true", "false"])
    assert (patterns, bounds, choices) == ([], [], [])


@pytest.mark.parametrize("name", BLOCKS)
def test_every_variable_explains_itself_and_has_a_type(name: str) -> None:
    """A sentence for the person; no `any`; null only where it means something; sentences for the errors."""
    block = BLOCKS[name]

    assert re.search(r'(?m)^  description = ".*\."$', block)
    assert re.search(r"(?m)^  type +=", block)
    assert not re.search(r"\bany\b", block.partition("type")[2].partition("\n")[0])
    assert ("nullable    = false" in block) is (name != "api_key_secret")
    assert all(message.endswith(".") for message in re.findall(r'error_message = "(.*)"', block))


@pytest.mark.parametrize("name", TEMPLATE["Outputs"])
def test_both_tell_the_same(name: str) -> None:
    """An output for an output, each with its sentence."""
    assert re.search(r'(?m)^  description = ".*\."$', OUTPUTS[snake(name)])
    assert set(OUTPUTS) == {snake(name) for name in TEMPLATE["Outputs"]}


def test_no_value_of_the_key_gets_into_the_state() -> None:
    """The module makes a secret, never its value; and takes none."""
    text = "".join(path.read_text() for path in MODULE.glob("*.tf"))

    assert "aws_secretsmanager_secret_version" not in text
    assert [name for name in BLOCKS if re.search("key|token|secret", name)] == [
        "api_key_secret",
        "bucket_kms_key_arn",
        "kms_key_arn",
    ]


def test_a_bucket_that_exists_keeps_its_notifications() -> None:
    """Terraform's resource replaces all of a bucket's, so only a bucket of the module's own has one."""
    [block] = re.findall(
        r'(?ms)^resource "aws_s3_bucket_notification" .*?^\}', (MODULE / "buckets.tf").read_text()
    )

    assert "for_each = { for name, bucket in aws_s3_bucket.kept :" in block
