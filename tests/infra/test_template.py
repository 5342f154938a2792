"""The template's promises. Queues, roles and buckets are data here; cfn-lint knows the rest."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_file

from beagle.playground import stack, wheels
from beagle.playground.packaging import FUNCTIONS as BUILT

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ".beagle/"
DAY = 24 * 60 * 60


class TemplateLoader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation: `!Ref X` is `{"Ref": "X"}`, `!Sub x` is `{"Fn::Sub": "x"}`."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


TemplateLoader.add_multi_constructor("!", _short_form)
TEMPLATE: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader=TemplateLoader)  # noqa: S506 - safe
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
GLOBALS: dict[str, Any] = TEMPLATE["Globals"]["Function"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: body["Properties"] for name, body in RESOURCES.items() if body["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")
BUCKETS = of_type("AWS::S3::Bucket")
SOURCES = {
    f"{name}.{event}": (function, source["Properties"])
    for name, function in FUNCTIONS.items()
    for event, source in function["Events"].items()
}
# The queues that a function consumes; the others end in somebody's hands.
CONSUMED = {source["Queue"]["Fn::GetAtt"].split(".")[0] for _, source in SOURCES.values()}


def walk(node: object) -> Iterator[dict[str, Any]]:
    """Yield every mapping below a node."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


STATEMENTS = [node for node in walk(RESOURCES) if "Effect" in node]


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(role: str) -> dict[str, list[Any]]:
    """Map each action a role may take to the resources it may take it on."""
    actions: dict[str, list[Any]] = {}
    for node in walk(RESOURCES[role]["Properties"]["Policies"]):
        if "Effect" in node:
            for action in as_list(node["Action"]):
                actions.setdefault(action, []).extend(as_list(node["Resource"]))
    return actions


def test_cfn_lint_is_content() -> None:
    """The linter of CloudFormation finds neither an error nor a warning."""
    assert [str(finding) for finding in lint_file(ROOT / "template.yaml")] == []


@pytest.mark.parametrize("name", SOURCES)
def test_a_queue_outlasts_its_function(name: str) -> None:
    """A message stays hidden for six function timeouts and the batching window, as Lambda's guide asks."""
    function, source = SOURCES[name]
    queue = QUEUES[source["Queue"]["Fn::GetAtt"].split(".")[0]]
    timeout = function.get("Timeout", GLOBALS["Timeout"])

    assert queue["VisibilityTimeout"] >= 6 * timeout + source.get("MaximumBatchingWindowInSeconds", 0)


@pytest.mark.parametrize("name", SOURCES)
def test_one_bad_message_does_not_fail_its_batch(name: str) -> None:
    """Every function answers with the messages to redeliver, and only those are."""
    assert SOURCES[name][1]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("name", sorted(CONSUMED))
def test_an_outage_of_a_day_dead_letters_nothing(name: str) -> None:
    """A message may be received for more than 24 hours before SQS gives up on it."""
    queue = QUEUES[name]
    redrive = queue["RedrivePolicy"]

    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": "DeadLetters.Arn"}
    assert redrive["maxReceiveCount"] * queue["VisibilityTimeout"] > DAY


@pytest.mark.parametrize("name", sorted(CONSUMED))
def test_dead_letters_outlive_their_source(name: str) -> None:
    """SQS keeps a message's age when it moves it, so the dead letters must be kept for days longer."""
    assert QUEUES["DeadLetters"]["MessageRetentionPeriod"] >= QUEUES[name]["MessageRetentionPeriod"] + 2 * DAY


@pytest.mark.parametrize("name", QUEUES)
def test_queues_are_encrypted(name: str) -> None:
    """Keys of objects can be personal data."""
    assert QUEUES[name]["SqsManagedSseEnabled"] is True


def test_few_instances_talk_to_darwin() -> None:
    """Two pollers at most share Darwin's rate limit."""
    assert FUNCTIONS["Register"]["Events"]["Items"]["Properties"]["ScalingConfig"] == {
        "MaximumConcurrency": 2
    }


@pytest.mark.parametrize("name", of_type("AWS::SQS::QueuePolicy"))
def test_only_our_rule_may_write_to_a_queue(name: str) -> None:
    """EventBridge serves everybody: the policy names the rule and the account."""
    (statement,) = RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": {"Fn::GetAtt": "Created.Arn"}}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_what_the_rule_cannot_deliver_is_kept() -> None:
    """The rule has a dead-letter queue, and may write to it."""
    (target,) = RESOURCES["Created"]["Properties"]["Targets"]
    written = [queue for policy in of_type("AWS::SQS::QueuePolicy").values() for queue in policy["Queues"]]

    assert target["Arn"] == {"Fn::GetAtt": "Uploads.Arn"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "DeadLetters.Arn"}}
    assert {"Ref": "Uploads"} in written
    assert {"Ref": "DeadLetters"} in written


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


def test_no_action_and_no_resource_is_a_wildcard() -> None:
    """Roles name what they do, and on what."""
    for statement in STATEMENTS:
        assert statement["Effect"] == "Allow"
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        assert "*" not in as_list(statement.get("Resource"))


