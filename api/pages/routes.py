"""All pages, and the calls that lead to them."""

from typing import Any, Final

from litestar import Router

from api.pages.entering import enter_page, mint_page_token
from api.pages.faults import PAGE_ERRORS
from api.pages.learner import show_learner_page
from api.pages.teacher import TEACHER_PAGES

PAGE_HANDLERS: Final = (enter_page, show_learner_page, *TEACHER_PAGES)
"""What answers under `/pages`, with its refusals as pages."""


def page_handlers() -> list[Any]:
    return [Router("/pages", route_handlers=list(PAGE_HANDLERS), exception_handlers=PAGE_ERRORS), mint_page_token]
