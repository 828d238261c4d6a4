"""What scikit-learn asks of a classifier, without loading scikit-learn before it is asked for.

Scoring plain vectors is numpy alone. Fitting, and input of any other kind (data frames, lists, sparse matrices), goes
through scikit-learn's own checks, so that messages and refusals are those that its users know.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inkling.types import FloatArray

FLOATS = (np.float64, np.float32)


class Estimator:
    """Options, tags and checks of a classifier that is a dataclass of its options."""

    classes_: NDArray[Any]
    n_features_in_: int

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - no option is an estimator
        """Options by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]  # each subclass is a dataclass

    def set_params(self, **options: Any) -> Self:
        """Set options by name.

        Raises
        ------
        ValueError
            If there is no option of a name; scikit-learn's searches expect this error.
        """
        known = self.get_params()
        for name, value in options.items():
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for {type(self).__name__}; there are {list(known)}.")
            setattr(self, name, value)
        return self

    def unfitted(self) -> Self:
        """Another of the same options that has learned nothing."""
        return type(self)(**self.get_params())

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of X whose first label is that of y."""
        from sklearn.metrics import accuracy_score

        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))

    def predict(self, X: Any) -> Any:
        """Label with the highest score."""
        raise NotImplementedError

    def __repr__(self) -> str:
        options = [(field, getattr(self, field.name)) for field in fields(self)]  # type: ignore[arg-type]  # each subclass is a dataclass
        changed = [f"{field.name}={_shown(value)}" for field, value in options if not _same(value, field.default)]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            transformer_tags=None,
            regressor_tags=None,
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(),
        )

    def _checked(self, X: Any) -> FloatArray:
        """Vectors to score, (n_samples, n_features_in_), finite."""
        if self._is_plain(X) and np.isfinite(X).all():
            return np.asarray(X)
        from sklearn.utils.validation import validate_data

        self._check_fitted()
        return np.asarray(validate_data(self, X, dtype=list(FLOATS), reset=False))

    def _check_fitted(self) -> None:
        if not hasattr(self, "classes_"):
            from sklearn.utils.validation import check_is_fitted

            check_is_fitted(self, "classes_")

    def _is_plain(self, X: Any) -> bool:
        """Whether X needs no conversion, and the columns have no names to compare."""
        return (
            hasattr(self, "classes_")
            and not hasattr(self, "feature_names_in_")
            and type(X) is np.ndarray
            and X.dtype in FLOATS
            and X.ndim == 2
            and len(X) > 0
            and X.shape[1] == self.n_features_in_
        )


def _same(value: object, default: object) -> bool:
    return value is default or (type(value) is type(default) and value == default)


def _shown(value: object) -> str:
    return f"array{value.shape}" if isinstance(value, np.ndarray) else repr(value)
