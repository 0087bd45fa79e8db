"""The trained weights of the classifier in one file: reading, writing, and the hash that names them."""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
MODEL_ID = "models/linear@1"


@dataclass(frozen=True)
class Weights:
    """Everything that training decides. Tables are whole numbers; the scale beside each brings it to size."""

    categories: NDArray[np.str_]
    category_table: NDArray[np.int8]
    """One row for each hashed feature, one column for each category."""
    category_scale: NDArray[np.float64]
    category_bias: NDArray[np.float64]
    signal_names: NDArray[np.str_]
    signal_weights: NDArray[np.int64]
    """One row for each signal, one column for each category; `signal_scale` brings them to size."""
    signal_scale: NDArray[np.float64]
    calibration: NDArray[np.float64]
    """First row: factor of each category's logit; second row: what is added to it."""
    thresholds: NDArray[np.float64]
    """Probability below which a category is not assigned."""
    vocabulary: NDArray[np.uint64]
    """Sorted hashes of the words of the training text."""
    least_known: NDArray[np.float64]
    """Share of known words in a text below which no category is assigned."""
    languages: NDArray[np.str_]
    language_table: NDArray[np.int8]
    """Fewer rows than `category_table`: a column of it, shifted right, is a row here."""
    language_scale: NDArray[np.float64]
    language_bias: NDArray[np.float64]
    language_threshold: NDArray[np.float64]
    lexicon_keys: NDArray[np.uint64]
    lexicon_classes: NDArray[np.uint32]

    @property
    def model(self) -> str:
        """Model id, version and the hash of the content, so that no two sets of weights share a name."""
        digest = hashlib.sha256(str(FORMAT).encode())
        for field in fields(self):
            array: NDArray[np.generic] = getattr(self, field.name)
            digest.update(f"{field.name}{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return f"{MODEL_ID}+{digest.hexdigest()[:12]}"

    def save(self, path: Path) -> None:
        """Writes one compressed file."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(path, format=np.array(FORMAT), **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote. Raises ValueError if the file is of another format."""
        with np.load(path, allow_pickle=False) as file:
            if "format" not in file or int(file["format"]) != FORMAT:
                problem = (
                    f"{path} does not hold weights of format {FORMAT}; make them with services.routing.model.train"
                )
                raise ValueError(problem)
            return cls(**{field.name: file[field.name] for field in fields(cls)})