def test_no_managed_policy_widens_a_role() -> None:
    """SAM adds broad policies to the roles it writes itself, so each function brings its own."""
    roles = [function["Role"]["Fn::GetAtt"] for function in FUNCTIONS.values()]

    assert len(set(roles)) == len(FUNCTIONS)
    assert not [role for role in of_type("AWS::IAM::Role").values() if "ManagedPolicyArns" in role]


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
def test_nothing_may_delete_objects_or_read_dead_letters(role: str) -> None:
    """Only people delete uploads, and only people replay."""
    actions = granted(role)

    assert not [action for action in actions if action.startswith("s3:Delete")]
    assert {"Fn::GetAtt": "DeadLetters.Arn"} not in actions["sqs:ReceiveMessage"]


def test_only_register_reads_the_api_key() -> None:
    """The functions that parse strangers' files have no key to lose."""
    assert "secretsmanager:GetSecretValue" not in granted("PrepareRole")
    assert "secretsmanager:GetSecretValue" not in granted("ExtractRole")
    assert len(granted("RegisterRole")["secretsmanager:GetSecretValue"]) == 1


def test_prepare_touches_the_bucket_only_when_it_makes_artifacts() -> None:
    """With read-write storage Darwin makes the thumbnails, so prepare may neither read nor write objects."""
    always, when_read_only = RESOURCES["PrepareRole"]["Properties"]["Policies"]
    condition, artifacts, nothing = when_read_only["Fn::If"]
    written = [node["Resource"] for node in walk(artifacts) if "s3:PutObject" in as_list(node.get("Action"))]

    assert "${BucketName}" not in str(always)
    assert TEMPLATE["Conditions"][condition] == {"Fn::Equals": [{"Ref": "Access"}, "read_only"]}
    assert written == [{"Fn::Sub": "arn:${AWS::Partition}:s3:::${BucketName}/" + ARTIFACTS + "*"}]
    assert nothing == {"Ref": "AWS::NoValue"}


def test_what_only_read_only_storage_needs_is_there_only_for_it() -> None:
    """Queue, function, layer, role, alarm and outputs of extract have one condition."""
    conditional = {name for name, body in RESOURCES.items() if body.get("Condition") == "IsReadOnly"}

    assert conditional == {
        "Videos",
        "Ffmpeg",
        "Extract",
        "ExtractLogs",
        "ExtractRole",
        "VideosAgeAlarm",
    }
    assert {name for name, output in TEMPLATE["Outputs"].items() if "Condition" in output} == {
        "VideosQueueUrl",
        "ExtractFunction",
    }
    assert GLOBALS["Environment"]["Variables"]["BEAGLE_VIDEOS_QUEUE"] == {
        "Fn::If": ["IsReadOnly", {"Ref": "Videos"}, ""]
    }


@pytest.mark.parametrize(
    ("role", "queues"),
    [
        ("PrepareRole", {"Items", "DeadLetters", "Videos"}),
        ("ExtractRole", {"Videos", "Items", "DeadLetters"}),
        ("RegisterRole", {"DeadLetters"}),
    ],
)
def test_each_function_sends_only_where_its_work_goes(role: str, queues: set[str]) -> None:
    """Nobody sends uploads; extract alone sends into the queue that it consumes, for a video's parts."""
    assert {queue["Fn::GetAtt"] for queue in granted(role)["sqs:SendMessage"]} == {
        f"{name}.Arn" for name in queues
    }


@pytest.mark.parametrize("role", ["PrepareRole", "ExtractRole"])
def test_objects_are_read_below_the_prefix_and_written_below_our_own(role: str) -> None:
    """What Beagle may change in the watched bucket is its own folder."""
    bucket = "arn:${AWS::Partition}:s3:::${BucketName}"
    places = {
        action: {place["Fn::Sub"] for place in resources if "${BucketName}" in str(place)}
        for action, resources in granted(role).items()
        if action.startswith("s3:")
    }

    assert places == {
        "s3:GetObject": {bucket + "/${Prefix}*"},
        "s3:PutObject": {bucket + "/" + ARTIFACTS + "*"},
        "s3:AbortMultipartUpload": {bucket + "/" + ARTIFACTS + "*"},
        "s3:ListBucket": {bucket},
    }


