"""What discovery finds: proposals of new classes, or the verdict that the images have drifted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inkling.types import IntArray


@dataclass(frozen=True, eq=False)
class Proposal:
    """A cluster of unknown images that may be a class.

    Attributes
    ----------
    rows
        Its images, (n,), ascending.
    size
        Different pictures among them; near-duplicates count once.
    n_sources
        Sources that they come from.
    stability
        How much of it comes back from other draws of the images, 0 to 1.
    cohesion
        Mean cosine between two of its pictures in the whitened space.
    known_share
        Expected share of its images that are of known classes after all.
    nearest_class, distance
        Index of the nearest known class, and 1 - cosine between the centres in the whitened space.
    central, farthest
        Rows nearest to its centre, nearest first; and farthest from it, farthest first.
    """

    rows: IntArray
    size: int
    n_sources: int
    stability: float
    cohesion: float
    known_share: float
    nearest_class: int
    distance: float
    central: IntArray
    farthest: IntArray

    def renamed(self, names: IntArray) -> Proposal:
        """The same, with rows named as `names` has them."""
        return replace(self, rows=names[self.rows], central=names[self.central], farthest=names[self.farthest])


@dataclass(frozen=True, eq=False)
class Leaning:
    """Images that were put to a known class and lean apart from it together: perhaps a class that resembles it.

    Attributes
    ----------
    known_class
        Its index.
    rows
        The images, (n,), ascending.
    of
        Images that were put to the class in all.
    """

    known_class: int
    rows: IntArray
    of: int

    def renamed(self, names: IntArray) -> Leaning:
        """The same, with rows named as `names` has them."""
        return replace(self, rows=names[self.rows])


@dataclass(frozen=True)
class Drift:
    """Whether images all look unlike the known classes, rather than in groups.

    Attributes
    ----------
    found
        More are unlike the known classes than chance allows, and new classes do not account for it. Images alone
        cannot tell one new class from a change of all images where next to no known class is left among them; that
        counts as drift.
    p_value
        Of uniform p-values, as the images of known classes would have.
    excess
        Share of the images that is unlike the known classes beyond what chance explains.
    explained
        Share of that excess that lies in clusters fit to be proposed.
    likeness
        Mean cosine between two candidates, against that expected within a class.
    all_alike
        Whether it was found since the images are alike throughout, as those of one new class are.
    change
        How the images of known classes look different from those that were learned, such as "darker".
    looks
        Where images of no known class are drift: how they look different from all that were learned. Empty where they
        look no different, which speaks for new classes; None where pictures are too few to tell, or missing.
    """

    found: bool
    p_value: float
    excess: float
    explained: float
    likeness: float
    all_alike: bool = False
    change: tuple[str, ...] = ()
    looks: tuple[str, ...] | None = None

    @property
    def finding(self) -> str:
        """What was found, in words; empty where there is no drift."""
        if not self.found:
            return ""
        many = f"(p = {self.p_value:.2g}: {self.excess:.0%} more than chance explains)"
        if self.change:
            return (
                f"Images of known classes look different from those that were learned: {' and '.join(self.change)}. "
                f"That is reported as drift {many}: groups among such images are made by the change. Undo the change "
                f"in the images, or add some of them to their classes; then new classes can be found among them."
            )
        if self.all_alike:
            alike = "and like each other. They may be of one new class"
        else:
            alike = "and not in groups that would account for it. They may all be of new classes"
        return (
            f"Nearly all images look unlike the known classes {many}, {alike}, or all of them may have changed, as by "
            f"blur or another camera: {self._by_looks}. {_MIX} If it is a new class, {_ADDS}."
        )

    @property
    def _by_looks(self) -> str:
        """Which of the two the looks of the pictures speak for."""
        if self.looks is None:
            return "images alone can't tell"
        if self.looks:
            how = " and ".join(self.looks)
            return f"they look different from those that were learned, {how}, so a change is likelier"
        return (
            "they look as bright, as colourful and as sharp as those that were learned, so new classes are likelier, "
            "or a change of another kind"
        )


_MIX = "With images of known classes among them, groups of new ones come out."
_ADDS = "'inkling add-class FILE.ink NAME --images DIR' adds it"


@dataclass(frozen=True, eq=False)
class Found:
    """What discovery makes of a pool.

    Attributes
    ----------
    proposals
        Possible new classes, largest first; none where there is drift.
    known_class
        Known class that each image was sorted to, (n,); -1 where it is in a cluster of its own kind.
    picture
        Images with the same number are near-duplicates, (n,).
    leftover
        Rows that are neither of a known class nor in a proposal.
    drift
        The verdict on drift, with its numbers.
    number
        Least and greatest likely number of new classes; None where nothing is proposed.
    leaning
        Parts of known classes that may be classes of their own, largest first; none where there is drift.
    """

    proposals: tuple[Proposal, ...]
    known_class: IntArray
    picture: IntArray
    leftover: IntArray
    drift: Drift
    number: tuple[int, int] | None = None
    leaning: tuple[Leaning, ...] = ()

    def renamed(self, names: IntArray) -> Found:
        """The same, with rows named as `names` has them."""
        return replace(
            self,
            proposals=tuple(it.renamed(names) for it in self.proposals),
            leftover=names[self.leftover],
            leaning=tuple(it.renamed(names) for it in self.leaning),
        )
