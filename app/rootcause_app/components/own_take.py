"""Taking one's own numbers along, as a folder in a ZIP, and bringing them back."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.errors import InvalidInputError
from rootcause.own_answers import changes
from rootcause.own_folder import FOLDER, unzip, zip_of
from rootcause_app.components import labels, own_state, own_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from rootcause_app.components.own_state import Current

_UPLOADED_KEY: Final = "own_uploaded"
_REFUSED_KEY: Final = "own_refused"
_BACK_KEY: Final = "own_back"

_LOADED: Final = (
    "Files that are left out are the server's. Loading replaces what you changed before. What you load stays in this "
    "server's memory, for this visit; nothing is written to disk."
)
_SHELL: Final = f"""unzip {FOLDER}.zip
rootcause priors check --priors {FOLDER}
rootcause diagnose case.json --priors {FOLDER} --rates {{rates}}
rootcause sensitivity case.json --cause {{cause}} --priors {FOLDER} --rates {{rates}}
rootcause serve --priors {FOLDER} --rates {{rates}}"""
_PYTHON: Final = f"""from rootcause import load_model

model = load_model("{FOLDER}", rates="{{rates}}")
print(model.digest[:8])  # {{digest}}"""


def changed(now: Current) -> None:
    """Draw what differs from the server's numbers, and the ways back."""
    st.header("What you changed", anchor=False)
    found = changes(now.server.priors, now.own.priors)
    if found:
        st.html(own_tables.changes_html(found))
    else:
        st.html('<p class="rc-hint">No number of this rate set differs from the server\'s.</p>')
    held = own_state.own()
    others = [key for key in held.edits if key[1] not in (None, now.server.rates)]
    if others:
        listed = ", ".join(f"{id_} ({labels.RATES[rates or '']})" for id_, rates in others)
        st.html(f'<p class="rc-hint">Changed in the other rate set: {escape(listed)}.</p>')
    if not held.edits and not held.start and not held.sources:
        return
    back, all_back = st.columns([6, 3], vertical_alignment="bottom")
    with back:
        st.multiselect("Take back", list(held.edits), key=_BACK_KEY, format_func=lambda key: key[0], placeholder="None")
    with all_back:
        one = bool(st.session_state.get(_BACK_KEY))
        st.button(
            "Take these back" if one else "Take everything back", on_click=_take_back, key="own_undo", width="stretch"
        )


def _take_back() -> None:
    chosen = st.session_state.get(_BACK_KEY)
    if chosen:
        own_state.own().take_back(list(chosen))
    else:
        own_state.own().begin({})
    st.session_state[_BACK_KEY] = []


def download(now: Current, cause: str) -> None:
    """Draw the download, and how the folder is used.

    Args:
        now: The models of the visitor.
        cause: A cause to ask about.
    """
    st.header("Take them with you", anchor=False)
    st.download_button(
        f"Download {FOLDER}.zip",
        partial(_packed, now),
        file_name=f"{FOLDER}.zip",
        mime="application/zip",
        on_click="ignore",
        type="secondary" if now.problems else "primary",
        disabled=bool(now.problems),
    )
    st.html(
        '<p class="rc-hint">The whole folder as TOML, both rate sets, with the comments and sources of every number '
        "that you left alone. Its digest tells it from the server's.</p>"
    )
    st.html(
        '<p class="rc-hint">On the command line, with the case.json that the Explorer downloads. The last line serves '
        "every page from your numbers, Sensitivity included.</p>"
    )
    st.code(_SHELL.format(rates=now.server.rates, cause=cause), language=None, wrap_lines=True)
    st.code(
        _PYTHON.format(rates=now.server.rates, digest=labels.short_digest(now.own.digest)),
        language=None,
        wrap_lines=True,
    )


def _packed(now: Current) -> bytes:
    return zip_of(own_state.files(now))


def bring_back() -> None:
    """Draw the way back in."""
    st.header("Bring them back", anchor=False)
    with st.popover("Load a folder"):
        st.file_uploader(
            "A ZIP made here, or the TOML files of a folder",
            type=["zip", "toml"],
            accept_multiple_files=True,
            key=_UPLOADED_KEY,
        )
        st.button("Load them", on_click=_load, width="stretch")
        st.html(f'<p class="rc-hint">{_LOADED}</p>')
    refused = st.session_state.get(_REFUSED_KEY)
    if refused:
        st.html(own_tables.problems_html("The numbers were not loaded.", refused))


def _load() -> None:
    st.session_state.pop(_REFUSED_KEY, None)
    try:
        own_state.load(_texts(st.session_state.get(_UPLOADED_KEY) or []))
    except InvalidInputError as refusal:
        st.session_state[_REFUSED_KEY] = str(refusal).splitlines()


def _texts(uploaded: Sequence[UploadedFile]) -> dict[str, str]:
    """The files of what was handed in, by their names."""
    if not uploaded:
        raise InvalidInputError("files: must be a ZIP or TOML files, got none")
    found: dict[str, str] = {}
    for file in uploaded:
        if file.name.lower().endswith(".zip"):
            found |= unzip(file.getvalue())
            continue
        try:
            found[file.name] = file.getvalue().decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidInputError(f"{file.name}: must be UTF-8 text, got other bytes") from None
    return found
