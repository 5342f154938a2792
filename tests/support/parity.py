"""Which argument of which Terraform resource says what a property of the template says."""

import json
import re
from typing import Any

from support.comparing import Same, at, snake, written_out
from support.template import TEMPLATE, as_list, walk


def permissions(policies: object) -> list[str]:
    """Return each action with its resource: how statements divide them does not matter."""
    parsed = json.loads(policies) if isinstance(policies, str) else policies
    statements = [node for node in walk(parsed) if "Effect" in node]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    return sorted(
        {
            f"{action} {resource}"
            for statement in statements
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
    )


def _expirations(rules: list[dict[str, Any]]) -> list[str]:
    return sorted(
        f"{one['Id']} {one['Status']} {one.get('Prefix', '')} {one.get('ExpirationInDays')} "
        f"{one.get('AbortIncompleteMultipartUpload', {}).get('DaysAfterInitiation')}"
        for one in rules
    )


def _expirations_tf(rules: list[dict[str, Any]]) -> list[str]:
    return sorted(
        f"{one['id']} {one['status']} {at(one, 'filter.prefix') or ''} {at(one, 'expiration.days')} "
        f"{at(one, 'abort_incomplete_multipart_upload.days_after_initiation')}"
        for one in rules
    )


def _in_our_words(description: str) -> str:
    """Return an alarm's description with parameters as variables, and the command's option for Terraform."""
    for parameter in TEMPLATE["Parameters"]:
        description = re.sub(rf"\b{parameter}\b", snake(parameter), description)
    return description.replace("--stack NAME", "--terraform DIR")


def _charts(body: str) -> list[Any]:
    """Return a dashboard's charts, abbreviations written out, without the lines that show nothing."""
    charts: list[Any] = json.loads(body)["widgets"]
    for chart in charts:
        chart["properties"].setdefault("stacked", False)
        chart["properties"]["metrics"] = [
            line for line in written_out(chart["properties"]["metrics"]) if "none" not in line
        ]
    return charts


_ENCRYPTED = "BucketEncryption.ServerSideEncryptionConfiguration"
_BY_DEFAULT = (
    "aws_s3_bucket_server_side_encryption_configuration: rule.apply_server_side_encryption_by_default"
)
_CORS = "aws_s3_bucket_cors_configuration: cors_rule"
_UNPACKED = {
    "cfn": lambda path: path.removeprefix(".build/"),
    "tf": lambda path: path[len("./tests/packages/") : -4],
}

SAME: dict[str, dict[str, Same]] = {
    "AWS::S3::Bucket": {
        # Terraform makes up the name of the state bucket, as CloudFormation does.
        "BucketName": Same("aws_s3_bucket: bucket", tf=lambda name: None if name == "state" else name),
        f"{_ENCRYPTED}.BucketKeyEnabled": Same(
            "aws_s3_bucket_server_side_encryption_configuration: rule.bucket_key_enabled"
        ),
        f"{_ENCRYPTED}.ServerSideEncryptionByDefault.SSEAlgorithm": Same(f"{_BY_DEFAULT}.sse_algorithm"),
        f"{_ENCRYPTED}.ServerSideEncryptionByDefault.KMSMasterKeyID": Same(
            f"{_BY_DEFAULT}.kms_master_key_id"
        ),
        "OwnershipControls.Rules.ObjectOwnership": Same(
            "aws_s3_bucket_ownership_controls: rule.object_ownership"
        ),
        **{
            f"PublicAccessBlockConfiguration.{name}": Same(
                f"aws_s3_bucket_public_access_block: {snake(name)}"
            )
            for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        },
        **{
            f"CorsConfiguration.CorsRules.{name}": Same(f"{_CORS}.{snake(name)}")
            for name in ("AllowedMethods", "AllowedOrigins", "AllowedHeaders")
        },
        "CorsConfiguration.CorsRules.MaxAge": Same(f"{_CORS}.max_age_seconds"),
        "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled": Same(
            "aws_s3_bucket_notification: eventbridge"
        ),
        "LifecycleConfiguration.Rules": Same(
            "aws_s3_bucket_lifecycle_configuration: rule", _expirations, _expirations_tf
        ),
    },
    "AWS::Events::Rule": {
        "Description": Same("aws_cloudwatch_event_rule: description"),
        "EventPattern": Same("aws_cloudwatch_event_rule: event_pattern"),
        "Targets.Id": Same("aws_cloudwatch_event_target: target_id"),
        "Targets.Arn": Same("aws_cloudwatch_event_target: arn"),
        "Targets.DeadLetterConfig.Arn": Same("aws_cloudwatch_event_target: dead_letter_config.arn"),
    },
    "AWS::SQS::Queue": {
        "VisibilityTimeout": Same("aws_sqs_queue: visibility_timeout_seconds"),
        "MessageRetentionPeriod": Same("aws_sqs_queue: message_retention_seconds"),
        "SqsManagedSseEnabled": Same("aws_sqs_queue: sqs_managed_sse_enabled", absent=False),
        "KmsMasterKeyId": Same("aws_sqs_queue: kms_master_key_id"),
        # Where the module says nothing, the plan has anything.
        "RedrivePolicy": Same(
            "aws_sqs_queue: redrive_policy", tf=lambda said: said if said[0] == "{" else None
        ),
    },
    "AWS::SQS::QueuePolicy": {
        "Queues": Same("aws_sqs_queue_policy: queue_url"),
        "PolicyDocument": Same("aws_sqs_queue_policy: policy"),
    },
    "AWS::SecretsManager::Secret": {
        "Description": Same("aws_secretsmanager_secret: description"),
        "KmsKeyId": Same("aws_secretsmanager_secret: kms_key_id"),
    },
    "AWS::Logs::LogGroup": {
        "RetentionInDays": Same("aws_cloudwatch_log_group: retention_in_days"),
        "KmsKeyId": Same("aws_cloudwatch_log_group: kms_key_id"),
    },
    "AWS::IAM::Role": {
        "AssumeRolePolicyDocument": Same("aws_iam_role: assume_role_policy"),
        "PermissionsBoundary": Same("aws_iam_role: permissions_boundary"),
        "Policies": Same("aws_iam_role_policy: policy", permissions, permissions),
    },
    "AWS::Serverless::LayerVersion": {
        "Description": Same("aws_lambda_layer_version: description"),
        "ContentUri": Same("aws_s3_object: source", **_UNPACKED),
        "LicenseInfo": Same("aws_lambda_layer_version: license_info"),
        "CompatibleArchitectures": Same("aws_lambda_layer_version: compatible_architectures"),
        "CompatibleRuntimes": Same("aws_lambda_layer_version: compatible_runtimes"),
        "RetentionPolicy": Same(
            "aws_lambda_layer_version: skip_destroy", lambda policy: policy == "Retain" or None
        ),
    },
    "AWS::Serverless::Function": {
        **{
            name: Same(f"aws_lambda_function: {snake(name)}")
            for name in (
                "Description",
                "Handler",
                "Role",
                "Runtime",
                "Architectures",
                "Timeout",
                "MemorySize",
            )
        },
        "CodeUri": Same("aws_s3_object: source", **_UNPACKED),
        "Layers": Same("aws_lambda_function: layers"),
        "EphemeralStorage.Size": Same("aws_lambda_function: ephemeral_storage.size", absent=512),
        "Environment.Variables": Same("aws_lambda_function: environment.variables"),
        "LoggingConfig.LogFormat": Same("aws_lambda_function: logging_config.log_format"),
        "LoggingConfig.LogGroup": Same("aws_lambda_function: logging_config.log_group"),
        "Tracing": Same("aws_lambda_function: tracing_config.mode"),
        "Event.Queue": Same("aws_lambda_event_source_mapping: event_source_arn"),
        "Event.BatchSize": Same("aws_lambda_event_source_mapping: batch_size"),
        "Event.MaximumBatchingWindowInSeconds": Same(
            "aws_lambda_event_source_mapping: maximum_batching_window_in_seconds"
        ),
        "Event.FunctionResponseTypes": Same("aws_lambda_event_source_mapping: function_response_types"),
        "Event.ScalingConfig.MaximumConcurrency": Same(
            "aws_lambda_event_source_mapping: scaling_config.maximum_concurrency"
        ),
    },
    "AWS::SNS::Topic": {
        "KmsMasterKeyId": Same("aws_sns_topic: kms_master_key_id"),
        "Subscription.Protocol": Same("aws_sns_topic_subscription: protocol"),
        "Subscription.Endpoint": Same("aws_sns_topic_subscription: endpoint"),
    },
    "AWS::CloudWatch::Alarm": {
        **{
            name: Same(f"aws_cloudwatch_metric_alarm: {snake(name)}")
            for name in (
                *("Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold"),
                *("ComparisonOperator", "TreatMissingData", "AlarmActions"),
            )
        },
        "AlarmDescription": Same("aws_cloudwatch_metric_alarm: alarm_description", _in_our_words),
        "OKActions": Same("aws_cloudwatch_metric_alarm: ok_actions"),
        "Dimensions": Same(
            "aws_cloudwatch_metric_alarm: dimensions",
            lambda dimensions: {one["Name"]: one["Value"] for one in dimensions},
        ),
    },
    "AWS::CloudWatch::Dashboard": {
        "DashboardBody": Same("aws_cloudwatch_dashboard: dashboard_body", _charts, _charts),
    },
}
