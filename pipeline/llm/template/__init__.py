"""The built-in feedback provider: remarks decided from outcome and response, worded by templates."""

from pipeline.llm.template.provider import TemplateProvider

__all__ = ["TemplateProvider"]
