"""The trained weights of the classifier in one file: reading, writing, and the hash that names them."""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.routing.encoder import EncoderWeights

FORMAT = 5
MODEL_ID = "models/cascade@5"
_ENCODER = "encoder."


@dataclass(frozen=True)
class Weights:
    """Everything that training decides. Tables are whole numbers; the scale beside each brings it to size."""

    kinds: NDArray[np.str_]
    kind_table: NDArray[np.int8]
    """One row for each hashed feature, one column for each kind."""
    kind_scale: NDArray[np.float64]
    kind_bias: NDArray[np.float64]
    signal_names: NDArray[np.str_]
    signal_weights: NDArray[np.int64]
    """One row for each signal, one column for each kind; `signal_scale` brings them to size."""
    signal_scale: NDArray[np.float64]
    detail_names: NDArray[np.str_]
    detail_table: NDArray[np.int8]
    """A column for each detail; fewer rows than `kind_table`, for words alone."""
    detail_scale: NDArray[np.float64]
    detail_bias: NDArray[np.float64]
    detail_signals: NDArray[np.int64]
    """One row for each signal, one column for each detail, in the size of `signal_scale`."""
    sharpness: NDArray[np.float64]
    """What the linear scores are multiplied with, so that their probabilities mean what they say."""
    certain: NDArray[np.float64]
    """Probability of each category from which the linear stage decides alone."""
    blend: NDArray[np.float64]
    """What the linear scores and those of the encoder are multiplied with before they are added."""
    category_bias: NDArray[np.float64]
    """What is added to the logarithm of each category's probability after the encoder."""
    thresholds: NDArray[np.float64]
    """Probability below which a category is not assigned."""
    usual: NDArray[np.float64]
    """Share of each category that is expected at each of the places of `mix`."""
    vocabulary: NDArray[np.uint64]
    """Sorted hashes of the words of the training text."""
    least_known: NDArray[np.float64]
    """Share of known words in a text below which no category is assigned."""
    languages: NDArray[np.str_]
    language_table: NDArray[np.int8]
    """Fewer rows than `kind_table`: a column of it, shifted right, is a row here."""
    language_scale: NDArray[np.float64]
    language_bias: NDArray[np.float64]
    language_threshold: NDArray[np.float64]
    lexicon_keys: NDArray[np.uint64]
    lexicon_classes: NDArray[np.uint32]
    encoder: EncoderWeights

    @property
    def model(self) -> str:
        """Model id, version and the hash of the content, so that no two sets of weights share a name."""
        digest = hashlib.sha256(str(FORMAT).encode())
        for name, array in self._arrays().items():
            digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return f"{MODEL_ID}+{digest.hexdigest()[:12]}"

    def save(self, path: Path) -> None:
        """Writes one compressed file."""
        np.savez_compressed(path, allow_pickle=False, format=np.array(FORMAT), **self._arrays())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote. Raises ValueError if the file is of another format."""
        with np.load(path, allow_pickle=False) as file:
            if "format" not in file or int(file["format"]) != FORMAT:
                problem = (
                    f"{path} does not hold weights of format {FORMAT}; make them with services.routing.model.train"
                )
                raise ValueError(problem)
            own = {field.name: file[field.name] for field in fields(cls) if field.name != "encoder"}
            encoder = {field.name: file[_ENCODER + field.name] for field in fields(EncoderWeights)}
        return cls(**own, encoder=EncoderWeights(**encoder))

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "encoder"}
        encoder = {_ENCODER + field.name: getattr(self.encoder, field.name) for field in fields(self.encoder)}
        return own | encoder
