"""What every page of ours has: templates with everything escaped, and one inline style that its policy names."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def environment_in(folder: Path) -> Environment:
    """The templates of a folder, read once: values are escaped, and one that is missing is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def policy_for(style: str, *, forms: str = "'none'") -> str:
    """The content security policy of a page with this inline style, named by its hash; no script is let in at all.

    `forms` is where forms may be sent.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
        f" base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
    )
