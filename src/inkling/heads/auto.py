"""The head that chooses: experts beside zero-shot, weighed by out-of-fold evidence and guarded by zero-shot.

The weights minimise the out-of-fold log-loss, so they calibrate too. Where a paired test shows no gain over zero-shot,
zero-shot is what ships, and the head says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Self, cast

import numpy as np

from inkling.heads.base import Head
from inkling.heads.checks import check_option, few_images_a_class
from inkling.heads.evidence import Evidence, blend_weights, cross_fitted, gain_p_value, grouped_folds
from inkling.heads.experts import (
    FEW_SHOT_SHRINKAGE,
    FEW_SHOT_TEXT_WEIGHT,
    PRIOR_SHARE,
    SHRINKAGE,
    UNLABELLED_PRIOR_SHARE,
    ZERO_SHOT,
    Experts,
    experts_for,
)
from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.gda import GDAHead
from inkling.heads.local_gda import LocalGDAHead
from inkling.heads.logistic import LogisticHead
from inkling.heads.out_of_fold import MAX_FOLDS, evidence_folds
from inkling.heads.prototype import PrototypeHead
from inkling.heads.standardization import EMBEDDING_WEIGHT, Standardization, standardization
from inkling.heads.support import Support, complete_support, has_text, shots_of, unit_blocks
from inkling.heads.text_only import with_text_only
from inkling.heads.threads import at_once, threads_for
from inkling.heads.transductive import TransductiveSupport, alike, transductive_support
from inkling.heads.whitened import scores_of
from inkling.types import FloatArray, HeadState, IntArray

GAIN_LEVEL = 0.01
"""Level of the paired test against zero-shot. Real gains lie far below it; random labels pass one time in a hundred."""

SHARED = "shared/"
"""Prefix of arrays that the experts have in common: kept once."""
SHARED_ARRAYS = ("mean_", "directions_")


@dataclass(eq=False, repr=False)
class AutoHead(Head):
    """Blend z = w_0 s f.t_k + sum_e w_e z_e of zero-shot and experts, with weights >= 0 from grouped folds.

    The experts see images alone, their dimensions on one scale (`Standardization`).

    Parameters
    ----------
    seed
        Draws the folds.
    n_folds
        Folds at most; there are never more than images in the median class.

    Attributes
    ----------
    chosen_
        What ships: ``zero-shot``, or the names of the blended experts.
    finding_
        What the evidence says, in one sentence.
    evidence_
        Out-of-fold log-loss and top-1 of zero-shot and of the blend, on the classes that have a text; empty where
        nothing could be folded.
    n_alike_, presence_
        With unlabelled images: how many look like one of the classes, and `TransductiveSupport.presence`.
    out_of_fold_logits_, out_of_fold_rows_
        Logits of what ships for images that neither experts nor weights saw, and the rows of X they belong to.
    """

    seed: int = 0
    n_folds: int = MAX_FOLDS

    name: ClassVar[str] = "auto"

    def fit(
        self,
        X: FloatArray,
        y: Any,
        groups: IntArray | None = None,
        fold_spaces: FoldSpaces | None = None,
        unlabelled: FloatArray | None = None,
    ) -> Self:
        """Learn from embeddings X (n, n_dims) with labels y (n,).

        Parameters
        ----------
        groups
            Rows of one group (views of one source) stay in one fold, (n,).
        fold_spaces
            Where the encoder was tuned on the images of X: their vectors by encoders that were not.
        unlabelled
            Vectors (n_unlabelled, n_dims) of images that class means and scatter are learned from too, whether they
            help or not; `fit_with_unlabelled` finds that out.
        """
        check_option(self.n_folds >= 2, "n_folds", self.n_folds, "at least 2")
        support = self._begin(X, y)
        sources = np.arange(support.n_real) if groups is None else np.unique(groups, return_inverse=True)[1]
        # Here and not where it may warn: filters of warnings are not the threads' own.
        with threads_for(support.X.size), few_images_a_class():
            self._weigh(support, sources, fold_spaces, self._unit_unlabelled(unlabelled))
        return self

    def _weigh(
        self, support: Support, sources: IntArray, spaces: FoldSpaces | None, unlabelled: FloatArray | None
    ) -> None:
        y, text = support.y[: support.n_real], self._own_text()
        experts = experts_for(support, shots_of(y, sources, support.n_classes), unlabelled)
        named = np.zeros(support.n_classes, dtype=bool) if text is None else has_text(text)
        if spaces is None:
            fold = evidence_folds(y, sources, named, seed=self.seed, n_folds=self.n_folds)
        else:
            fold = spaces.fold
        rows = np.flatnonzero(fold >= 0)
        if len(rows) < 2:
            self._ship_unproven(support, experts)
            self._learn_experts(support, experts)
        else:
            # Whichever of them ship: they are fitted beside the folds, which takes no longer than the folds alone.
            logits = self._out_of_fold(support, fold, experts, spaces)
            self._choose(support, experts, logits, rows, sources[rows])
            for unused in set(self.experts_) - set(self._used()):
                del self.experts_[unused]

    def _learn_experts(self, support: Support, experts: Experts) -> None:
        """Fit all experts on all examples."""
        self.text_ = np.zeros((0, self.embedding_dims_)) if support.text is None else support.text
        space = self._space(support)
        self.mean_, self.deviations_ = space.mean, space.deviations
        self.unseen_ = np.bincount(support.y[: support.n_real], minlength=support.n_classes) == 0
        images = self._images(support, space, experts.unlabelled)
        if isinstance(images, TransductiveSupport):
            self.n_alike_, self.presence_ = len(images.unlabelled), images.presence
        learned = _learned(experts, images)
        self.experts_: dict[str, Head] = learned

    def _unit_unlabelled(self, unlabelled: FloatArray | None) -> FloatArray | None:
        return None if unlabelled is None else unit_blocks(unlabelled, self.embedding_dims_)

    def _images(self, support: Support, space: Standardization, unlabelled: FloatArray | None) -> Support:
        """The support set as experts see it, with those unlabelled images that look like one of the classes."""
        images = space.support(support)
        if unlabelled is None:
            return images
        near = unlabelled[alike(unlabelled, support)]
        return transductive_support(
            images,
            space(near),
            shrinkage=FEW_SHOT_SHRINKAGE.get(int(np.median(support.counts)), SHRINKAGE),
            text_logits=None if support.text is None else self._text_logits(near, support.text),
            text_weight=FEW_SHOT_TEXT_WEIGHT,
        )

    def _space(self, support: Support) -> Standardization:
        return standardization(support, embedding_dims=self.embedding_dims_, embedding_weight=EMBEDDING_WEIGHT)

    def _score(self, X: FloatArray) -> FloatArray:
        scores = scores_of(self.experts_, Standardization(self.mean_, self.deviations_)(X))
        text_decides = self._text_decides()
        if ZERO_SHOT in self._used() or text_decides:
            scores[ZERO_SHOT] = self._text_logits(X, self.text_)
        z = cast(FloatArray, sum((w * scores[name]).astype(np.float64) for name, w in self._used().items()))
        return with_text_only(z, scores[ZERO_SHOT], self.unseen_) if text_decides else z

    def _text_decides(self) -> bool:
        """Whether there are classes without images, and experts that would overlook them."""
        unseen = vars(self).get("unseen_")  # heads of older memories lack it
        return unseen is not None and bool(unseen.any()) and bool(len(self.text_)) and list(self._used()) != [ZERO_SHOT]

    def _used(self) -> dict[str, float]:
        """Weights of what ships."""
        return {name: weight for name, weight in self.weights_.items() if weight > 0}

    def _out_of_fold(self, support: Support, fold: IntArray, experts: Experts, spaces: FoldSpaces | None) -> FloatArray:
        """Logits (n_experts, n, n_classes) of images with a fold, from fits without it; what ships is fitted beside."""
        X, y, text = support.X[: support.n_real], support.y[: support.n_real], self._own_text()
        of_rows = fold[fold >= 0]
        logits = np.zeros((len(experts.makers) + (support.text is not None), len(of_rows), support.n_classes))

        def hold_out(held: int) -> None:
            out = fold == held
            images, texts = (X, text) if spaces is None else (spaces.images[held], spaces.classes[held])
            part = complete_support(images[~out], y[~out], texts, support.n_classes, self.embedding_dims_)
            logits[:, of_rows == held] = self._logits_of(part, images[out], experts)

        folds = [partial(hold_out, held) for held in np.unique(of_rows).tolist()]
        at_once([partial(self._learn_experts, support, experts), *folds], size=X.size)
        return logits

    def _logits_of(self, part: Support, X: FloatArray, experts: Experts) -> list[FloatArray]:
        """Logits (n, n_classes) of rows by zero-shot and by every expert that learned from `part`."""
        space = self._space(part)
        images = self._images(part, space, experts.unlabelled)
        zero_shot = [] if part.text is None else [self._text_logits(X, part.text)]
        learned = _learned(experts, images)
        return zero_shot + list(scores_of(learned, space(X)).values())

    def _choose(
        self, support: Support, experts: Experts, logits: FloatArray, rows: IntArray, sources: IntArray
    ) -> None:
        """Weigh the blend, compare it with zero-shot, and set the finding."""
        y = support.y[rows]
        weight_fold = grouped_folds(y, sources, n_folds=5, seed=self.seed + 1)
        fixed = experts.fixed_weights

        def weigh(Z: FloatArray, y: IntArray) -> FloatArray:
            if fixed is None or len(Z) != len(fixed):
                return blend_weights(Z, y)
            return np.asarray(fixed) * blend_weights(np.tensordot(fixed, Z, axes=1)[None], y)

        names = (*((ZERO_SHOT,) if support.text is not None else ()), *experts.makers)
        blend = Evidence.of(" + ".join(names), cross_fitted(logits, y, weight_fold, weigh), y, sources=sources)
        ships, found = blend, [blend]
        if self._n_texts() < 2:  # whoever can name one class at most has nothing to be right or wrong about
            told = f"only 1 of {support.n_classes} classes has a text" if self._n_texts() else "no texts"
            self.finding_ = f"'{blend.name}' has {blend.top1:.1%} top-1 out of fold; {told} to compare with"
        else:
            zero_shot = Evidence.of(ZERO_SHOT, cross_fitted(logits[:1], y, weight_fold, weigh), y)
            even_odds = Evidence.of("even odds", np.zeros_like(blend.logits), y)
            ships, p = guarded(blend, zero_shot, even_odds)
            found = self._compared(blend, zero_shot, ships, y, p)
        used = logits if ships is blend else logits[:1]
        self.chosen_ = ships.name
        weights = weigh(used, y)
        if fixed is not None and support.text is None:
            share = PRIOR_SHARE if experts.unlabelled is None else UNLABELLED_PRIOR_SHARE
            weights = np.asarray(fixed) * (weights / fixed) ** (1.0 - share)
        self.weights_ = dict(zip(names, weights.tolist(), strict=False))
        self.evidence_ = [{"name": one.name, "log_loss": float(one.losses.mean()), "top1": one.top1} for one in found]
        self.out_of_fold_logits_, self.out_of_fold_rows_ = ships.logits, rows

    def weigh(self, held_out: Support, logits: FloatArray, sources: IntArray) -> Self:
        """Weigh experts that have learned, by images that they did not see.

        Parameters
        ----------
        held_out
            The images and their classes, with the text vectors.
        logits
            Logits (n_experts, n, n_classes) of zero-shot, if there are texts, and of the experts.
        sources
            Source of each image, (n,).
        """
        makers = {name: expert.unfitted for name, expert in self.experts_.items()}
        self._choose(held_out, Experts(makers, None), logits, np.arange(held_out.n_real), sources)
        for unused in set(self.experts_) - set(self._used()):
            del self.experts_[unused]
        return self

    def _n_texts(self) -> int:
        """Classes that have a text of their own."""
        text = self._own_text()
        return 0 if text is None else int(has_text(text).sum())

    def _compared(self, blend: Evidence, zero_shot: Evidence, ships: Evidence, y: IntArray, p: float) -> list[Evidence]:
        """Zero-shot and the blend on the classes that have a text; without one there is no zero-shot to beat.

        Says in `finding_` what ships, and why.
        """
        text = self._own_text()
        assert text is not None
        named = has_text(text)
        asked, where = named[y], ""
        if not named.all():
            where = f" on the {named.sum()} of {len(named)} classes that have a text"
            if not asked.any():
                self.finding_ = f"'{ships.name}' ships: no class with a text has images to compare on"
                return [ships]
            column = np.cumsum(named) - 1
            zero_shot, blend = (
                Evidence.of(one.name, one.logits[asked][:, named], column[y[asked]]) for one in (zero_shot, blend)
            )
        level = f"p = {p:.2g}, below {GAIN_LEVEL:g} is a gain"
        compared = f"{blend.top1:.1%} against {zero_shot.top1:.1%} top-1 out of fold{where}; {level}"
        if ships.name == ZERO_SHOT:
            others = int((~named).sum())
            by_images = f", and {others} {'class' if others == 1 else 'classes'} by images carried to texts"
            self.finding_ = (
                f"no gain detected over zero-shot ({compared}): zero-shot ships{by_images if others else ''}"
            )
        else:
            verb = "beats zero-shot" if blend.top1 >= zero_shot.top1 else "gains over texts and their stand-ins"
            self.finding_ = f"'{blend.name}' {verb} ({compared})"
        return [zero_shot, blend]

    def _ship_unproven(self, support: Support, experts: Experts) -> None:
        """One image a class: nothing to fold, so the fixed rule ships and says that it is unproven."""
        names = (*((ZERO_SHOT,) if support.text is not None else ()), *experts.makers)
        self.chosen_ = " + ".join(names)
        self.weights_ = dict(zip(names, experts.fixed_weights or (1.0,) * len(names), strict=True))
        self.evidence_ = []
        why = "too few images, or sources of them, to hold any out"
        self.finding_ = f"{why}: the fixed rule '{self.chosen_}' ships without evidence"
        self._hold_nothing_out(support)

    def refit(self, X: FloatArray, y: Any, previous: AutoHead, groups: IntArray | None = None) -> Self:
        """Learn from other examples or classes with the weights that an earlier head found: nothing is held out.

        Folds cost many times what the experts themselves do, and a class more or less hardly moves their weights.

        Parameters
        ----------
        previous
            A fitted head. Where these examples make other experts than its own, this is `fit`.
        """
        support, unlabelled = self._begin(X, y), previous.unlabelled_learned_from
        sources = np.arange(support.n_real) if groups is None else groups
        shots = shots_of(support.y[: support.n_real], sources, support.n_classes)
        experts = experts_for(support, shots, self._unit_unlabelled(unlabelled))
        names = [ZERO_SHOT] * (support.text is not None) + list(experts.makers)
        if list(previous.weights_) != names[: len(previous.weights_)] or experts.fixed_weights is not None:
            return self.fit(X, y, groups=groups, unlabelled=unlabelled).keep_unlabelled(*previous.kept_unlabelled)
        self.chosen_, self.finding_ = previous.chosen_, previous.finding_
        self.weights_, self.evidence_ = previous.weights_, previous.evidence_
        self._hold_nothing_out(support)
        used = {name: make for name, make in experts.makers.items() if name in self._used()}
        with threads_for(support.X.size), few_images_a_class():
            self._learn_experts(support, replace(experts, makers=used))
        return self.keep_unlabelled(*previous.kept_unlabelled)

    def keep_unlabelled(self, unlabelled: FloatArray | None, taken: bool) -> Self:
        """Keep unlabelled images, if there are any, for the next fit, and whether they took part in this one."""
        if unlabelled is not None:
            self.unlabelled_, self.unlabelled_taken_ = unlabelled, taken
        return self

    @property
    def kept_unlabelled(self) -> tuple[FloatArray | None, bool]:
        """Unlabelled images (n_unlabelled, n_dims) that were offered, and whether they took part."""
        kept = vars(self)  # heads of older memories, and most others, have none
        return kept.get("unlabelled_"), kept.get("unlabelled_taken_", False)

    @property
    def unlabelled_learned_from(self) -> FloatArray | None:
        """Unlabelled images (n_unlabelled, n_dims) that took part; None where none did."""
        unlabelled, taken = self.kept_unlabelled
        return unlabelled if taken else None

    def _hold_nothing_out(self, support: Support) -> None:
        rows: IntArray = np.zeros(0, dtype=np.int64)
        self.out_of_fold_logits_, self.out_of_fold_rows_ = np.zeros((0, support.n_classes)), rows

    def state(self) -> HeadState:
        """State with the experts' states inside, their arrays under the expert's name."""
        own = super().state()
        arrays = {key: value for key, value in own.arrays.items() if not key.startswith("out_of_fold_")}
        params = {key: value for key, value in own.params.items() if key != "experts_"}
        params["experts"] = {}
        for name, expert in self.experts_.items():
            inner = expert.state()
            params["experts"][name] = inner.params
            for key, value in inner.arrays.items():
                arrays[f"{SHARED if key in SHARED_ARRAYS else f'{name}/'}{key}"] = value
        return HeadState(self.name, params, arrays)

    @classmethod
    def from_state(cls, state: HeadState) -> Self:
        """Inverse of `state`."""
        params = dict(state.params)
        inner = params.pop("experts")
        own = {key: value for key, value in state.arrays.items() if "/" not in key}
        head = super().from_state(HeadState(state.name, params, own))
        head.experts_ = {name: _expert(name, one, state.arrays) for name, one in inner.items()}
        return head


def _learned(experts: Experts, images: Support) -> dict[str, Head]:
    width = images.n_dims
    return {name: make().learn(images, embedding_dims=width, lightly=True) for name, make in experts.makers.items()}


def _expert(name: str, params: Mapping[str, Any], arrays: Mapping[str, Any]) -> Head:
    kinds: dict[str, type[Head]] = {kind.name: kind for kind in (PrototypeHead, LocalGDAHead, LogisticHead, GDAHead)}
    # Memories of earlier releases hold the shared arrays with each expert.
    own = {
        key.removeprefix(prefix): value
        for prefix in (SHARED, f"{name}/")
        for key, value in arrays.items()
        if key.startswith(prefix)
    }
    return kinds[name].from_state(HeadState(name, params, own))


def guarded(blend: Evidence, zero_shot: Evidence, even_odds: Evidence) -> tuple[Evidence, float]:
    """The blend where a paired test shows a gain over zero-shot and no top-1 is lost, else zero-shot; and the p-value.

    On noise both can be worse than even odds, and the less wrong of the two has gained nothing.
    """
    p = max(gain_p_value(blend, zero_shot), gain_p_value(blend, even_odds))
    return (blend if p < GAIN_LEVEL and blend.top1 >= zero_shot.top1 else zero_shot), p
