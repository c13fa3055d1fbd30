"""Which of our languages serves a locale best."""

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
