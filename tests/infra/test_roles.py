"""What each role may do, and nothing more."""

import pytest

from support.template import (
    ARTIFACTS,
    FUNCTIONS,
    RESOURCES,
    STATEMENTS,
    TEMPLATE,
    as_list,
    granted,
    of_type,
    walk,
)

TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def test_no_action_and_no_resource_is_a_wildcard() -> None:
    """Roles name what they do, and on what; only X-Ray, which knows no resources, is spared the latter."""
    for statement in STATEMENTS:
        actions = set(as_list(statement["Action"]))
        assert statement["Effect"] == "Allow"
        assert not [action for action in actions if "*" in action]
        assert "*" not in as_list(statement.get("Resource")) or actions == TRACES


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
def test_who_does_not_trace_needs_nothing_for_it(role: str) -> None:
    """Each permission that only a switch needs comes with the switch."""
    conditional = {
        policy["Fn::If"][1]["PolicyName"]: policy["Fn::If"][0]
        for policy in RESOURCES[role]["Properties"]["Policies"]
        if "Fn::If" in policy
    }
    always = [policy for policy in RESOURCES[role]["Properties"]["Policies"] if "Fn::If" not in policy]

    assert conditional["traces"] == "Traces"
    assert conditional["key"] == "HasKey"
    assert (
        conditional.get("bucket-key")
        in {
            "PrepareRole": {"ReadsEncryptedBucket"},
            "ExtractRole": {"HasBucketKey"},
            "RegisterRole": {None},
        }[role]
    )
    assert not {"kms", "xray"} & {
        action.partition(":")[0]
        for node in walk(always)
        if "Effect" in node
        for action in as_list(node["Action"])
    }


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
    always, when_read_only, *_ = RESOURCES["PrepareRole"]["Properties"]["Policies"]
    condition, artifacts, nothing = when_read_only["Fn::If"]
    written = [node["Resource"] for node in walk(artifacts) if "s3:PutObject" in as_list(node.get("Action"))]

    assert "${BucketName}" not in str(always)
    assert TEMPLATE["Conditions"][condition] == {"Fn::Equals": [{"Ref": "Access"}, "read_only"]}
    assert written == [{"Fn::Sub": "arn:${AWS::Partition}:s3:::${BucketName}/" + ARTIFACTS + "*"}]
    assert nothing == {"Ref": "AWS::NoValue"}


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


@pytest.mark.parametrize(
    ("role", "read", "written"),
    [
        ("PrepareRole", {"groups/", "attempts/prepare/"}, {"groups/", "parcels/", "attempts/prepare/"}),
        (
            "ExtractRole",
            {"parts/", "parcels/", "ledger/", "attempts/extract/"},
            {"parts/", "parcels/", "attempts/extract/"},
        ),
        ("RegisterRole", {"ledger/", "parcels/", "attempts/register/"}, {"ledger/", "attempts/register/"}),
    ],
)
def test_each_function_has_its_own_place_in_the_state_bucket(
    role: str, read: set[str], written: set[str]
) -> None:
    """Parsers of strangers' files can change neither the ledger nor what another function counts."""
    for action, places in (("s3:GetObject", read), ("s3:PutObject", written)):
        named = {place["Fn::Sub"] for place in granted(role)[action]}
        assert {name for name in named if "${State.Arn}" in name} == {
            "${State.Arn}/" + place + "*" for place in places
        }


@pytest.mark.parametrize("name", of_type("AWS::SQS::QueuePolicy"))
def test_only_our_rule_may_write_to_a_queue(name: str) -> None:
    """EventBridge serves everybody: the policy names the rule and the account."""
    (statement,) = RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": {"Fn::GetAtt": "Created.Arn"}}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
