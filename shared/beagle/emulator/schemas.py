"""The request bodies the registration endpoints take, field by field; anything else is refused.

The field sets follow V7's pages "Registering items from external storage" and "Troubleshooting
external storage", and darwin-py 3.5 where the pages are silent. They are written independently of
any client, so that a client's misreading shows.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

SlotType = Literal["image", "video", "pdf", "dicom"]

BOOLEAN_WORDS = {"true": True, "false": False}


def _boolean_or_word(value: object) -> object:
    return BOOLEAN_WORDS.get(value, value) if isinstance(value, str) else value


def _no_leading_slash(value: str) -> str:
    if not value:
        raise ValueError("should not be empty")
    if value.startswith("/"):
        raise ValueError("storage keys do not start with a slash")
    return value


def _no_slash(value: str) -> str:
    if not value:
        raise ValueError("cannot be empty")
    if "/" in value:
        raise ValueError("cannot contain slashes")
    return value


def _finite_rate(value: float | str) -> float | str:
    if isinstance(value, str) and value != "native":
        raise ValueError("must be 'native' or a number of at least 0")
    if not isinstance(value, str) and not 0 <= value < float("inf"):
        raise ValueError("must be a number of at least 0")
    return value


# V7's samples send "true" and "false" as words, darwin-py sends JSON booleans: both are taken.
Flag = Annotated[bool, BeforeValidator(_boolean_or_word)]
StorageKey = Annotated[str, AfterValidator(_no_leading_slash)]
ItemName = Annotated[str, AfterValidator(_no_slash)]
NonEmpty = Annotated[str, Field(min_length=1)]
Pixels = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
FrameRate = Annotated[float | str, AfterValidator(_finite_rate)]
Tags = list[str] | dict[str, str]


class Strict(BaseModel):
    """Unknown fields and wrong JSON types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class LayoutV1(Strict):
    """Slots side by side."""

    version: Literal[1]
    type: Literal["grid", "horizontal", "vertical", "simple"]
    slots: Annotated[list[str], Field(min_length=1)]

    def named_slots(self) -> list[str]:
        """List the slots the layout speaks of."""
        return self.slots


class LayoutV2(Strict):
    """As version 1, with the shape spelled out."""

    version: Literal[2]
    type: Literal["grid", "horizontal", "vertical", "simple"]
    slots: Annotated[list[str], Field(min_length=1)]
    layout_shape: Annotated[list[Count], Field(min_length=1)]

    def named_slots(self) -> list[str]:
        """List the slots the layout speaks of."""
        return self.slots


Channels = Annotated[list[str], Field(min_length=1, max_length=16)]


class LayoutV3(Strict):
    """Columns of rows of channels; darwin-py allows 16 viewports and 16 channels in each."""

    version: Literal[3]
    slots_grid: Annotated[list[Annotated[list[Channels], Field(min_length=1)]], Field(min_length=1)]

    def named_slots(self) -> list[str]:
        """List the slots the layout speaks of."""
        return [slot for column in self.slots_grid for row in column for slot in row]


Layout = Annotated[LayoutV1 | LayoutV2 | LayoutV3, Field(discriminator="version")]


class ItemFields(Strict):
    """What every item has, whatever its form."""

    name: ItemName
    path: str = "/"
    tags: Tags | None = None
    layout: Layout | None = None


class SlotNames(Strict):
    """What a file needs once it stands in a slot of its own."""

    slot_name: NonEmpty
    file_name: NonEmpty


class ReadWriteFields(Strict):
    """A file Darwin processes itself."""

    storage_key: StorageKey
    type: SlotType | None = None
    fps: FrameRate | None = None
    as_frames: Flag | None = None
    extract_views: Flag | None = None
    metadata: dict[str, Any] | None = None


class ReadWriteSlot(ReadWriteFields, SlotNames):
    """One file among several."""

    tags: Tags | None = None


class ReadWriteFlat(ReadWriteFields, ItemFields):
    """One file, one item."""

    file_name: NonEmpty | None = None


class ReadWriteSlots(ItemFields):
    """Several files, one item."""

    slots: Annotated[list[ReadWriteSlot], Field(min_length=1)]


def _read_write_form(value: object) -> str:
    # Pydantic asks twice: of what was sent, and of the model when it is written out.
    fields = vars(value) if isinstance(value, Strict) else value
    return "slots" if isinstance(fields, dict) and "slots" in fields else "flat"


ReadWriteItem = Annotated[
    Annotated[ReadWriteFlat, Tag("flat")] | Annotated[ReadWriteSlots, Tag("slots")],
    Discriminator(_read_write_form),
]


class Options(Strict):
    """Options of the read-write endpoint."""

    ignore_dicom_layout: Flag = False


class Envelope(Strict):
    """Where the items go, and where their files are."""

    dataset_slug: str
    storage_slug: str


class ReadWriteBody(Envelope):
    """`POST /v2/teams/{team}/items/register_existing`."""

    items: Annotated[list[ReadWriteItem], Field(min_length=1)]
    options: Options = Options()
