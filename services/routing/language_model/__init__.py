"""Stage 3: a configured language model is asked about what the other stages are unsure of."""

from services.routing.language_model.client import LanguageModel
from services.routing.language_model.settings import LanguageModelSettings

__all__ = ["LanguageModel", "LanguageModelSettings"]
