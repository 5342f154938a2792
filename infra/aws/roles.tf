# What each function may do, and on what: no wildcards, and no function has more than its own work needs.

locals {
  source_arn = "arn:${data.aws_partition.here.partition}:s3:::${var.bucket_name}"
  state_arn  = aws_s3_bucket.kept["state"].arn
  queue_arns = merge(
    { for name, queue in aws_sqs_queue.work : name => queue.arn },
    { dead_letters = aws_sqs_queue.dead_letters.arn },
  )

  # What makes artifacts reads below the prefix, and writes below our own.
  artifact_permissions = [
    { actions = ["s3:GetObject"], resources = ["${local.source_arn}/${var.prefix}*"] },
    { actions = ["s3:PutObject", "s3:AbortMultipartUpload"], resources = ["${local.source_arn}/${local.artifacts}*"] },
    # Without it S3 answers 403 for an object that is gone, which looks like a lost permission.
    { actions = ["s3:ListBucket"], resources = [local.source_arn] },
  ]

  permissions = {
    prepare = concat(
      [
        { actions = ["sqs:SendMessage"], resources = [local.queue_arns.items, local.queue_arns.dead_letters] },
        # What is too large for a message lies in the state bucket.
        { actions = ["s3:PutObject"], resources = ["${local.state_arn}/parcels/*"] },
        # Groups of objects wait in the state bucket until they are whole.
        { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.state_arn}/groups/*"] },
      ],
      local.read_only ? [{ actions = ["sqs:SendMessage"], resources = [local.queue_arns.videos] }] : [],
      local.read_only ? local.artifact_permissions : [],
    )
    extract = concat(
      [
        # The parts of a long video go back into the queue that the video came from.
        { actions = ["sqs:SendMessage"], resources = [for queue in ["videos", "items", "dead_letters"] : local.queue_arns[queue] if local.read_only] },
        { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.state_arn}/parts/*", "${local.state_arn}/parcels/*"] },
        # Whether a video that is announced once more stands registered already.
        { actions = ["s3:GetObject"], resources = ["${local.state_arn}/ledger/*"] },
      ],
      local.artifact_permissions,
    )
    register = [
      { actions = ["sqs:SendMessage"], resources = [local.queue_arns.dead_letters] },
      { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.state_arn}/ledger/*"] },
      # What was too large for a message.
      { actions = ["s3:GetObject"], resources = ["${local.state_arn}/parcels/*"] },
      { actions = ["secretsmanager:GetSecretValue"], resources = [local.api_key_secret_arn] },
    ]
  }

  # What every function may, each in its own place.
  common_permissions = { for function, settings in local.functions : function => concat(
    [
      { actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = ["${aws_cloudwatch_log_group.stage[function].arn}:*"] },
      {
        actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
        resources = [local.queue_arns[settings.queue]]
      },
      # Which messages it began and never ended.
      { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.state_arn}/attempts/${function}/*"] },
      # Without it S3 answers 403 for an entry that does not exist yet.
      { actions = ["s3:ListBucket"], resources = [local.state_arn] },
    ],
    var.kms_key_arn == "" ? [] : [{ actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.kms_key_arn] }],
    var.bucket_kms_key_arn == "" || !local.read_only || function == "register" ? [] : [
      { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.bucket_kms_key_arn] },
    ],
    # X-Ray knows no resources to name.
    var.tracing ? [{ actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources = ["*"] }] : [],
  ) }
}

resource "aws_iam_role" "stage" {
  for_each = local.functions

  name_prefix          = "${var.name}-${each.key}-"
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "stage" {
  for_each = local.functions

  name = each.key
  role = aws_iam_role.stage[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for permission in concat(local.common_permissions[each.key], local.permissions[each.key]) : {
      Effect   = "Allow"
      Action   = permission.actions
      Resource = permission.resources
    }]
  })
}
