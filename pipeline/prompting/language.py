"""Which of our languages serves a locale best."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from prompts.catalog import LANGUAGES

DEFAULT_LANGUAGE: Final = "en"

_CHINESE: Final = frozenset({"cmn", "yue", "wuu", "hak", "nan", "hsn", "gan", "cdo", "cjy", "mnp", "lzh"})
"""Languages that BCP 47's registry files under the macrolanguage zh."""


def select_language(locale: str) -> str:
    """The language to write in for a BCP 47 tag: its primary language if we have it, else English.

    `ko-KR` → `ko`, `zh-Hans-CN` → `zh`, `cmn` → `zh`, `pt-BR` → `en`. Case does not matter, and the
    POSIX form (`ko_KR.UTF-8`) is understood. Never raises.
    """
    primary = locale.strip().replace("_", "-").partition("-")[0].lower()
    if primary in LANGUAGES:
        return primary
    return "zh" if primary in _CHINESE else DEFAULT_LANGUAGE


TONGUES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "English",
        "ko": "Korean",
        "ja": "Japanese",
        "zh": "Simplified Chinese",
        "zh-Hant": "Traditional Chinese",
        "de": "German",
        "es": "Spanish",
        "fr": "French",
        "id": "Indonesian",
        "it": "Italian",
        "nl": "Dutch",
        "pt": "Portuguese",
        "ru": "Russian",
        "tr": "Turkish",
        "vi": "Vietnamese",
    }
)
"""Languages a model is asked to write in, by tag: those in which `claims` can tell praise. Others get English."""

_TRADITIONAL: Final = frozenset({"hant", "tw", "hk", "mo"})


def select_tongue(locale: str) -> str:
    """The tag of the language that a model is to write in for a BCP 47 tag; never raises.

    `ko-KR` → `ko`, `zh-TW` → `zh-Hant`, `yue` → `zh`, `de-AT` → `de`, `sw` → `en`.
    """
    parts = locale.strip().partition(".")[0].replace("_", "-").lower().split("-")
    language = select_language(locale)
    if language == "zh":
        return "zh-Hant" if _TRADITIONAL.intersection(parts[1:]) and "hans" not in parts else "zh"
    return parts[0] if parts[0] in TONGUES else language
