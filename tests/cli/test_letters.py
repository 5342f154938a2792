import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from beagle.cli.filters import parse_since
from beagle.domain.errors import ConfigurationError
from beagle.domain.events import ObjectCreated
from beagle.messages import dump_event, load_event
from beagle.playground.ministack import Ministack
from support.command import Beagle, Queues, kept, letter

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_letters_are_listed_once_each_and_stay_where_they_are(beagle: Beagle, queues: Queues):
    """Copies of one letter, which a redelivery may write, are one line that counts them."""
    queues.keep(*kept(letter("b.jpg"), letter("a.jpg"), letter("b.jpg")))

    first, second = beagle("letters"), beagle("letters")

    assert (first.code, second.code) == (0, 0)
    assert {r["object"]["key"]: r["copies"] for r in first.records} == {"a.jpg": 1, "b.jpg": 2}
    assert first.records == second.records
    assert first.records[0]["advice"].startswith("Two objects want one name")
    assert "BEAGLE_DEAD_LETTERS_QUEUE" in first.err


def test_messages_that_the_platform_gave_up_are_letters_too(beagle: Beagle, queues: Queues):
    """A raw notification and a replayed one, as SQS moves them after too many attempts."""
    event = letter("a.jpg").event
    assert event
    queues.keep("{raw", dump_event(event, 1))

    ran = beagle("letters", "--code", "GAVE_UP")

    assert [r["code"] for r in ran.records] == ["gave_up", "gave_up"]
    assert {r["object"]["key"] if r["object"] else None for r in ran.records} == {None, "a.jpg"}


def test_filters_choose_by_code_prefix_time_and_number(beagle: Beagle, queues: Queues):
    old = NOW - timedelta(days=30)
    queues.keep(
        *kept(
            letter("cars/1.jpg", at=old),
            letter("cars/2.jpg", at=NOW),
            letter("boats/3.jpg", "item_blocked", at=NOW + timedelta(seconds=1)),
        )
    )

    def chosen(*options: str) -> list[str]:
        return [record["object"]["key"] for record in beagle("letters", *options).records]

    assert chosen("--code", "Name_Collision") == ["cars/1.jpg", "cars/2.jpg"]
    assert chosen("--code", "name_collision", "--code", "item_blocked", "--limit", "1") == ["cars/1.jpg"]
    assert chosen("--prefix", "boats/") == ["boats/3.jpg"]
    assert chosen("--since", "2026-11-20T12:00Z") == ["cars/2.jpg", "boats/3.jpg"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("3 D", NOW - timedelta(days=3)),
        ("2026-11-20T09:00Z", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20T09:00+02:00", datetime(2026, 11, 20, 7, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20).astimezone()),
    ],
)
def test_since_takes_what_people_write(text: str, meant: datetime):
    assert parse_since(text, NOW) == meant


@pytest.mark.parametrize("text", ["yesterday", "2", "h", "-2h", "99999999999999d", "2026-13-01"])
def test_since_refuses_what_is_not_a_time(text: str):
    with pytest.raises(ConfigurationError, match="is not a valid time"):
        parse_since(text, NOW)


def test_one_letter_is_shown_in_full_by_the_start_of_its_id(beagle: Beagle, queues: Queues):
    one = letter("a.jpg", reason="Darwin said: \x1b[31mno")
    queues.keep(*kept(one, letter("b.jpg")))

    ran = beagle("letters", "--show", one.id[:10].upper())

    assert ran.out.isascii()
    assert ran.records == [json.loads(kept(one)[0])]


@pytest.mark.parametrize(("start", "said"), [("", "Several"), ("xyz", "No dead letter")])
def test_an_id_must_mean_one_letter(start: str, said: str, beagle: Beagle, queues: Queues):
    queues.keep(*kept(*(letter(f"{number}.jpg") for number in range(3))))

    ran = beagle("replay", "--dry-run", "--id", start or " ")

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_dry_run_changes_nothing(beagle: Beagle, queues: Queues):
    queues.keep(*kept(letter("a.jpg"), letter("b.jpg", "item_blocked")))
    before = queues.left()

    ran = beagle("replay", "--dry-run", "--code", "item_blocked")

    assert [record["object"]["key"] for record in ran.records] == ["b.jpg"]
    assert (ran.code, queues.left(), queues.sent()) == (0, before, [])


def test_a_replay_sends_each_object_once_and_removes_every_copy_of_its_letter(beagle: Beagle, queues: Queues):
    queues.keep(*kept(letter("a.jpg"), letter("a.jpg"), letter("b.jpg", "item_blocked")))

    ran = beagle("replay", "--yes", "--code", "name_collision")

    [sent] = queues.sent()
    notification = load_event(sent)
    assert notification
    assert (notification.announced, notification.replayed) == ((letter("a.jpg").event,), 1)
    assert [(r["object"]["key"], r["sent"], r["copies"]) for r in ran.records] == [("a.jpg", True, 2)]
    assert queues.left() == kept(letter("b.jpg", "item_blocked"))
    assert ran.code == 0


def test_a_limited_replay_takes_the_oldest(beagle: Beagle, queues: Queues):
    queues.keep(*kept(*(letter(f"{n}.jpg", at=NOW - timedelta(hours=n)) for n in range(4))))

    ran = beagle("replay", "--yes", "--limit", "2")

    assert [record["object"]["key"] for record in ran.records] == ["3.jpg", "2.jpg"]
    assert len(queues.left()) == len(queues.sent()) == 2


