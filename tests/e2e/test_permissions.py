"""No role has a permission too many: each is taken away from its deployed role, and something is missing.

What misses it is run with the whole policy first, and must then come about without a single refusal.
"""

from __future__ import annotations

import io
import os
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from beagle.emulator import DEFAULT_TEAM
from beagle.media.video.ffmpeg import find_ffmpeg
from e2e.bench import Bench
from e2e.conftest import DATASET, READ_ONLY, READ_WRITE, Connected, Deploy, rule_of
from e2e.exercises import TOO_LARGE
from e2e.hands import Hands
from e2e.needs import ERRANDS, EXERCISES, FUNCTIONS
from e2e.permissions import Permission, granted_permissions, without
from e2e.refusing import Refusing
from support.template import granted, of_type

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from beagle.playground.ministack import Ministack
    from beagle.playground.stack import Function
    from e2e.needs import Exercise

BUCKET = "permitted-uploads"
ROUTES = f"""\
team: {DEFAULT_TEAM}
routes:
  - {{name: large, watch: {{bucket: {BUCKET}, prefix: large/}}, dataset: {DATASET}, storage: {READ_WRITE},
     tags: ["{TOO_LARGE}"]}}
  - {{name: group, watch: {{bucket: {BUCKET}, prefix: group/}}, dataset: {DATASET}, storage: {READ_WRITE},
     group: {{slots: [a.png, b.png]}}}}
  - {{name: archive, watch: {{bucket: {BUCKET}, prefix: archive/}}, dataset: {DATASET}, storage: {READ_ONLY},
     access: read_only, pdf: {{convert: true}}}}
  - {{name: plain, watch: {{bucket: {BUCKET}}}, dataset: {DATASET}, storage: {READ_WRITE}}}
"""

GRANTED = granted_permissions()


def among(needs: Collection[str]) -> pytest.MarkDecorator:
    """Parametrise with those of the granted permissions."""
    chosen = [permission for permission in GRANTED if str(permission) in needs]
    return pytest.mark.parametrize("permission", chosen, ids=str)


def files() -> dict[str, bytes]:
    """Draw what is uploaded; the noise's artifacts are larger than the 5 MB that one request takes."""
    noise = Image.frombytes("RGB", (1600, 1400), os.urandom(1600 * 1400 * 3))
    picture, page = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(picture, "PNG")
    noise.save(page, "PDF", resolution=150.0)
    return {
        "picture.png": picture.getvalue(),
        "noise.pdf": page.getvalue(),
        "clip.mp4": encoded("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=1"),
        "long.mp4": encoded("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=4"),
        "noise.mp4": encoded(
            *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "1600x1400", "-r", "1", "-i", "-", "-qp", "0"),
            data=noise.tobytes(),
        ),
    }


def encoded(*options: str, data: bytes = b"") -> bytes:
    """Encode a video."""
    written = ("-pix_fmt", "yuv420p", "-preset", "ultrafast", "-movflags", "frag_keyframe+empty_moov")
    command = [find_ffmpeg().path, "-v", "error", *options, *written, "-f", "mp4", "-"]
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def bench(
    aws: Ministack,
    deployed: Deploy,
    connect: Callable[[str], Connected],
    code: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bench]:
    """Deploy everything that a condition may leave out, with keys of one's own."""
    folder = tmp_path_factory.mktemp("by-hand")
    (folder / "routes.yaml").write_text(ROUTES)
    keys = [aws.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    stack = deployed(
        "permitted",
        connect(BUCKET).server.url,
        Access="read_only",
        Tracing="true",
        RequestsPerMinute="1000",
        KmsKeyArn=keys[0],
        BucketKmsKeyArn=keys[1],
    )
    aws.client("events").disable_rule(Name=rule_of(stack))
    # The local CloudFormation leaves out how the template has buckets encrypted.
    for output, key in zip(("StateBucket", "SourceBucket"), keys, strict=True):
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        aws.client("s3").put_bucket_encryption(
            Bucket=stack.outputs[output], ServerSideEncryptionConfiguration={"Rules": [rule]}
        )
    hands = {stage: Hands(stack, stage, code, folder / stage) for stage in FUNCTIONS}
    # There is nobody here to send traces to. In such short invocations every segment is a part of its own.
    variables = {"BEAGLE_ROUTES": str(folder / "routes.yaml"), "BEAGLE_ROUTES_FROM": "", "BEAGLE_TRACING": ""}
    variables["BEAGLE_INVOCATION_SECONDS"] = "0.02"
    with Refusing(aws.port) as refusing:
        bench = Bench(stack, hands, variables, files(), refusing.endpoint)
        yield bench
        for queue in stack.queues:  # or the platform would go on where the tests stopped
            bench.empty(queue)
        for taken in hands.values():
            taken.close()


@pytest.fixture(scope="module")
def with_everything(bench: Bench) -> Callable[[Exercise, Function], None]:
    """Return how to make sure, once, that an exercise comes about with the whole policy."""
    done: set[tuple[Exercise, Function]] = set()

    def make_sure(exercise: Exercise, stage: Function) -> None:
        if (exercise, stage) not in done:
            bench.denials()
            came_about, refused = exercise(bench, stage), bench.denials()
            assert not refused
            assert came_about
            done.add((exercise, stage))

    return make_sure


@among(EXERCISES)
def test_what_a_function_does_fails_without_the_permission_for_it(
    bench: Bench, with_everything: Callable[[Exercise, Function], None], permission: Permission
) -> None:
    """The deployed code, run as its role, is refused this one thing; what needs it does not come about."""
    exercise = EXERCISES[str(permission)]
    with_everything(exercise, permission.stage)
    with without(permission, bench.stack) as whole:
        came_about = exercise(bench, permission.stage)
    refused = bench.denials()

    assert refused
    assert not [one for one in refused if not permission.covers(*one, whole)]
    assert not came_about


@among(ERRANDS)
def test_what_aws_does_for_a_function_fails_without_the_permission_for_it(
    bench: Bench, with_everything: Callable[[Exercise, Function], None], permission: Permission
) -> None:
    """
    Polling its queue, writing its log, sending its traces: AWS does it as the function's role.

    That it needs the permission is AWS's documentation (see `errands`); the local AWS shows only that the
    role may do it with the permission, and may not without.
    """
    errand = ERRANDS[str(permission)]
    with_everything(errand, permission.stage)
    with without(permission, bench.stack):
        came_about = errand(bench, permission.stage)

    assert not came_about


def test_each_granted_permission_is_taken_away_in_a_test() -> None:
    """Nothing is left out, nothing is tried that is not granted, and nothing is granted twice."""
    counted = {
        (role, action): len(resources)
        for role in of_type("AWS::IAM::Role")
        for action, resources in granted(role).items()
    }

    assert not EXERCISES.keys() & ERRANDS.keys()
    assert Counter(map(str, GRANTED)) == Counter({**EXERCISES, **ERRANDS}.keys())
    assert Counter((one.role, one.action) for one in GRANTED) == counted
