"""A visitor's own numbers: what was changed in this visit, and the model that follows.

It lives in the visitor's session alone. The server's model, its folder and other visitors' sessions are never touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import streamlit as st

from rootcause.errors import InvalidInputError
from rootcause.own_answers import model_of, with_numbers
from rootcause.own_folder import Overlay
from rootcause.own_numbers import edited, folder_of
from rootcause.priors import RATE_SETS, share_groups
from rootcause_app.settings import current_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rootcause import Model
    from rootcause.local_rates import Update
    from rootcause.own_numbers import Edit
    from rootcause.priors import Parameter, RateSet, Source

    Key = tuple[str, RateSet | None]

_KEY: Final = "own_numbers"


@dataclass(slots=True)
class Own:
    """What a visitor changed.

    Attributes:
        start: Texts of a folder that was loaded, laid over the server's; empty: the server's numbers.
        edits: By number and variant.
        updates: Those of them that came from a local count.
        sources: Publications that were added, by key.
        versions: Counts the starts, so that what was worked out from one is not taken for another.
    """

    start: Mapping[str, str] = field(default_factory=dict)
    edits: dict[Key, Edit] = field(default_factory=dict)
    updates: dict[Key, Update] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    versions: int = 0

    def begin(self, texts: Mapping[str, str]) -> None:
        """Start anew from a folder, or with no text from the server's numbers."""
        self.start = dict(texts)
        self.edits, self.updates, self.sources = {}, {}, {}
        self.versions += 1

    def keep(self, updates: Iterable[Update]) -> None:
        """Take local counts over."""
        for update in updates:
            self.edits[key_of(update.before)] = update.edit
            self.updates[key_of(update.before)] = update

    def take_back(self, keys: Iterable[Key]) -> None:
        """Undo changes; a share that was counted goes with the others of its whole."""
        for key in keys:
            whole = key[0].rpartition(".")[0]
            counted = key in self.updates and bool(_shares(self, whole))
            for gone in _shares(self, whole) if counted else [key]:
                self.edits.pop(gone, None)
                self.updates.pop(gone, None)


def _shares(own: Own, whole: str) -> list[Key]:
    """The numbers that were counted together as shares of one whole."""
    members = share_groups(id_ for id_, _ in own.updates).get(whole, [])
    return [key for key in own.updates if key[0] in members]


@dataclass(frozen=True, slots=True)
class Current:
    """The models of a visitor.

    Attributes:
        server: What all other pages answer from.
        start: What the edits start from: the same, or that of the folder that was loaded.
        own: With all edits; while they break a rule, with the local counts alone.
        problems: One sentence for each broken rule.
    """

    server: Model
    start: Model
    own: Model
    problems: tuple[str, ...] = ()


def own() -> Own:
    """The changes of this session."""
    return cast("Own", st.session_state.setdefault(_KEY, Own()))


def key_of(parameter: Parameter) -> Key:
    """The number and its variant."""
    return parameter.id, parameter.rate_set


def current(server: Model) -> Current:
    """The models that follow from the changes of this session.

    Args:
        server: The server's model of the rate set that was chosen.
    """
    held = own()
    start = _start(server, held)
    if not held.edits and not held.sources:
        return Current(server, start, start)
    token = (server.digest, held.versions, tuple(held.edits.items()), tuple(held.sources.items()))
    memory = st.session_state.get(f"{_KEY}.current")
    if memory is None or memory[0] != token:
        memory = (token, _edited(server, start, held))
        st.session_state[f"{_KEY}.current"] = memory
    return cast("Current", memory[1])


def files(now: Current) -> dict[str, str]:
    """The text of every file of the folder to take along."""
    held = own()
    return folder_of(now.start.priors.folder, held.edits.values(), now.start.priors.rates, tuple(held.sources.values()))


def load(texts: Mapping[str, str]) -> None:
    """Start from a folder that a visitor hands in, laid over the server's; it must be right for every rate set.

    Args:
        texts: Its files by their names.

    Raises:
        InvalidInputError: Naming every problem of the folder; what was there before then stays.
    """
    for rates in RATE_SETS:
        server = current_model(rates)
        model_of(Overlay(server.priors.folder, texts), server)
    own().begin(texts)


def _start(server: Model, held: Own) -> Model:
    if not held.start:
        return server
    token = (server.digest, held.versions)
    memory = st.session_state.get(f"{_KEY}.start")
    if memory is None or memory[0] != token:
        memory = (token, model_of(Overlay(server.priors.folder, held.start), server))
        st.session_state[f"{_KEY}.start"] = memory
    return cast("Model", memory[1])


def _edited(server: Model, start: Model, held: Own) -> Current:
    sources = tuple(held.sources.values())
    try:
        numbers = edited(start.priors, held.edits.values(), sources)
    except InvalidInputError as error:
        problems = tuple(str(error).splitlines())
    else:
        return Current(server, start, with_numbers(start, numbers))
    counted = [edit for key, edit in held.edits.items() if key in held.updates]
    try:
        return Current(server, start, with_numbers(start, edited(start.priors, counted)), problems)
    except InvalidInputError:  # the counts of some shares of a whole, and edits of the others
        return Current(server, start, start, problems)
