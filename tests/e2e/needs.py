"""Which permission is needed for what: by the functions' own code, and by what AWS does around it.

That these are the permissions that the template grants, all of them and no others, is itself a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e import errands, exercises

if TYPE_CHECKING:
    from collections.abc import Callable

    from beagle.playground.stack import Function
    from e2e.bench import Bench

    Exercise = Callable[[Bench, Function], bool]

FUNCTIONS: tuple[Function, ...] = ("prepare", "extract", "register")

PREPARE: dict[Exercise, tuple[str, ...]] = {
    exercises.dead_letters: ("sqs:SendMessage-DeadLetters",),
    exercises.counts_attempts: ("s3:GetObject-State/attempts/prepare", "s3:PutObject-State/attempts/prepare"),
    exercises.asks_to_wait: ("sqs:ChangeMessageVisibility-Uploads",),
    exercises.sends_an_item: ("sqs:SendMessage-Items",),
    exercises.sends_a_video: ("sqs:SendMessage-Videos",),
    exercises.sends_a_large_item: ("s3:PutObject-State/parcels", "kms:GenerateDataKey-KmsKeyArn"),
    exercises.gathers_a_group: (
        *("s3:GetObject-State/groups", "s3:PutObject-State/groups", "s3:ListBucket-State"),
        "kms:Decrypt-KmsKeyArn",
    ),
    exercises.makes_a_thumbnail: (
        *("s3:GetObject-BucketName/Prefix", "s3:PutObject-BucketName/.beagle"),
        *("kms:Decrypt-BucketKmsKeyArn", "kms:GenerateDataKey-BucketKmsKeyArn"),
    ),
    exercises.misses_a_picture: ("s3:ListBucket-BucketName",),
    exercises.clears_away_half_a_page: ("s3:AbortMultipartUpload-BucketName/.beagle",),
}
EXTRACT: dict[Exercise, tuple[str, ...]] = {
    exercises.dead_letters: ("sqs:SendMessage-DeadLetters",),
    exercises.counts_attempts: ("s3:GetObject-State/attempts/extract", "s3:PutObject-State/attempts/extract"),
    exercises.asks_to_wait: ("sqs:ChangeMessageVisibility-Videos",),
    exercises.forwards_a_large_item: (
        *("s3:GetObject-State/parcels", "s3:PutObject-State/parcels", "sqs:SendMessage-Items"),
        *("kms:Decrypt-KmsKeyArn", "kms:GenerateDataKey-KmsKeyArn"),
    ),
    exercises.extracts_a_video: (
        *("s3:GetObject-BucketName/Prefix", "s3:PutObject-BucketName/.beagle"),
        *("kms:Decrypt-BucketKmsKeyArn", "kms:GenerateDataKey-BucketKmsKeyArn"),
    ),
    exercises.extracts_in_parts: (
        *("s3:GetObject-State/parts", "s3:PutObject-State/parts", "s3:ListBucket-State"),
        "sqs:SendMessage-Videos",
    ),
    exercises.leaves_a_registered_video: ("s3:GetObject-State/ledger",),
    exercises.misses_a_video: ("s3:ListBucket-BucketName",),
    exercises.clears_away_half_a_frame: ("s3:AbortMultipartUpload-BucketName/.beagle",),
}
REGISTER: dict[Exercise, tuple[str, ...]] = {
    exercises.dead_letters: ("sqs:SendMessage-DeadLetters",),
    exercises.counts_attempts: (
        *("s3:GetObject-State/attempts/register", "s3:PutObject-State/attempts/register"),
        "s3:ListBucket-State",
    ),
    exercises.asks_to_wait: ("sqs:ChangeMessageVisibility-Items",),
    exercises.registers_once: (
        *("s3:GetObject-State/ledger", "s3:PutObject-State/ledger"),
        "kms:GenerateDataKey-KmsKeyArn",
    ),
    exercises.registers_a_large_item: ("s3:GetObject-State/parcels", "kms:Decrypt-KmsKeyArn"),
    exercises.fetches_the_api_key: ("secretsmanager:GetSecretValue-ApiKey",),
}
EXERCISES: dict[str, Exercise] = {
    f"{stage}-{need}": exercise
    for stage, table in zip(FUNCTIONS, (PREPARE, EXTRACT, REGISTER), strict=True)
    for exercise, needs in table.items()
    for need in needs
}
"""What shows the need of each permission of a function's own code, by the permission's name."""

ERRANDS: dict[str, Exercise] = {
    f"{stage}-{need}": errand
    for stage, queue in zip(FUNCTIONS, ("Uploads", "Videos", "Items"), strict=True)
    for need, errand in {
        f"sqs:ReceiveMessage-{queue}": errands.receives,
        f"sqs:DeleteMessage-{queue}": errands.deletes,
        f"sqs:GetQueueAttributes-{queue}": errands.looks_at_the_queue,
        f"logs:CreateLogStream-{stage.capitalize()}Logs": errands.opens_a_log_stream,
        f"logs:PutLogEvents-{stage.capitalize()}Logs": errands.writes_log_events,
        "xray:PutTraceSegments-any": errands.sends_traces,
        "xray:PutTelemetryRecords-any": errands.sends_telemetry,
    }.items()
}
"""The same for what AWS does as the function's role."""
