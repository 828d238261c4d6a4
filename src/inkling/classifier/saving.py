"""Writing a fitted classifier into a memory."""

from __future__ import annotations

from pathlib import Path

from inkling.classifier.fitted import FittedClassifier
from inkling.classifier.persistence import to_memory
from inkling.provenance import current_command


class Saved:
    """What the subclass fitted, kept in a memory.

    Attributes
    ----------
    memory_version
        Version of the memory; None where there is none.
    """

    memory_version: int | None

    @property
    def fitted(self) -> FittedClassifier:
        """What fitting made of the labelled images."""
        raise NotImplementedError

    def save(self, path: str | Path, *, replace: bool = False, version: int | None = None) -> int:
        """Write a new memory; returns its version.

        A memory that holds just this already, because the classifier was loaded from it or saved to it, is left as
        it is.

        Parameters
        ----------
        path
            Where there is no memory yet.
        replace
            Replace whatever a memory there knows: its classes, and what people decided. To add to that, use
            `Decisions.update`.
        version
            The version that is to be replaced; None for whichever is there.

        Raises
        ------
        MemoryFileError
            If there is a memory already and it is not to be replaced, or it has another version; if the file cannot
            be written, or is no memory. Then nothing has changed.

        Examples
        --------
        >>> X, y = np.eye(4).repeat(5, axis=0), np.repeat(["ant", "bee", "cat", "dog"], 5)
        >>> FewShotClassifier(head="prototype").fit_embeddings(X, y).save("insects.ink")
        1
        """
        from inkling.memory.store import holds_already, write_memory

        content = to_memory(self.fitted, command=current_command())
        saved = self.memory_version
        if saved is None or not holds_already(path, content, version=saved):
            saved = write_memory(path, content, replace=replace, version=version)
        self.memory_version = saved
        return saved
