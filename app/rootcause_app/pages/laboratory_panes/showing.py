"""A figure on the page: title, verdict, picture, the numbers behind it, and how to take it along."""

from __future__ import annotations

from functools import partial
from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app.components import sheets
from rootcause_app.components.figures import calls, export

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from rootcause_app.components.figures import Figure
    from rootcause_app.laboratory_answers import Question

    Rows = Iterable[Mapping[str, object]]

_TAKE: Final = "Take it with you"
_NUMBERS: Final = "The numbers"
_NAMED: Final = (("meaning", "number"), ("cause", "id"))  # columns of words, and of the ids that they stand for


def show(figure: Figure) -> None:
    """Draw a figure; a picture for a file is made only when it is asked for."""
    picture(figure)
    files: dict[str, tuple[str, Callable[[], str | bytes]]] = {
        "SVG": ("image/svg+xml", partial(export.svg, figure)),
        "PNG": ("image/png", partial(export.png, figure)),
        "CSV": ("text/csv", partial(export.csv, figure)),
    }
    _below(figure.title, figure.rows, figure.stem, files, figure.call)


def picture(figure: Figure) -> None:
    """Draw a figure without what is folded away below it: what stands there until the whole of it does."""
    st.header(figure.title, anchor=False)
    st.html(f'<p class="rc-frequencies">{escape(figure.sentence)}</p>')
    st.altair_chart(figure.chart, theme=None, width="stretch", alt=figure.alternative)


def show_table(title: str, rows: Rows, stem: str, call: str) -> None:
    """Draw a table that has no picture, folded away, with its file and its call beside it.

    Args:
        title: What it is.
        rows: Its lines, all with the same columns.
        stem: The name of its file, without the ending.
        call: Python that makes it again.
    """
    held = list(rows)
    _below(title, held, stem, {"CSV": ("text/csv", partial(_csv, held))}, call, label=title)


def call_of(asked: Question, method: str, ids: Sequence[str] = (), draws: int | None = None) -> str:
    """Python that answers the question again.

    Args:
        asked: Which case and cause.
        method: As on the command line.
        ids: The numbers that a question about one or two is about.
        draws: How many, where there are any.
    """
    return calls.python_call(method, asked.model, asked.findings, asked.cause, ids, draws)


def _below(
    title: str,
    rows: Rows,
    stem: str,
    files: Mapping[str, tuple[str, Callable[[], str | bytes]]],
    call: str,
    *,
    label: str = _NUMBERS,
) -> None:
    numbers, take = st.columns([5, 2])
    with numbers, st.expander(label):
        st.html(table_html(title, rows))
    with take, st.popover(_TAKE, width="stretch", key=f"take-{stem}"):
        with st.container(horizontal=True):
            for kind, (mime, made) in files.items():
                st.download_button(
                    kind,
                    made,
                    file_name=f"{stem}.{kind.lower()}",
                    mime=mime,
                    on_click="ignore",
                    key=f"{kind}-{stem}",
                    help=f"Download as {kind}",
                )
        st.html('<p class="rc-hint">The Python call that makes it again:</p>')
        st.code(call, language=None, wrap_lines=True)  # the colours of Streamlit's syntax lack contrast


def table_html(title: str, rows: Rows) -> str:
    """Lines of a figure as a table that a keyboard can scroll sideways; an id stands below the words for it.

    Args:
        title: What it is; read out before the table.
        rows: Its lines, all with the same columns.
    """
    held = list(rows)
    if not held:
        return '<p class="rc-hint">Nothing to show.</p>'
    columns = list(dict.fromkeys(chain.from_iterable(held)))
    first, below = next((pair for pair in _NAMED if set(pair) <= set(columns)), (columns[0], None))
    rest = [name for name in columns if name not in {first, below}]
    numeric = {name for name in rest if all(_numeric(row.get(name)) for row in held)}
    head = "".join(f'<th scope="col"{_class(name in numeric)}>{escape(_heading(name))}</th>' for name in (first, *rest))
    body = "".join(_row(row, (first, below), rest, numeric) for row in held)
    return (
        f'<div role="region" tabindex="0" aria-label="{escape(title)}, as a table" style="overflow-x: auto">'
        f'<table class="rc-table"><caption class="rc-sr">{escape(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(
    row: Mapping[str, object], named: tuple[str, str | None], columns: Sequence[str], numeric: Collection[str]
) -> str:
    first, below = named
    small = "" if below is None else f"<small>{escape(_said(row.get(below)))}</small>"
    cells = "".join(f"<td{_class(name in numeric)}>{escape(_said(row.get(name)))}</td>" for name in columns)
    return f'<tr><th scope="row" style="min-width: 13rem">{escape(_said(row.get(first)))}{small}</th>{cells}</tr>'


def _numeric(value: object) -> bool:
    return value in {None, ""} or (isinstance(value, int | float) and not isinstance(value, bool))


def _class(numeric: bool) -> str:
    return ' class="rc-number"' if numeric else ""


def _heading(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _said(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _csv(rows: Rows) -> str:
    held = list(rows)
    return sheets.to_csv(list(dict.fromkeys(chain.from_iterable(held))), held)
