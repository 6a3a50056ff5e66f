"""Your numbers: local rates and edits of one's own, what they change, and a folder to take along."""

from __future__ import annotations

from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.case import parse_case
from rootcause.errors import InvalidInputError
from rootcause.outcomes import posterior_of
from rootcause.own_answers import shifts, with_parameters
from rootcause.own_numbers import key_problems
from rootcause.priors import Source, validated
from rootcause.structure import CAUSES
from rootcause_app.components import (
    findings_form,
    labels,
    notices,
    own_chart,
    own_editor,
    own_local,
    own_state,
    own_tables,
    own_take,
    own_weights,
    provenance,
)
from rootcause_app.pages import frame, opening
from rootcause_app.theme import palette

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from streamlit.delta_generator import DeltaGenerator

    from rootcause import Model
    from rootcause.local_rates import Update
    from rootcause_app.components.own_local import Draft
    from rootcause_app.components.own_state import Current

LOCAL: Final = "Local rates"
EDIT: Final = "Edit numbers"
TAKE: Final = "Take them with you"
PANES: Final = (LOCAL, EDIT, TAKE)

_TABLE_KEY: Final = "own_table"
_FIRST: Final = "rate.epidural_hematoma.open_microdiscectomy"
_NOTE: Final = (
    "What you enter here is yours alone, for this visit: the other pages, other visitors and the server's folder keep "
    "their numbers. To answer from yours everywhere, take them with you."
)


def page() -> None:
    """Draw the page."""
    frame.head("Your numbers: local rates, edits of your own, and what they change")
    opening.first_case()
    with st.container(key="toolbar"):
        panes, rates = st.columns([8, 3], vertical_alignment="bottom")
    with panes:
        pane = st.segmented_control(
            "Pane",
            PANES,
            default=PANES[0],
            required=True,
            key="own_pane",
            label_visibility="collapsed",
            persist_state="session",
        )
    with rates:
        server = frame.rate_switch()
    st.html(f'<p class="rc-hint">{_NOTE}</p>')
    if pane == EDIT:
        _edit(server)
    elif pane == TAKE:
        _take(server)
    else:
        _local(server)
    frame.foot(server)


# ---- local rates --------------------------------------------------------------------------------------------------


def _local(server: Model) -> None:
    now = own_state.current(server)
    _still_wrong(now)
    left, right = st.columns(2, gap="large")
    with left:
        st.header("What your hospital counted", anchor=False)
        draft = own_local.form(now.start.priors.parameters, _FIRST)
        if draft.problems:
            st.html(own_tables.problems_html("This is no count.", draft.problems))
        if draft.missing:
            listed = escape(", ".join(draft.missing))
            st.html(f'<p class="rc-hint" role="status">Still to enter (0 where there was nobody): {listed}.</p>')
    with right:
        st.header("The model's number and your count", anchor=False)
        shown = _drawn(draft)
    with _weighed(now, draft, shown) if draft.surprise else left:
        _keep_button(draft)
    _kept()
    _causes(now, draft.updates if draft.local else ())


def _keep_button(draft: Draft) -> None:
    kept = [own_state.own().updates.get(own_state.key_of(item.before)) for item in draft.updates]
    new = draft.local is not None and kept != list(draft.updates)
    st.button(
        "Keep this count" if new or draft.local is None else "This count is kept",
        on_click=_keep,
        args=(draft.updates,),
        disabled=not new,
        type="primary" if new else "secondary",
        key="own_keep",
    )


def _keep(draft: tuple[Update, ...]) -> None:
    own_state.own().keep(draft)


def _drawn(draft: Draft) -> str:
    """Draw a number before and after; return its id."""
    shown = draft.updates[0]
    if len(draft.updates) > 1:
        ids = {item.before.id: item for item in draft.updates}
        chosen = st.selectbox("Share to draw", list(ids), key="own_drawn", filter_mode=None)
        shown = ids[chosen]
    colours = palette(st.context.theme.type)
    st.altair_chart(own_chart.chart(shown, colours), theme=None, width="stretch", alt=own_chart.description(shown))
    st.html(own_tables.updates_html(draft.updates))
    if not draft.problems and not draft.missing:
        st.html(f'<p class="rc-verdict">{escape(shown.sentence)}</p>')
    return shown.before.id


def _weighed(now: Current, draft: Draft, shown: str) -> DeltaGenerator:
    """Show what a count that surprises comes to at other weights, before it is kept; return the place below."""
    st.header("Before you keep it: the count contradicts the model's number", anchor=False)
    st.html(
        '<p class="rc-hint">Added together, two sources that contradict each other give a narrow range that neither '
        "supports. The same count with the model's number in full, at half, and left out; the slider chooses.</p>"
    )
    if draft.local is not None:
        with suppress(InvalidInputError):  # where the case has no answer, the table of causes says so
            found = own_weights.ways(now, draft.local, findings_form.current_case())
            st.html(own_weights.ways_html(found, shown, draft.local.weight))
    return st.container()


def _kept() -> None:
    held = own_state.own().updates
    if held:
        with st.expander(f"Counts you kept ({len(held)})"):
            st.html(own_tables.updates_html(held.values()))
            st.html('<p class="rc-hint">To take one back, open “Take them with you”.</p>')


