"""Which of the decoded frames leave ffmpeg as pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The visible frames of a part, and the one of which the thumbnail is made, visible or not.

    Visible frame k is the source's frame `int(k * step)`. Pictures are counted by their place in the pipe.
    """

    step: float
    first_frame: int = 0
    """The part's first, in the source's count."""
    middle: int | None = None
    """In the source's count; None where it lies in another part."""

    def visible(self, frames: int) -> int:
        """Return how many of the part's first frames are visible."""
        return visible_before(self.first_frame + frames, self.step) - self._before

    def number(self, place: int) -> int | None:
        """Return which visible frame of the video comes at a place; None for one that is not visible."""
        number = self._before + place
        if self._hidden is None or number < self._hidden:
            return number
        return None if number == self._hidden else number - 1

    @property
    def thumbnail_place(self) -> int:
        """Return at which place the frame for the thumbnail comes; -1 for never."""
        return -1 if self.middle is None else visible_before(self.middle, self.step) - self._before

    def hides_one_of(self, frames: int) -> bool:
        """Say whether one of the part's first frames is there for the thumbnail alone."""
        hidden, middle = self._hidden, self.middle
        return hidden is not None and middle is not None and middle < self.first_frame + frames

    def select(self) -> str:
        """Return ffmpeg's filter that lets these frames through, with a comma behind it; none for all.

        It counts as the manifest does, by the same arithmetic; a closed formula can miss a frame by rounding.
        """
        if self.step <= 1:
            return ""
        due = f"trunc((ld(0)+{self._before})*{self.step})"
        other = f"eq(n,{self.middle - self.first_frame})" if self.middle is not None else "0"
        return f"select='if(eq(n+{self.first_frame},{due}),st(0,ld(0)+1),{other})',"

    @property
    def _before(self) -> int:
        return visible_before(self.first_frame, self.step)

    @property
    def _hidden(self) -> int | None:
        """How many visible frames come before the one in the middle; None if that is visible itself."""
        if self.middle is None:
            return None
        before = visible_before(self.middle, self.step)
        return None if int(before * self.step) == self.middle else before


def visible_before(frame: int, step: float) -> int:
    """Return how many visible frames come before one of the source's: the k-th stands at `int(k * step)`."""
    count = max(int(frame / step) - 1, 0)
    while int(count * step) < frame:
        count += 1
    return count
