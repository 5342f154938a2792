locals {
  functions = { for function, settings in {
    prepare = {
      description = "Derives the item of each uploaded object, and the artifacts that read-only storage needs."
      timeout     = 120
      # Processors come with memory, and drawing a large picture needs both.
      memory      = local.read_only ? 2048 : 1024
      disk        = 512
      queue       = "uploads"
      batch       = 10
      window      = null
      concurrency = var.prepare_concurrency
      environment = {}
    }
    extract = {
      description = "Makes the frames, segments and thumbnails of read-only videos; long ones in parts."
      timeout     = 900
      memory      = var.extract_memory
      # The uploaded file lies there while it is read; what is made of it does not.
      disk        = 10240
      queue       = "videos"
      batch       = 1
      window      = null
      concurrency = var.extract_concurrency
      environment = { BEAGLE_INVOCATION_SECONDS = "900" }
    }
    register = {
      description = "Registers items with Darwin, many to a request, and paces itself to Darwin's limits."
      timeout     = 120
      memory      = 512
      disk        = 512
      queue       = "items"
      # A batch is a request. Lambda ends one early at 6 MB.
      batch  = var.items_per_request
      window = 5
      # Two is the least that Lambda allows; few instances know the rate limit best.
      concurrency = 2
      environment = {}
    }
  } : function => settings if local.read_only || function != "extract" }

  environment = {
    BEAGLE_DEPLOYMENT          = var.name
    BEAGLE_TEAM                = var.team
    BEAGLE_DATASET             = var.dataset
    BEAGLE_STORAGE             = var.storage
    BEAGLE_ACCESS              = var.access
    BEAGLE_ROUTES_FROM         = var.routes
    BEAGLE_BUCKET              = var.bucket_name
    BEAGLE_PREFIX              = var.prefix
    BEAGLE_ARTIFACT_PREFIX     = local.artifacts
    BEAGLE_DARWIN_URL          = var.darwin_url
    BEAGLE_API_KEY_SECRET      = local.api_key_secret_arn
    BEAGLE_UPLOADS_QUEUE       = aws_sqs_queue.work["uploads"].url
    BEAGLE_VIDEOS_QUEUE        = local.read_only ? aws_sqs_queue.work["videos"].url : ""
    BEAGLE_ITEMS_QUEUE         = aws_sqs_queue.work["items"].url
    BEAGLE_DEAD_LETTERS_QUEUE  = aws_sqs_queue.dead_letters.url
    BEAGLE_STATE_BUCKET        = aws_s3_bucket.kept["state"].id
    BEAGLE_ITEMS_PER_REQUEST   = var.items_per_request
    BEAGLE_REQUESTS_PER_MINUTE = var.requests_per_minute
    BEAGLE_TRACING             = var.tracing
    # Powertools' tracer would otherwise write what a stage returns into each trace.
    POWERTOOLS_TRACER_CAPTURE_RESPONSE = "false"
  }

  archives = merge(
    { for function in keys(local.functions) : function => "${var.packages}/functions/aws/${function}.zip" },
    local.read_only ? { ffmpeg = "${var.packages}/layers/ffmpeg.zip" } : {},
  )
}

# Lambda takes archives of more than 50 MB from a bucket only.
resource "aws_s3_object" "archive" {
  for_each = local.archives

  bucket      = aws_s3_bucket.kept["state"].id
  key         = "code/${each.key}.zip"
  source      = each.value
  source_hash = filesha256(each.value)

  # The bucket's key encrypts only what comes after it.
  depends_on = [aws_s3_bucket_server_side_encryption_configuration.kept]
}

resource "aws_lambda_layer_version" "ffmpeg" {
  for_each = { for name, archive in aws_s3_object.archive : name => archive if name == "ffmpeg" }

  layer_name               = "${var.name}-ffmpeg"
  description              = "The program ffmpeg, out of the wheel imageio-ffmpeg."
  s3_bucket                = each.value.bucket
  s3_key                   = each.value.key
  source_code_hash         = filebase64sha256(local.archives[each.key])
  license_info             = "GPL-3.0-or-later"
  compatible_architectures = [var.architecture]
  compatible_runtimes      = ["python3.13"]
}

resource "aws_lambda_function" "stage" {
  for_each = local.functions

  function_name    = "${var.name}-${each.key}"
  description      = each.value.description
  s3_bucket        = aws_s3_object.archive[each.key].bucket
  s3_key           = aws_s3_object.archive[each.key].key
  source_code_hash = filebase64sha256(local.archives[each.key])
  handler          = "${each.key}.handler"
  layers           = [for layer in aws_lambda_layer_version.ffmpeg : layer.arn if each.key == "extract"]
  role             = aws_iam_role.stage[each.key].arn
  runtime          = "python3.13"
  architectures    = [var.architecture]
  timeout          = each.value.timeout
  memory_size      = each.value.memory

  ephemeral_storage {
    size = each.value.disk
  }

  environment {
    variables = merge(local.environment, each.value.environment)
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.stage[each.key].name
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  depends_on = [aws_iam_role_policy.stage]
}

resource "aws_lambda_event_source_mapping" "stage" {
  for_each = local.functions

  function_name                      = aws_lambda_function.stage[each.key].arn
  event_source_arn                   = aws_sqs_queue.work[each.value.queue].arn
  batch_size                         = each.value.batch
  maximum_batching_window_in_seconds = each.value.window
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = each.value.concurrency
  }
}

resource "aws_cloudwatch_log_group" "stage" {
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.own_key
}
