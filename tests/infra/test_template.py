"""The template's promises. Queues, functions and buckets are data here; cfn-lint knows the rest."""

import re

import pytest
from cfnlint.api import lint_file

from beagle.playground import stack, wheels
from beagle.playground.packaging import FUNCTIONS as BUILT
from support.template import (
    BUCKETS,
    CONSUMED,
    DAY,
    FUNCTIONS,
    GLOBALS,
    QUEUES,
    RESOURCES,
    ROOT,
    SOURCES,
    TEMPLATE,
    of_type,
    patience_of,
)


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
    """A message may be received for more than 24 hours, given back or not, before SQS gives up on it."""
    assert QUEUES[name]["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": "DeadLetters.Arn"}
    assert patience_of(QUEUES[name]) > DAY


@pytest.mark.parametrize("name", sorted(CONSUMED))
def test_no_function_takes_all_of_an_account(name: str) -> None:
    """Each has a limit of its own: a heap of uploads leaves room for register, and for what else there is."""
    [source] = [source for _, source in SOURCES.values() if source["Queue"]["Fn::GetAtt"] == f"{name}.Arn"]
    limit = source["ScalingConfig"]["MaximumConcurrency"]

    assert limit in (2, {"Ref": "PrepareConcurrency"}, {"Ref": "ExtractConcurrency"})


@pytest.mark.parametrize(
    ("prefix", "taken"),
    [
        *(("", True), ("cars/", True), ("cars & trucks/2026/", True), (".hidden/", True)),
        *(("cars", False), ("cars//", False), ("/", False), (".beagle/x/", False)),
        *(("site-?/", False), ("*/", False), ("${aws:username}/", False), ("a*/b/", False)),
    ],
)
def test_a_prefix_is_a_folder_and_no_pattern(prefix: str, taken: bool) -> None:  # noqa: FBT001
    """Permissions name it, and IAM takes some characters for more than themselves."""
    pattern = TEMPLATE["Parameters"]["Prefix"]["AllowedPattern"]

    assert bool(re.fullmatch(pattern, prefix)) is taken


@pytest.mark.parametrize("name", sorted(CONSUMED))
def test_dead_letters_outlive_their_source(name: str) -> None:
    """SQS keeps a message's age when it moves it, so the dead letters must be kept for days longer."""
    assert QUEUES["DeadLetters"]["MessageRetentionPeriod"] >= QUEUES[name]["MessageRetentionPeriod"] + 2 * DAY


@pytest.mark.parametrize("name", QUEUES)
def test_queues_are_encrypted(name: str) -> None:
    """Keys of objects can be personal data: by SQS itself, or by the account's own key."""
    own, managed = QUEUES[name]["KmsMasterKeyId"], QUEUES[name]["SqsManagedSseEnabled"]

    assert managed == {"Fn::If": ["HasKey", {"Ref": "AWS::NoValue"}, True]}
    assert own == {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}


def test_few_instances_talk_to_darwin() -> None:
    """Two pollers at most share Darwin's rate limit."""
    assert FUNCTIONS["Register"]["Events"]["Items"]["Properties"]["ScalingConfig"] == {
        "MaximumConcurrency": 2
    }


def test_what_the_rule_cannot_deliver_is_kept() -> None:
    """The rule has a dead-letter queue, and may write to it."""
    (target,) = RESOURCES["Created"]["Properties"]["Targets"]
    written = [queue for policy in of_type("AWS::SQS::QueuePolicy").values() for queue in policy["Queues"]]

    assert target["Arn"] == {"Fn::GetAtt": "Uploads.Arn"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "DeadLetters.Arn"}}
    assert {"Ref": "Uploads"} in written
    assert {"Ref": "DeadLetters"} in written


