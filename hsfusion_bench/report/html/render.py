"""The page as one HTML file: its style and its script stand in it, and it asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from hsfusion_bench.errors import UsageError
from hsfusion_bench.report.html.page import Page
from hsfusion_bench.report.html.safe import script_json

INSTALL = "pip install 'hsfusion-bench[report]'"


def render(page: Page) -> str:
    """Return the text of the HTML file.

    Its Content-Security-Policy forbids every request, and every script but its own, whose hash it names.

    Raises
    ------
    UsageError
        If Jinja is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise UsageError(f"the report needs Jinja: {INSTALL}") from error
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("hsfusion_bench.report.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _text("style.css"), _text("script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template("page.html.j2").render(
        page=page,
        style=Markup(style),
        script=Markup(script),
        data=Markup(script_json(page.data)),
        policy=f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'",
    )


def _text(name: str) -> str:
    return (files("hsfusion_bench.report.html") / name).read_text(encoding="utf-8")
