"""How a verb has its images encoded: in this process through the cache, or in parts, by this machine or by Ray."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inkling.cli.in_parts import Sitting, ran, tell_kept
from inkling.cli.progress import progress_bar
from inkling.cli.stopping import ANEW, tell_on_stop
from inkling.errors import InputError, require

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.embeddings.cache import EmbeddingCache
    from inkling.embeddings.precomputed import Precomputed
    from inkling.embeddings.samples import Samples
    from inkling.encoders.base import Encoder
    from inkling.images.sources import Found
    from inkling.types import ImageRecord


@dataclass(frozen=True)
class Encoding:
    """What the command line asks for.

    Attributes
    ----------
    sitting
        How parts are made.
    output
        Folder or URL of the parts, which then stay; None has a temporary folder where there are any.
    device
        As for `inkling.encoders.registry.load_encoder`.
    """

    sitting: Sitting
    output: str | None
    device: str = "auto"

    @property
    def in_parts(self) -> bool:
        """Whether images are encoded in parts at all."""
        return self.output is not None or self.sitting.on_ray

    def check(self) -> None:
        """Refuse what can't be meant, before long work.

        Raises
        ------
        InputError
            If the output is none for parts, or an option has no effect.
        """
        if self.output is not None:
            self.sitting.check(self.output)
            if not self.sitting.in_parts(self.output):
                raise InputError(
                    f"--output takes a folder or a URL for vectors in parts, and '{self.output}' is named like a file.",
                    remedy="Name a folder that is empty or not there yet.",
                )
            return
        self.sitting.check_options()
        if self.sitting.resume:
            raise InputError("--resume goes on with parts that were kept.", remedy="Name their folder: --output DIR.")
        if self.in_parts:
            require("pyarrow", extra="parquet", purpose="--engine ray")
            tell_on_stop(lambda: ANEW)

    def check_source(self, source: Found | Precomputed | None) -> None:
        """Refuse parts where nothing is encoded.

        Raises
        ------
        InputError
            If the source has its vectors already, and parts are asked for.
        """
        from inkling.images.sources import Found

        if self.in_parts and not isinstance(source, Found):
            raise InputError(
                "Parts are for images, and there is nothing to encode: the vectors are there already.",
                remedy="Leave --output, --engine and --resume out.",
            )

    def samples(
        self,
        records: Sequence[ImageRecord],
        encoder: Encoder,
        *,
        cache: EmbeddingCache | None,
        under: str | None = None,
    ) -> Samples:
        """Samples of images.

        Parameters
        ----------
        cache
            For what is not made in parts.
        under
            Folder within the output, where a verb reads images of more than one kind.
        """
        from inkling.embeddings.samples import embed_samples

        if self.in_parts:
            return self._samples_in_parts(records, encoder, under)
        with progress_bar("Embedding") as progress:
            return embed_samples(records, encoder, cache=cache, progress=progress)

    def samples_for(
        self, classifier: FewShotClassifier, records: Sequence[ImageRecord], *, under: str | None = None
    ) -> Samples:
        """The same by the encoder of a classifier, and its cache."""
        from inkling.classifier.fitted import reopen_encoder

        if self.in_parts:
            encoder = reopen_encoder(classifier.fitted.samples.identity, lambda: classifier.encoder)
            return self._samples_in_parts(records, encoder, under)
        with progress_bar("Embedding") as progress:
            return classifier.embed(records, progress=progress)

    def _samples_in_parts(self, records: Sequence[ImageRecord], encoder: Encoder, under: str | None) -> Samples:
        from inkling.bulk.jobs import EmbedJob
        from inkling.bulk.plan import Plan, digest_of_images
        from inkling.bulk.shelf import shelf_of
        from inkling.bulk.vectors import embedded_in
        from inkling.embeddings.samples import samples_of

        identity = encoder.identity
        asked = {"thumbnails": True}
        plan = Plan("embed", asked, identity.fingerprint, None, None, len(records), digest_of_images(records))
        with self._place() as place:
            shelf = shelf_of(place)
            if self.output is not None:
                tell_kept(shelf)
            if under is not None:
                shelf = shelf.within(under)
            ran(plan, EmbedJob(identity, self.device, thumbnails=True), records, shelf, self.sitting)
            return samples_of(embedded_in(shelf, plan, records, identity), identity)

    @contextmanager
    def _place(self) -> Iterator[str]:
        if self.output is not None:
            yield self.output
            return
        with tempfile.TemporaryDirectory(prefix="inkling-") as folder:
            yield folder
