"""The report as one HTML file: no scripts, nothing loaded from elsewhere, pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from sim.dataset.report.pictures import Picture

_CSS = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; margin: 1.6em 0 0.4em; }
figure { margin: 0.6em 0 1.2em; }
figure img { display: block; width: 100%; height: auto; background: #fff; border-radius: 4px; }
figcaption, .note { font-size: 0.9em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9em; font-variant-numeric: tabular-nums; }
th, td { padding: 0.15em 0.7em; text-align: left; border-bottom: 1px solid #8886; vertical-align: top; }
td.n, th.n { text-align: right; }
caption { text-align: left; font-weight: 600; padding: 0.4em 0; }
code { overflow-wrap: anywhere; }
@media print { body { max-width: none; font-size: 10pt; padding: 0; } figure, table { break-inside: avoid; }
  h2, h3 { break-after: avoid; } table { font-size: 8pt; } th, td { padding: 0.1em 0.4em; } .scroll { overflow: visible; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The whole file."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def heading(level: int, text: str) -> str:
    """A heading of a level, with an anchor made of its text."""
    anchor = "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())
    return f'<h{level} id="{anchor}">{escape(text)}</h{level}>'


def paragraph(text: str, note: bool = False) -> str:
    """A paragraph; a note is set smaller."""
    opening = '<p class="note">' if note else "<p>"
    return f"{opening}{escape(text)}</p>" if text else ""


def items(texts: Sequence[str]) -> str:
    """A list."""
    return "<ul>\n" + "\n".join(f"<li>{escape(text)}</li>" for text in texts) + "\n</ul>" if texts else ""


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1) -> str:
    """A table; its first `text_columns` columns are names, the others figures."""

    def cells(values: Sequence[str], kind: str) -> str:
        marked = []
        for i, value in enumerate(values):
            scope = ' scope="col"' if kind == "th" else ' scope="row"' if i == 0 else ""
            tag = "th" if kind == "th" or i == 0 else "td"
            align = ' class="n"' if i >= text_columns else ""
            marked.append(f"<{tag}{scope}{align}>{escape(value)}</{tag}>")
        return "<tr>" + "".join(marked) + "</tr>"

    body = "\n".join(cells(row, "td") for row in rows)
    return (
        f'<div class="scroll"><table>\n<caption>{escape(caption)}</caption>\n'
        f"<thead>{cells(header, 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def figure(picture: Picture, caption: str = "") -> str:
    """A picture with its alternative text; what is in it loads nothing and runs nothing."""
    data = base64.b64encode(picture.svg.encode()).decode()
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><img alt="{escape(picture.alt, quote=True)}" src="data:image/svg+xml;base64,{data}">{below}</figure>'
    )
