"""inkling fit over more vectors than memory holds: when one pass is made, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkling.cli.console import note
from inkling.cli.in_parts import HERE, RAY, Sitting
from inkling.cli.progress import progress_bar
from inkling.errors import InputError
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.embeddings.parts import VectorParts


@dataclass(frozen=True)
class Passing:
    """How vectors in parts are learned from.

    Attributes
    ----------
    asked
        Whether one pass is asked for; None: where they are many.
    engine, address
        What does the work.
    in_words
        Whether an encoder is named, to encode the class texts.
    unlabelled
        Whether images without labels are to be learned from too.
    """

    asked: bool | None = None
    engine: str = HERE
    address: str | None = None
    in_words: bool = False
    unlabelled: bool = False

    def parts(self, train: str, *, head: str) -> VectorParts | None:
        """What to pass over; None where all is read at once.

        Raises
        ------
        InputError
            If a pass is asked for and there are no vectors in Parquet, or something with which it cannot be made.
        """
        Sitting(self.engine, self.address).check_options()
        wanted = self.asked or (self.asked is None and self.engine == RAY)
        if self.asked is False and self.engine == RAY:
            raise InputError("--engine ray makes one pass.", remedy="Leave --in-memory out, or the engine.")
        found = None if self.asked is False else self._found(train)
        if not wanted and (found is None or self.unlabelled or not _are_many(found, head)):
            return None
        option = "--one-pass" if self.asked else "--engine ray"
        if found is None:
            raise InputError(
                f"{option} reads vectors in Parquet files, and '{train}' holds none.",
                remedy="Name a folder that 'inkling embed --output DIR' wrote.",
            )
        if self.unlabelled:
            raise InputError(
                f"{option} learns from labelled vectors alone.", remedy="Leave --unlabelled out, or the option."
            )
        return found

    def fit(self, classifier: FewShotClassifier, parts: VectorParts, *, views: int | None) -> None:
        """Fit, and say what was done."""
        with progress_bar("Vectors") as progress:
            classifier.fit_in_one_pass(
                parts, in_words=self.in_words, views=views, engine=self._runs(), progress=progress
            )
        kept: Any = classifier.fitted.one_pass
        note(
            f"Learned in one pass from {counted(kept['vectors'], 'vector')}. {kept['kept']} of them are kept, at most "
            f"{kept['per_class']} a class: the memory shows these, and they calibrate what is said."
        )

    def _found(self, train: str) -> VectorParts | None:
        from inkling.embeddings.parts import vector_parts
        from inkling.images.places import is_url

        if not is_url(train) and not (Path(train).is_dir() or Path(train).suffix.lower() == ".parquet"):
            return None
        # Other processes may be in another folder.
        return vector_parts(train if is_url(train) or self.engine == HERE else str(Path(train).absolute()))

    def _runs(self) -> Any:
        if self.engine == RAY:
            from inkling.bulk.ray_engine import RayEngine

            return RayEngine(self.address)
        from inkling.bulk.engines import HereEngine

        return HereEngine()


def _are_many(parts: VectorParts, head: str) -> bool:
    from inkling.classifier.one_pass import ONE_PASS_ABOVE
    from inkling.embeddings.chunks import rows_of
    from inkling.heads.one_pass_fit import ONE_PASS_HEADS

    return head in ONE_PASS_HEADS and sum(rows_of(parts).values()) > ONE_PASS_ABOVE