# ---- editing ------------------------------------------------------------------------------------------------------


def _edit(server: Model) -> None:
    held = own_state.own()
    start = own_state.current(server).start
    st.header("Edit numbers", anchor=False)
    words, bases, only = st.columns([5, 4, 3], vertical_alignment="bottom")
    with words:
        text = st.text_input("Words to look for", key="own_words", placeholder="hematoma MRI", persist_state="session")
    with bases:
        chosen = st.multiselect(
            "Basis", list(provenance.BASES), key="own_bases", placeholder="All", persist_state="session"
        )
    with only:
        changed = st.checkbox("Only what I changed", key="own_only", persist_state="session")
    known = start.priors.sources.keys() | held.sources.keys()
    # The table keeps its rows while one types: it is made anew only when another one is asked for.
    signature = (text, tuple(chosen), changed, server.digest, held.versions, len(known))
    table: own_editor.Table | None = st.session_state.get(_TABLE_KEY)
    if table is None or table.signature != signature or table.widget not in st.session_state:
        found = own_editor.rows_of(
            start.priors.parameters.values(), text, chosen, held.edits.keys() if changed else None
        )
        table = own_editor.table_of(
            found[: own_editor.ROWS], len(found), held, signature, 1 + (table.number if table else 0)
        )
        st.session_state[_TABLE_KEY] = table
    problems: list[str] = []
    if table.rows:
        match = "number matches" if table.found == 1 else "numbers match"
        more = f"; the first {len(table.rows)} are shown, words narrow them" if table.found > len(table.rows) else ""
        st.html(f'<p class="rc-hint">{table.found} {match}{more}. Probabilities in percent.</p>')
        problems = own_editor.take_over(table, own_editor.show(table, known), start.priors.parameters, held)
    else:
        st.info("No number matches.")
    now = own_state.current(server)
    problems += now.problems
    if problems:
        st.html(own_tables.problems_html("These are not valid numbers yet (written as probabilities):", problems))
        st.html('<p class="rc-hint">Until they are, the causes below follow from the counts you kept alone.</p>')
    _new_source(known)
    _causes(now, ())


def _new_source(known: Collection[str]) -> None:
    with st.expander("Add a publication to cite"):
        left, right = st.columns([2, 5])
        with left:
            st.text_input("Key", key="own_source_key", placeholder="mueller-2024", max_chars=80)
            st.number_input("Year", 1800, 2200, None, key="own_source_year")
        with right:
            st.text_input("Title", key="own_source_title", max_chars=400)
            st.text_input("DOI", key="own_source_doi", placeholder="10.1000/182", max_chars=200)
        st.button("Add the publication", on_click=_add_source, args=(known,))
        refused = st.session_state.get("own_source_refused")
        if refused:
            st.html(own_tables.problems_html("The publication was not added.", refused))
        added = own_state.own().sources.values()
        if added:
            listed = "; ".join(f"{item.key}: {item.citation}" for item in added)
            st.html(f'<p class="rc-hint">Added: {escape(listed)}</p>')


def _add_source(known: Collection[str]) -> None:
    state = st.session_state
    given = {name: state.get(f"own_source_{name}") for name in ("key", "title", "year", "doi")}
    row = {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}
    problems: list[str] = []
    source = validated(Source, row, "publication", problems)
    if source is not None:
        problems += key_problems(source.key, known)
        if not problems:
            own_state.own().sources[source.key] = source
    state["own_source_refused"] = problems


# ---- taking along -------------------------------------------------------------------------------------------------


def _take(server: Model) -> None:
    now = own_state.current(server)
    _still_wrong(now)
    own_take.changed(now)
    left, right = st.columns(2, gap="large")
    with left:
        own_take.download(now, _leader(now))
    with right:
        own_take.bring_back()
    _causes(now, ())


def _leader(now: Current) -> str:
    """The cause that leads in the Explorer's case, to ask about; the first of all where the case has no answer."""
    try:
        found = posterior_of(now.own, parse_case(dict(findings_form.current_case())))
    except InvalidInputError:
        return CAUSES[0]
    return max(CAUSES, key=lambda cause: found[cause])


# ---- what they share ----------------------------------------------------------------------------------------------


def _still_wrong(now: Current) -> None:
    if now.problems:
        st.html(
            own_tables.problems_html(
                "Your edits are not valid yet; here, only the counts you kept are used:", now.problems
            )
        )


def _causes(now: Current, draft: Sequence[Update]) -> None:
    """Every cause of the Explorer's case with the server's numbers and with these."""
    st.header("The causes in the Explorer's case, before and after", anchor=False)
    mine = now.own
    if draft:
        mine = with_parameters(mine, {item.before.id: item.after for item in draft})
    try:
        found = shifts(now.server, mine, dict(findings_form.current_case()))
    except InvalidInputError as refusal:
        sentence = labels.sentence(now.server, str(refusal))
        st.html(notices.refusal_html("There is no answer for the Explorer's findings.", sentence))
        return
    st.html(own_tables.shifts_html(found))
