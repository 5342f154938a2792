"""Routes: which objects become items of which dataset, and how. What `routes.yaml` holds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from beagle.domain.errors import RoutesError
from beagle.domain.faults import told
from beagle.domain.items import Access, CollisionPolicy, OverwritePolicy
from beagle.domain.keys import ARTIFACT_PREFIX, is_artifact
from beagle.domain.kinds import Dicom, Image, Many, Pdf, Strict, Video, wishes_for_artifacts
from beagle.domain.media import MediaKind
from beagle.domain.patterns import captures_of, compile_glob, placeholders_of

KEY_PLACEHOLDERS = frozenset({"folder", "stem", "suffix", "file_name", "hash8"})
"""What every template may use of the key below the watched prefix."""


class Watch(Strict):
    """Which objects: a bucket, a folder in it, and globs over the rest of the key, in any case of letters."""

    bucket: str = Field(min_length=1, description="The bucket; on Azure the container.")
    prefix: str = Field(
        "",
        description="Only keys that start with this, e.g. `cars/`. Ends with a slash.",
    )
    include: Many = Field(
        (),
        description="Globs over the key below the prefix; any may match. By default every file whose suffix "
        "Darwin knows. `**` crosses folders, `{site}` captures a part for the templates.",
    )
    exclude: Many = Field((), description="Globs; what one of them matches is ignored.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.prefix and not self.prefix.endswith("/"):
            raise ValueError(f'prefix must end with "/", or {self.prefix!r} would also match its namesakes')
        if self.prefix.startswith("/"):
            raise ValueError("prefix must not start with a slash: Darwin takes no such keys")
        if is_artifact(self.prefix):
            raise ValueError(f"prefix lies below {ARTIFACT_PREFIX!r}, where Beagle itself writes: a loop")
        for glob in (*self.include, *self.exclude):
            compile_glob(glob)
        names = set().union(*map(captures_of, self.include))
        if taken := names & (KEY_PLACEHOLDERS | {"group"}):
            raise ValueError(
                f"include captures {{{min(taken)}}}, which says something else: name it otherwise"
            )
        return self


class Group(Strict):
    """Several objects make one item; its name is made from what they have in common.

    Files without a slot are items of their own.
    """

    by: str = Field("{folder}", description="Template: objects with the same result belong together.")
    slots: Many = Field((), description="File names, in the order of the slots; the item waits for all.")
    series: bool = Field(
        False, description="Instead of slots: all DICOM slices of the group, as one series in slot 0."
    )
    settle_minutes: Annotated[float, Field(ge=0, le=24 * 60)] = Field(
        10, description="Series: it is whole when no slice came for so long; on Google Cloud at most 840."
    )
    layout: Literal["grid", "horizontal", "vertical", "simple"] | None = Field(
        None, description="How the slots stand beside each other; by default Darwin's choice."
    )
    wait_hours: Annotated[float, Field(gt=0, le=240)] = Field(
        24,
        description="A slot that is missing for so long makes the others dead letters. At most 240; "
        "on Azure 45, on Google Cloud 14, which is the default there.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.slots) == self.series:
            raise ValueError("a group has either slots or series: true")
        if len(set(self.slots)) != len(self.slots):
            raise ValueError("two slots of a group have one file name")
        return self


class ExpectedItem(Strict):
    """Where an example's item must stand."""

    path: str
    name: str


class Example(Strict):
    """A test vector: checked whenever the routes are loaded."""

    key: str
    item: ExpectedItem | None = Field(None, description="Leave out where the key must be ignored.")