def test_extract_has_the_time_it_plans_with() -> None:
    """Long videos are cut into parts that fit; a batch is one video, or one part."""
    extract = FUNCTIONS["Extract"]
    [source] = extract["Events"].values()

    assert extract["Environment"]["Variables"]["BEAGLE_INVOCATION_SECONDS"] == str(extract["Timeout"])
    assert extract["Timeout"] == 900
    assert source["Properties"]["BatchSize"] == 1
    assert source["Properties"]["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "ExtractConcurrency"}}
    assert extract["EphemeralStorage"]["Size"] == 10240
    assert extract["Layers"] == [{"Ref": "Ffmpeg"}]


def test_large_messages_outlive_the_queues_that_speak_of_them() -> None:
    """The state bucket forgets them after the last message and the last dead letter could have come."""
    rules = {rule["Id"]: rule for rule in BUCKETS["State"]["LifecycleConfiguration"]["Rules"]}
    longest = max(QUEUES[name]["MessageRetentionPeriod"] for name in CONSUMED)

    for name in ("parcels", "parts", "attempts"):
        assert rules[name]["Prefix"] == f"{name}/"
        assert (
            rules[name]["ExpirationInDays"] * DAY > longest + QUEUES["DeadLetters"]["MessageRetentionPeriod"]
        )
    assert not [rule for rule in rules.values() if "ExpirationInDays" in rule and not rule.get("Prefix")]


def test_the_template_deploys_what_is_built() -> None:
    """Each function has the package of its own name, and the layer its folder."""
    folder = ".build/functions/aws/"

    assert {function["CodeUri"].removeprefix(folder) for function in FUNCTIONS.values()} == set(BUILT)
    assert all(
        function["Handler"] == function["CodeUri"].removeprefix(folder) + ".handler"
        for function in FUNCTIONS.values()
    )
    assert of_type("AWS::Serverless::LayerVersion")["Ffmpeg"]["ContentUri"] == ".build/layers/ffmpeg"
    assert (ROOT / "layers" / "ffmpeg" / "requirements.txt").is_file()
    assert len(stack.BUILT.findall((ROOT / "template.yaml").read_text())) == len(FUNCTIONS) + 1


@pytest.mark.parametrize(
    ("role", "read", "written"),
    [
        ("PrepareRole", {"groups/", "attempts/prepare/"}, {"groups/", "parcels/", "attempts/prepare/"}),
        (
            "ExtractRole",
            {"parts/", "parcels/", "attempts/extract/"},
            {"parts/", "parcels/", "attempts/extract/"},
        ),
        ("RegisterRole", {"ledger/", "parcels/", "attempts/register/"}, {"ledger/", "attempts/register/"}),
    ],
)
def test_each_function_has_its_own_place_in_the_state_bucket(
    role: str, read: set[str], written: set[str]
) -> None:
    """Parsers of strangers' files can touch neither the ledger nor what another function counts."""
    for action, places in (("s3:GetObject", read), ("s3:PutObject", written)):
        named = {place["Fn::Sub"] for place in granted(role)[action]}
        assert {name for name in named if "${State.Arn}" in name} == {
            "${State.Arn}/" + place + "*" for place in places
        }


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_are_private(name: str) -> None:
    """No public access, no access lists, encrypted, and kept when the stack goes."""
    bucket = BUCKETS[name]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_the_api_key_is_no_parameter() -> None:
    """Parameters are readable in the console: the template takes a secret's address, never its value."""
    secret = of_type("AWS::SecretsManager::Secret")["ApiKey"]

    assert not {"SecretString", "GenerateSecretString"} & set(secret)
    assert "secretsmanager" in TEMPLATE["Parameters"]["ApiKeySecretArn"]["AllowedPattern"]
    assert [name for name in TEMPLATE["Parameters"] if re.search("(?i)key|token|secret", name)] == [
        "ApiKeySecretArn"
    ]


@pytest.mark.parametrize("name", TEMPLATE["Parameters"])
def test_every_parameter_explains_and_checks_itself(name: str) -> None:
    """A description for the person, a constraint for the slip of the finger."""
    parameter = TEMPLATE["Parameters"][name]

    assert parameter["Description"].endswith(".")
    assert {"AllowedPattern", "AllowedValues", "MaxValue"} & set(parameter)
    if "AllowedPattern" in parameter:
        assert "ConstraintDescription" in parameter
    if "Default" in parameter and "AllowedPattern" in parameter:
        assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])


@pytest.mark.parametrize("name", TEMPLATE["Outputs"])
def test_every_output_explains_itself(name: str) -> None:
    """What `sam deploy` prints at its end can be read without the template."""
    assert TEMPLATE["Outputs"][name]["Description"].endswith(".")


def test_every_queue_has_an_alarm() -> None:
    """Dead letters and standstill are noticed."""
    watched = {
        (alarm["MetricName"], alarm["Dimensions"][0]["Value"]["Fn::GetAtt"].split(".")[0])
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
    }

    assert watched == {("ApproximateNumberOfMessagesVisible", "DeadLetters")} | {
        ("ApproximateAgeOfOldestMessage", name) for name in CONSUMED
    }


def test_the_build_is_for_the_machine_of_the_template() -> None:
    """Wheels for another Python or processor would fail at the first import on AWS."""
    machines = {"arm64": "aarch64", "x86_64": "x86_64"}

    assert GLOBALS["Runtime"] == f"python{wheels.LAMBDA_PYTHON}"
    assert [machines[name] for name in GLOBALS["Architectures"]] == [wheels.LAMBDA_MACHINE]


def test_the_playground_knows_the_outputs() -> None:
    """The local stack finds its queues and functions by the template's output names."""
    known = {*stack.QUEUE_OUTPUTS.values(), *stack.FUNCTION_OUTPUTS.values()}

    assert known <= set(TEMPLATE["Outputs"])
