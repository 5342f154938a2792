"""Codes are public: alarms, `letters --code` and `replay --code` speak them, so they never change."""

from __future__ import annotations

from beagle.domain import errors
from beagle.domain.errors import BeagleError, ConfigurationError, ServiceError, VerdictError

CODES = {
    "already_exists_unverified": VerdictError,
    "bad_configuration": ConfigurationError,
    "bad_routes": ConfigurationError,
    "bug": ServiceError,
    "crash_loop": VerdictError,
    "darwin_ambiguous": ServiceError,
    "darwin_error": ServiceError,
    "darwin_not_asked": ServiceError,
    "darwin_not_found": ServiceError,
    "darwin_storage_full": ServiceError,
    "darwin_throttled": ServiceError,
    "darwin_unauthorized": ServiceError,
    "darwin_unreachable": ServiceError,
    "decoder_stopped": ServiceError,
    "empty_object": VerdictError,
    "group_incomplete": VerdictError,
    "group_waiting": ServiceError,
    "invalid_request": VerdictError,
    "item_blocked": VerdictError,
    "item_limit_exceeded": VerdictError,
    "late_for_group": VerdictError,
    "ledger_conflict": ServiceError,
    "ledger_unavailable": ServiceError,
    "media_too_large": VerdictError,
    "media_too_slow": VerdictError,
    "name_collision": VerdictError,
    "newer_message": ServiceError,
    "object_gone": VerdictError,
    "object_overwritten": VerdictError,
    "out_of_time": ServiceError,
    "queue_unavailable": ServiceError,
    "request_too_large": VerdictError,
    "secret_unavailable": ServiceError,
    "service_unavailable": ServiceError,
    "store_unavailable": ServiceError,
    "superseded": BeagleError,
    "unknown_tags": VerdictError,
    "unparsable_message": VerdictError,
    "unreadable_media": VerdictError,
    "unregisterable_key": VerdictError,
    "unsupported_media": VerdictError,
    "unusable_name": VerdictError,
}
"""Never take a line out, and never change one: letters with these codes lie in queues."""

ABSTRACT = {BeagleError, VerdictError}


def known():
    """Return every error class that has a code of its own."""
    classes = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BeagleError)
    ]
    return [kind for kind in classes if kind not in ABSTRACT]


def test_every_code_that_ever_was_is_still_there_and_means_the_same_kind():
    codes = {kind.code: kind for kind in known()}

    for code, kind in CODES.items():
        assert issubclass(codes[code], kind), code


def test_no_two_errors_share_a_code():
    codes = [kind.code for kind in known()]

    assert len(codes) == len(set(codes))


def test_every_code_is_written_down_here():
    """A new error is a new promise: add its line."""
    assert {kind.code for kind in known()} == set(CODES)


def test_what_is_retryable_is_told_by_the_class_alone():
    """A service's trouble comes again; a verdict and a configuration never mend by waiting."""
    for kind in known():
        assert kind.retryable is issubclass(kind, ServiceError), kind


def test_only_an_answer_that_was_lost_may_have_committed():
    committed = {kind.code for kind in known() if getattr(kind, "committed", False)}

    assert committed == {"darwin_ambiguous"}


def test_an_error_keeps_its_context_and_how_long_to_wait():
    error = errors.DarwinThrottledError("slow down", retry_after=7.5, status=429)

    assert (str(error), error.retry_after, error.context) == ("slow down", 7.5, {"status": 429})
    assert errors.GroupWaitingError("wait").retry_after is None