class Route(Strict):
    """Objects of one kind, and the items they become. The first route that watches an object has it."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].remove("name"))

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="Named in logs and dead letters; by default the dataset. With braces it is `item_name`.",
        json_schema_extra={"pattern": r"^[A-Za-z0-9][A-Za-z0-9_.-]*$|\{.*\}"},
    )
    watch: Watch
    dataset: str = Field(min_length=1, description="The dataset's slug in Darwin.")
    storage: str = Field(min_length=1, description="The storage integration's name in Darwin's settings.")
    access: Access = Field("read_write", description="What the storage integration allows Darwin.")
    path: str = Field("/{folder}", description="Template of the folder in the dataset.")
    name_template: str = Field(
        "",
        alias="item_name",
        description="Template of the item's name; by default `{file_name}`, of groups `{group}`.",
    )
    type: MediaKind | None = Field(
        None, description="What the files are, where their suffix does not say or says it wrong."
    )
    image: Image = Image()
    video: Video = Video()
    dicom: Dicom = Dicom()
    pdf: Pdf = Pdf()
    group: Group | None = None
    tags: Many = Field((), description="Tag classes of the dataset, set on every item.")
    on_overwrite: OverwritePolicy = Field(
        "ignore", description="A registered object gets new content: leave its item, report it, or add one."
    )
    on_name_collision: CollisionPolicy = Field(
        "dead_letter", description="Another object has the item's name: report it, or take another name."
    )
    azure_container: bool = Field(
        True, description="Azure: storage keys start with the container, as V7's documentation asks."
    )
    examples: tuple[Example, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _tell_names_apart(cls, value: object) -> object:
        """Take a `name` that is a template as the item's; a route without a name is called by its dataset."""
        if not isinstance(value, dict):
            return value
        fields = dict(value)
        if "{" in str(fields.get("name", "")) and "item_name" not in fields:
            fields["item_name"] = fields.pop("name")
        fields.setdefault("name", fields.get("dataset"))
        return fields

    @model_validator(mode="after")
    def _check(self) -> Self:
        wishes = wishes_for_artifacts(image=self.image, video=self.video, dicom=self.dicom, pdf=self.pdf)
        if self.access == "read_write" and wishes:
            raise ValueError(f"{', '.join(wishes)}: only with access: read_only, else Darwin does all that")
        captured = [captures_of(glob) for glob in self.watch.include]
        everywhere = set.intersection(*captured) if captured else set()
        of_key = set(KEY_PLACEHOLDERS) | everywhere
        if self.group is None:
            _require_known("path", self.path, of_key)
            _require_known("item_name", self.item_name, of_key)
            return self
        # What may differ between the objects of a group cannot name the place of their one item.
        shared = _require_known("group.by", self.group.by, {"folder"} | everywhere) | {"group"}
        _require_known("path", self.path, shared)
        _require_known("item_name", self.item_name, of_key | {"group"})
        if self.group.series and self.access == "read_only" and not self.dicom.convert:
            raise ValueError(
                "group.series: Darwin takes DICOM series on read-write storage only; "
                "with dicom.convert: true Beagle draws them as the frames of a video"
            )
        return self

    @property
    def item_name(self) -> str:
        """Return the template of an item's name."""
        return self.name_template or "{file_name}"

    @property
    def group_name(self) -> str:
        """Return the template of a group's item's name: the route's, unless that tells its objects apart."""
        shared = placeholders_of(self.group.by) | {"group"} if self.group else set()
        told_apart = not self.name_template or placeholders_of(self.name_template) - shared
        return "{group}" if told_apart else self.name_template


def _require_known(field: str, template: str, known: set[str]) -> set[str]:
    """Return the names that a template uses, which must be among the known."""
    try:
        used = placeholders_of(template)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error
    if unknown := used - known:
        raise ValueError(
            f"{field}: {{{min(unknown)}}} is unknown here; there are {', '.join(sorted(known))} "
            "(a captured name must be in every include, and in a group's `by` to name its item)"
        )
    return used


class Routes(Strict):
    """All routes of a deployment, in the order of their precedence."""

    team: str = Field(min_length=1, description="The team's slug in Darwin.")
    routes: tuple[Route, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.routes:
            raise ValueError("there is no route")
        names = [route.name for route in self.routes]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two routes are named {min(twice)!r}")
        return self


def parse_routes(document: object) -> Routes:
    """Return the routes that a document (as YAML or JSON gives it) holds.

    Raises:
        RoutesError: It is not valid; every fault is named with its place.

    """
    try:
        return Routes.model_validate(document)
    except ValidationError as error:
        raise RoutesError(f"The routes are not valid: {told(document, error)}.") from error
