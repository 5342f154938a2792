"""The one error tree. Decisions are made from the class, never from a message's text."""

from __future__ import annotations

from typing import ClassVar


class BeagleError(Exception):
    """Base of all our errors.

    `code` is public: alarms, `beagle letters` and `beagle replay --code` speak it.
    `retryable` says whether the same message can succeed later without anybody changing the object.
    """

    code: ClassVar[str] = "beagle_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **context: str | float) -> None:
        super().__init__(message)
        self.context = context


# --- configuration: the person who deploys must act ---------------------------------------------------


class ConfigurationError(BeagleError):
    """A setting is missing or contradicts another; nothing was started."""

    code = "bad_configuration"


class RoutesError(ConfigurationError):
    """`routes.yaml` is not valid; the message names the route and the field."""

    code = "bad_routes"


class SupersededError(BeagleError):
    """The object has newer content, which an event of its own announces: this one has nothing left to do."""

    # Where that may have no event, the context tells the key, content and size of what stands there.
    code = "superseded"


# --- a verdict about one message or one object: redelivery would end the same way ----------------------


class VerdictError(BeagleError):
    """One object cannot be registered as it is; it becomes a dead letter."""


class UnparsableMessageError(VerdictError):
    """A queue message is none of the forms we know."""

    code = "unparsable_message"


class UnregisterableKeyError(VerdictError):
    """Darwin cannot hold this key, whatever we send."""

    code = "unregisterable_key"


class EmptyObjectError(VerdictError):
    """The object has no bytes."""

    code = "empty_object"


class ObjectGoneError(VerdictError):
    """The object was deleted or overwritten before it was read."""

    code = "object_gone"


class UnreadableMediaError(VerdictError):
    """The file is damaged, or is not what its suffix says."""

    code = "unreadable_media"


class UnsupportedMediaError(VerdictError):
    """The file is what it says, and of a kind or form from which artifacts are not made."""

    code = "unsupported_media"


class MediaTooLargeError(VerdictError):
    """The file's own header asks for more pixels, frames or streams than are allowed."""

    code = "media_too_large"


class MediaTooSlowError(VerdictError):
    """Decoding the file came to no end, however often it was tried."""

    code = "media_too_slow"


class UnusableNameError(VerdictError):
    """The route's templates make no legal item name or path of this key."""

    code = "unusable_name"


class GroupIncompleteError(VerdictError):
    """The other objects of the group did not arrive in time."""

    code = "group_incomplete"


class ItemBlockedError(VerdictError):
    """Darwin answered, and refused this item for a reason of its own."""

    code = "item_blocked"


class UnknownTagsError(ItemBlockedError):
    """Darwin does not know one of the route's tags."""

    code = "unknown_tags"


class ItemLimitError(ItemBlockedError):
    """The team's plan holds no more items."""

    code = "item_limit_exceeded"


class InvalidRequestError(VerdictError):
    """Darwin refuses the item's form (400 or 422), alone in a request."""

    code = "invalid_request"


class RequestTooLargeError(VerdictError):
    """The item alone is larger than Darwin takes (413)."""

    code = "request_too_large"


class NameCollisionError(VerdictError):
    """Another object holds the item's name at its path in the dataset."""

    code = "name_collision"


class AlreadyExistsUnverifiedError(VerdictError):
    """An item of this name is there, and nothing proves that it is this object."""

    code = "already_exists_unverified"


class ObjectOverwrittenError(VerdictError):
    """The object of a registered item has new content, and the route asks to be told."""

    code = "object_overwritten"


class CrashLoopError(VerdictError):
    """Attempt after attempt at the message killed the process: out of memory, out of time, crashed."""

    code = "crash_loop"


class LateForGroupError(VerdictError):
    """The group's item stands already, made from other objects, or other contents, than the group has now."""

    code = "late_for_group"


# --- trouble with a service: messages stay queued ------------------------------------------------------


class ServiceError(BeagleError):
    """A service, not the object, is the trouble: the message stays queued and comes again.

    `retry_after` is how long to wait at least, in seconds; None where nobody can tell.
    """

    code = "service_unavailable"
    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, **context: str | float) -> None:
        super().__init__(message, **context)
        self.retry_after = retry_after


class BugError(ServiceError):
    """An exception that nobody expected: Beagle is the trouble, and the message waits for a better one."""

    code = "bug"


class NewerMessageError(ServiceError):
    """A newer Beagle wrote the message: while both are deployed it waits for the newer to read it."""

    code = "newer_message"


class OutOfTimeError(ServiceError):
    """This invocation has no time left to begin the work."""

    code = "out_of_time"


class DecoderStoppedError(ServiceError):
    """A decoder was stopped before its end, and the file need not be to blame: the machine may be."""

    code = "decoder_stopped"


class GroupWaitingError(ServiceError):
    """Other objects of the group have still to arrive."""

    code = "group_waiting"


class QueueUnavailableError(ServiceError):
    """A queue did not take or give messages."""

    code = "queue_unavailable"


class StoreUnavailableError(ServiceError):
    """The watched bucket did not give an object or take an artifact."""

    code = "store_unavailable"


class LedgerUnavailableError(ServiceError):
    """The state bucket did not answer; without the ledger nothing is posted."""

    code = "ledger_unavailable"


class LedgerConflictError(ServiceError):
    """Another worker changed the same ledger entry first."""

    code = "ledger_conflict"


class DarwinError(ServiceError):
    """Darwin did not take the request.

    `committed` says whether items of the request may have been registered all the same;
    `retry_after` is how long Darwin asked us to wait, in seconds.
    """

    code = "darwin_error"
    committed: ClassVar[bool] = False


class DarwinUnreachableError(DarwinError):
    """No connection was made: nothing was sent."""

    code = "darwin_unreachable"


class DarwinNotAskedError(DarwinError):
    """Nothing was sent: no turn comes, or no time is left, before this invocation ends."""

    code = "darwin_not_asked"


class SecretUnavailableError(DarwinError):
    """Nothing was sent: the secret store did not hand out the API key."""

    code = "secret_unavailable"


class DarwinThrottledError(DarwinError):
    """Darwin asks to slow down (429, 503)."""

    code = "darwin_throttled"


class DarwinAmbiguousError(DarwinError):
    """The request was sent and its outcome is unknown: time-out, reset, 500, 502, 504, unreadable reply."""

    code = "darwin_ambiguous"
    committed = True


class DarwinUnauthorizedError(DarwinError):
    """The API key is wrong, or lacks the permission *Add data to datasets* (401, 403)."""

    code = "darwin_unauthorized"


class DarwinNotFoundError(DarwinError):
    """Darwin knows no such team, dataset or storage (404)."""

    code = "darwin_not_found"


class DarwinStorageFullError(DarwinError):
    """The team's plan has no storage left (429 with INSUFFICIENT_REMAINING_STORAGE)."""

    code = "darwin_storage_full"
