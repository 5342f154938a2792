"""The parts of infra/README.md that the template and the code say: `make docs` writes them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from beagle.domain import errors
from beagle.domain.errors import BeagleError, ConfigurationError, ServiceError, SupersededError, VerdictError
from beagle.domain.letters import advice_for
from docs.tables import fill, table
from e2e.permissions import Permission, granted_permissions
from support.template import DAY, GLOBALS, QUEUES, RESOURCES, SOURCES, of_type, patience_of

INFRA = Path(__file__).parents[2] / "infra" / "README.md"

WHY = {
    r"logs:.*": "its log",
    r"sqs:(Receive|Delete|GetQueue).*": "Lambda polls the queue under the function's role",
    r"sqs:ChangeMessageVisibility-.*": "hiding a message for as long as it should wait",
    r"sqs:SendMessage-Items": "items on their way to register",
    r"sqs:SendMessage-Videos": "read-only videos, and the parts of long ones, on their way to extract",
    r"sqs:SendMessage-DeadLetters": "what can never work",
    r"s3:.*-State/parcels": "messages that are too large for a queue",
    r"s3:.*-State/groups": "objects that wait for their group",
    r"s3:.*-State/attempts/.*": "which messages it began and never ended, and what it had to stop",
    r"s3:.*-State/parts": "the finished parts of long videos",
    r"s3:.*-State/ledger": "what is registered, and what was about to be; extract only reads it",
    r"s3:ListBucket-.*": "404 instead of 403 for what is missing; listing groups and parts",
    r"s3:GetObject-BucketName/Prefix": "what was uploaded",
    r"s3:PutObject-BucketName/.beagle": "artifacts",
    r"s3:AbortMultipartUpload-BucketName/.beagle": "clearing away a large artifact that was not finished",
    r"secretsmanager:.*": "Darwin's API key",
    r"kms:.*-KmsKeyArn": "the key of Beagle's own queues, state and secret",
    r"kms:.*-BucketKmsKeyArn": "uploads and artifacts under the bucket's key",
    r"xray:.*": "traces; X-Ray knows no resources",
}
WHEN = {
    "prepare": "",
    "extract": "",
    "register": "",
    "artifacts": "read-only access",
    "key": "`KmsKeyArn` is set",
    "bucket-key": "`BucketKmsKeyArn` is set, read-only access",
    "traces": "`Tracing` is on",
}


def permissions_table() -> str:
    """Return a row for each reason to hold permissions, with who holds them and when."""
    rows: dict[tuple[str, str, str], tuple[list[str], list[str]]] = {}
    for permission in granted_permissions():
        row = rows.setdefault((_why(permission), _where(permission), WHEN[permission.policy]), ([], []))
        for names, name in zip(row, (f"`{permission.action}`", permission.stage), strict=True):
            if name not in names:
                names.append(name)
    return table(
        ("who", "may", "on", "what for", "when"),
        [
            (", ".join(stages), " ".join(actions), where, why, when)
            for (why, where, when), (actions, stages) in rows.items()
        ],
    )


def _why(permission: Permission) -> str:
    [why] = [why for pattern, why in WHY.items() if re.fullmatch(pattern, permission.need)]
    return why


def _where(permission: Permission) -> str:
    named = re.sub(r"^(Prepare|Extract|Register)Logs$", "its log group", permission.resource)
    if permission.action.startswith(("sqs:Receive", "sqs:Delete", "sqs:GetQueue", "sqs:ChangeMessage")):
        named = "its queue"
    return re.sub(r"attempts/\w+", "attempts/(its name)", named).replace("BucketName", "the bucket")


def patience_table() -> str:
    """Return a row for each queue that a function consumes, and one for the dead letters."""
    rows = []
    for function, source in SOURCES.values():
        name = source["Queue"]["Fn::GetAtt"].split(".")[0]
        queue = QUEUES[name]
        hidden, receives = queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"]
        rows.append(
            (
                name.lower(),
                f"{function.get('Timeout', GLOBALS['Timeout'])} s",
                f"{hidden:,} s",
                str(receives),
                f"{patience_of(queue) // 3600:.0f} hours",
                _days(queue),
            )
        )
    heads = ("queue", "one invocation", "hidden meanwhile", "receives", "so long at least", "kept for")
    return table(heads, [*rows, ("dead letters", "", "", "", "", _days(QUEUES["DeadLetters"]))])


def _days(queue: dict[str, Any]) -> str:
    return f"{queue['MessageRetentionPeriod'] // DAY} days"


def alarms_table() -> str:
    """Return a row for each alarm."""
    rows = []
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        times = f", {periods} times in a row" if (periods := alarm["EvaluationPeriods"]) > 1 else ""
        within = f"{alarm['Period'] // 60} min{times}"
        condition = f"{alarm['Statistic']} {alarm['MetricName']} > {alarm['Threshold']} in {within}"
        only = " (read-only access)" if RESOURCES[name].get("Condition") else ""
        rows.append((f"`{name}`{only}", condition, alarm["AlarmDescription"]))
    return table(("alarm", "when", "what it means"), rows)


def codes_table() -> str:
    """Return a row for each code that a dead letter, a log line or a command can have."""
    rows = []
    for error in _errors(BeagleError):
        if issubclass(error, ConfigurationError):
            kind, act = "refused at the start", "Nothing was started: the message names what to correct."
        elif issubclass(error, VerdictError):
            kind, act = "dead letter", advice_for(error.code)
        elif issubclass(error, ServiceError):
            kind, act = "waits, and comes again", _SERVICE.get(error.code, "Nothing: it goes by itself.")
        elif issubclass(error, SupersededError):
            kind, act = "ended", "Nothing."
        else:
            continue
        about = " ".join((error.__doc__ or "").split("\n\n")[0].split())
        rows.append((f"`{error.code}`", kind, about, act))
    rows.append(("`gave_up`", "dead letter", "The platform gave a message up.", advice_for("gave_up")))
    return table(("code", "what becomes of the object", "what happened", "what to do"), rows)


_SERVICE = {
    "bug": "Read the traceback in the log, and report it. The message waits for a Beagle that is mended.",
    "newer_message": "Nothing during an update; after a roll-back, deploy the newer version again.",
    "darwin_unauthorized": (
        "Put a valid key into the secret, one with the permission *Add data to datasets*. "
        "It is picked up by itself."
    ),
    "darwin_not_found": "Correct the name of team, dataset or storage in the parameters or routes; deploy.",
    "darwin_storage_full": "Make room in Darwin, or have the plan enlarged.",
    "darwin_throttled": "Nothing. Where it lasts, lower `RequestsPerMinute`, or find who else asks.",
    "secret_unavailable": "See that the secret has a value, and that the function may read and decrypt it.",
    "store_unavailable": "See that the function may read the bucket, its prefix, and its KMS key.",
    "ledger_unavailable": "See that the state bucket is there, and that the function may use its KMS key.",
    "queue_unavailable": "See that the queue is there, and that the function may use its KMS key.",
}


_NEVER_ALONE = {"beagle_error", "service_unavailable", "darwin_error"}
"""Codes of classes that only others are made from."""


def _errors(above: type[BeagleError]) -> list[type[BeagleError]]:
    """Return the classes that end somewhere, in the order of the module."""
    return [
        error
        for error in vars(errors).values()
        if isinstance(error, type)
        and issubclass(error, above)
        and "code" in vars(error)
        and error.code not in _NEVER_ALONE
    ]


def regenerate(text: str) -> str:
    """Return the page with its generated parts as the template and the code have them."""
    return fill(
        text,
        {
            "permissions": permissions_table(),
            "patience": patience_table(),
            "alarms": alarms_table(),
            "codes": codes_table(),
        },
    )