def test_a_raw_message_is_replayed_as_it_came(beagle: Beagle, queues: Queues):
    """What a platform gave up is no message of ours: the queue gets it back byte for byte."""
    raw = '{"Records": [], "é": "\\u0000"}'
    queues.keep(raw)

    ran = beagle("replay", "--yes")

    assert (ran.code, queues.sent(), queues.left()) == (0, [raw], [])


def test_a_notification_that_sqs_gave_up_is_found_by_its_key_and_at_any_time(beagle: Beagle, queues: Queues):
    """Its object is in it; when SQS gave it up is not."""
    detail = {"bucket": {"name": "acme"}, "object": {"key": "cars/1.jpg", "size": 7, "etag": "e"}}
    told = {"detail-type": "Object Created", "source": "aws.s3", "time": "2026-11-20T09:00:00Z"}
    queues.keep(json.dumps({**told, "detail": detail, "pad": "x" * 20_000}), "{}")

    ran = beagle("letters", "--prefix", "cars/", "--since", "2999-01-01", "--json")

    [record] = ran.records
    assert record["object"] == {"provider": "aws", "bucket": "acme", "key": "cars/1.jpg"}
    assert record["replayable"]


def test_what_was_kept_in_part_cannot_be_sent_and_stays(beagle: Beagle, queues: Queues):
    [cut] = kept(replace(letter("b.jpg"), event=None, raw="x" * 20_000, is_whole=False))
    newer = '{"beagle":"letter/2","id":"abc"}'
    queues.keep(cut, newer, *kept(letter("a.jpg")))

    ran = beagle("replay", "--yes")

    assert ran.code == 1
    told = {r["code"]: (r["sent"], r["replayable"]) for r in ran.records if not r["sent"]}
    assert told == {"name_collision": (False, False), "newer_message": (False, False)}
    assert "1 sent, 2 failed" in ran.err
    assert "newer Beagle" in ran.err
    assert queues.left() == sorted([cut, newer])


def test_an_interrupted_replay_loses_nothing(beagle: Beagle, queues: Queues):
    """Ended between sending and removing, a letter is sent again by the next replay: twice, never lost."""
    queues.keep(*kept(letter("a.jpg"), letter("b.jpg")))
    box = queues.box()
    first = next(found for found in box.list_letters() if found.letter.event)
    assert first.letter.event
    queues.client.send_message(QueueUrl=queues.uploads, MessageBody=dump_event(first.letter.event, 1))
    box.release()  # what was read and never removed comes back

    ran = beagle("replay", "--yes")

    sent = [load_event(body) for body in queues.sent()]
    keys = [
        one.ref.key for found in sent if found for one in found.announced if isinstance(one, ObjectCreated)
    ]
    assert sorted(set(keys)) == ["a.jpg", "b.jpg"]
    assert len(keys) == 3
    assert (ran.code, queues.left()) == (0, [])


def test_letters_stay_when_the_uploads_queue_does_not_take_them(
    beagle: Beagle, queues: Queues, monkeypatch: pytest.MonkeyPatch
):
    queues.keep(*kept(letter("a.jpg")))
    monkeypatch.setenv("BEAGLE_UPLOADS_QUEUE", queues.uploads + "-gone")

    ran = beagle("replay", "--yes")

    assert (ran.code, [record["sent"] for record in ran.records]) == (1, [False])
    assert queues.left() == kept(letter("a.jpg"))


def test_nothing_is_replayed_when_nobody_can_be_asked(beagle: Beagle, queues: Queues):
    queues.keep(*kept(letter("a.jpg")))

    ran = beagle("replay")

    assert (ran.code, ran.out, queues.sent()) == (2, "", [])
    assert "--yes" in ran.err
    assert "--dry-run" in ran.err


def test_an_empty_box_is_no_failure(beagle: Beagle, queues: Queues):
    assert queues.left() == []
    assert (beagle("letters").code, beagle("letters").out) == (0, "")
    assert (beagle("replay", "--yes").code, queues.sent()) == (0, [])


def test_a_deployment_is_found_by_the_name_of_its_stack(
    aws: Ministack, beagle: Beagle, queues: Queues, monkeypatch: pytest.MonkeyPatch
):
    """`--stack` reads the queues from CloudFormation's outputs, whatever the environment says."""
    queues.keep(*kept(letter("a.jpg")))
    name = f"named-{uuid.uuid4().hex[:8]}"
    outputs = {"DeadLettersQueueUrl": queues.letters, "UploadsQueueUrl": queues.uploads}
    template = {
        "Resources": {"Nothing": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {output: {"Value": value} for output, value in outputs.items()},
    }
    aws.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    aws.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )
    monkeypatch.setenv("BEAGLE_DEAD_LETTERS_QUEUE", "http://127.0.0.1:1/nowhere")

    ran = beagle("letters", "--stack", name)

    assert [record["object"]["key"] for record in ran.records] == ["a.jpg"]
    assert f"the stack {name}" in ran.err


def test_a_stack_that_is_not_there_is_misuse(beagle: Beagle, queues: Queues):
    assert queues.left() == []

    ran = beagle("letters", "--stack", "no-such-stack")

    assert (ran.code, ran.out) == (2, "")
    assert "no-such-stack" in ran.err


def test_a_queue_that_does_not_answer_is_one_sentence(
    beagle: Beagle, queues: Queues, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BEAGLE_DEAD_LETTERS_QUEUE", queues.letters + "-gone")

    ran = beagle("letters")

    assert (ran.code, ran.out) == (1, "")
    assert "(queue_unavailable)" in ran.err
    assert "Traceback" not in ran.err
