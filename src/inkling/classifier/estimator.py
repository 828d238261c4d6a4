"""What scikit-learn's tools need of an estimator, without loading scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from inkling.errors import InputError

if TYPE_CHECKING:
    from sklearn.utils import Tags

_HIDDEN = ("encoder", "device", "precision", "dimensions", "cache")
"""Options behind an underscore: the attribute `encoder` is the encoder itself, opened from what was given."""


class Estimator:
    """Options by name, copies without what was learned, and pickling without what is open.

    The options are the parameters of the subclass's constructor.
    """

    _estimator_type = "classifier"

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - as scikit-learn has it
        """Options by name, as they were given.

        Examples
        --------
        >>> from inkling import FewShotClassifier
        >>> FewShotClassifier("sketch", head="gda").get_params()["head"]
        'gda'
        """
        return {name: getattr(self, _attribute(name)) for name in self._option_names()}

    def set_params(self, **options: Any) -> Self:
        """Change options; what was learned stays until the next `fit`.

        Raises
        ------
        InputError
            If there is no such option, or it cannot have the value.

        Examples
        --------
        >>> FewShotClassifier("sketch").set_params(head="gda").head
        'gda'
        """
        unknown = sorted(set(options) - set(self._option_names()))
        if unknown:
            raise InputError(
                f"{type(self).__name__} has no option {', '.join(unknown)}.",
                remedy=f"Its options are: {', '.join(self._option_names())}.",
            )
        type(self)(**(self.get_params() | options))  # refuses what can't be
        for name, value in options.items():
            setattr(self, _attribute(name), value)
        if set(options) & set(_HIDDEN):
            vars(self).pop("encoder", None)
        return self

    @classmethod
    def _option_names(cls) -> list[str]:
        return [name for name in signature(cls.__init__).parameters if name != "self"]

    def __sklearn_clone__(self) -> Self:
        """The same options, nothing learned. An encoder is shared: it holds no state beyond its weights."""
        return type(self)(**self.get_params())

    def __sklearn_is_fitted__(self) -> bool:
        return getattr(self, "_fitted", None) is not None

    def __sklearn_tags__(self) -> Tags:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(string=True),
        )

    def __getstate__(self) -> Mapping[str, Any]:
        """Without what can be opened anew: a named encoder, the names of a vocabulary, a progress callback."""
        state = dict(vars(self))
        if isinstance(state["_encoder"], str | Path):
            state.pop("encoder", None)
        state["_namer"] = None
        state.pop("naming", None)
        return state


def _attribute(option: str) -> str:
    return f"_{option}" if option in _HIDDEN else option