def test_what_only_read_only_storage_needs_is_there_only_for_it() -> None:
    """Queue, function, layer, role, alarms and outputs of extract have one condition."""
    conditional = {name for name, body in RESOURCES.items() if body.get("Condition") == "IsReadOnly"}

    assert conditional == {
        "Videos",
        "Ffmpeg",
        "Extract",
        "ExtractLogs",
        "ExtractRole",
        "VideosAgeAlarm",
        "ExtractWaitingAlarm",
        "ExtractErrorsAlarm",
        "ExtractThrottlesAlarm",
        "ExtractDurationAlarm",
        "ExtractPersonAlarm",
    }
    assert {name for name, output in TEMPLATE["Outputs"].items() if "Condition" in output} == {
        "VideosQueueUrl",
        "ExtractFunction",
    }
    assert GLOBALS["Environment"]["Variables"]["BEAGLE_VIDEOS_QUEUE"] == {
        "Fn::If": ["IsReadOnly", {"Ref": "Videos"}, ""]
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


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_are_private(name: str) -> None:
    """No public access, no access lists, encrypted, and kept when the stack goes."""
    bucket = BUCKETS[name]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_what_lies_in_a_queue_alone_outlives_the_stack() -> None:
    """Nothing else knows of a dead letter, nor of a video that waits; uploads can be announced once more."""
    kept = {name for name in QUEUES if "Retain" in RESOURCES[name].get("DeletionPolicy", "")}

    assert kept == {"Videos", "DeadLetters"}
    for name in kept:
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"
        assert "QueueName" not in QUEUES[name]  # or what is kept would stand in the way of its successor


def test_the_api_key_is_no_parameter() -> None:
    """Parameters are readable in the console: the template takes a secret's address, never its value."""
    secret = of_type("AWS::SecretsManager::Secret")["ApiKey"]

    assert not {"SecretString", "GenerateSecretString"} & set(secret)
    assert "secretsmanager" in TEMPLATE["Parameters"]["ApiKeySecretArn"]["AllowedPattern"]
    assert {name for name in TEMPLATE["Parameters"] if re.search("(?i)key|token|secret", name)} == {
        "ApiKeySecretArn",
        "BucketKmsKeyArn",
        "KmsKeyArn",
    }


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


def test_the_build_is_for_the_machine_of_the_template() -> None:
    """Wheels for another Python or processor would fail at the first import on AWS."""
    machines = {"arm64": "aarch64", "x86_64": "x86_64"}

    assert GLOBALS["Runtime"] == f"python{wheels.LAMBDA_PYTHON}"
    assert GLOBALS["Architectures"] == [{"Ref": "Architecture"}]
    assert machines[TEMPLATE["Parameters"]["Architecture"]["Default"]] == wheels.LAMBDA_MACHINE
    assert TEMPLATE["Parameters"]["Architecture"]["AllowedValues"] == list(machines)


def test_the_playground_knows_the_outputs() -> None:
    """The local stack finds its queues and functions by the template's output names."""
    known = {*stack.QUEUE_OUTPUTS.values(), *stack.FUNCTION_OUTPUTS.values()}

    assert known <= set(TEMPLATE["Outputs"])


@pytest.mark.parametrize("name", [*FUNCTIONS, "Ffmpeg"])
def test_sam_builds_nothing_itself(name: str) -> None:
    """What is deployed comes from `make build`, pinned by hash; `sam build` puts nothing else there."""
    assert RESOURCES[name]["Metadata"] == {"SkipBuild": True}


@pytest.mark.parametrize("name", of_type("AWS::Logs::LogGroup"))
def test_logs_end(name: str) -> None:
    """Nobody pays for ever for what was logged."""
    group = RESOURCES[name]["Properties"]

    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert name.removesuffix("Logs") in FUNCTIONS
    assert FUNCTIONS[name.removesuffix("Logs")]["LoggingConfig"] == {"LogGroup": {"Ref": name}}


def test_an_account_may_bound_every_role_and_bring_its_own_key() -> None:
    """Guard rails of an account: a permissions boundary, and a key of its own for everything that is kept."""
    own = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    bounded = {"Fn::If": ["IsBounded", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}

    for role in of_type("AWS::IAM::Role").values():
        assert role["PermissionsBoundary"] == bounded
    for group in of_type("AWS::Logs::LogGroup").values():
        assert group["KmsKeyId"] == own
    assert of_type("AWS::SecretsManager::Secret")["ApiKey"]["KmsKeyId"] == own
    assert of_type("AWS::SNS::Topic")["Alarms"]["KmsMasterKeyId"] == own
    [rule] = BUCKETS["State"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["Fn::If"][0] == "HasKey"
