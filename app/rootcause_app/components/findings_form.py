"""The form: findings grouped as at the bedside, each *not examined* until touched.

The case itself lives in ``st.session_state["case"]`` and outlives the widgets, which Streamlit forgets whenever another
page is shown; each widget writes into it as it changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import streamlit as st

from rootcause_app.components import labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rootcause import Model
    from rootcause.vocabulary import Variable

CASE_KEY: Final = "case"
LOADS_KEY: Final = "loads"

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Context": ("procedure", "level", "symptom_onset", "examination_day", "preoperative_deficit"),
    "Red flags": (
        "saddle_anesthesia",
        "bladder_bowel_dysfunction",
        "chest_pain_or_breathlessness",
        "limb_ischemia_signs",
        "calf_swelling",
    ),
    "Strength": (
        "toe_dorsiflexion",
        "ankle_dorsiflexion",
        "plantarflexion",
        "knee_extension",
        "hip_flexion",
        "hip_abduction",
        "ankle_inversion",
        "leg_weakness",
    ),
    "Sensation": (
        "numbness_l4",
        "numbness_l5",
        "numbness_s1",
        "numbness",
        "cold_dysesthesia",
    ),
    "Reflexes and tension signs": ("knee_reflex", "ankle_reflex", "straight_leg_raise"),
    "Pain": ("back_pain", "leg_pain", "pain_free_interval", "positional_headache"),
    "Course": ("deficit_onset", "progression", "side"),
    "Wound and fever": (
        "fever",
        "wound_drainage",
        "wound_swelling",
    ),
    "Tests": (
        "mri_epidural_collection",
        "mri_disc_fragment",
        "mri_enhancing_scar",
        "mri_infection",
        "mri_csf_collection",
        "mri_adjacent_stenosis",
        "ct_hardware_breach",
        "crp",
        "post_void_residual",
        "ultrasound_dvt",
        "emg_root_denervation",
        "ncs_peroneal_block",
    ),
}
OTHER_GROUP: Final = "Other findings"
OPEN_AT_FIRST: Final = ("Context", "Red flags", "Strength", "Sensation")
SELECTED: Final = ("procedure", "level")  # too many or too long words for chips
HIGHEST_GRADE: Final = 4  # grade 5 is what "normal" says


def current_case() -> dict[str, object]:
    """The case of this session; changing it changes the case."""
    return cast("dict[str, object]", st.session_state[CASE_KEY])


def load(findings: Mapping[str, object]) -> None:
    """Replace the case: for a callback, before any widget of the run is drawn."""
    st.session_state[CASE_KEY] = dict(findings)
    # A new number makes new widgets, so that none holds on to what it showed for the case before.
    st.session_state[LOADS_KEY] = st.session_state.get(LOADS_KEY, 0) + 1


def groups_of(model: Model) -> dict[str, tuple[Variable, ...]]:
    """The model's contexts and findings by group; those that no group names come last, so that none is ever lost."""
    known = {**model.vocabulary.contexts, **model.vocabulary.findings}
    grouped = {name: tuple(known[key] for key in keys if key in known) for name, keys in GROUPS.items()}
    named = {key for keys in GROUPS.values() for key in keys}
    rest = tuple(variable for key, variable in known.items() if key not in named)
    return grouped | ({OTHER_GROUP: rest} if rest else {})


def options(variable: Variable, given: object) -> list[str]:
    """What can be chosen for a finding, as tokens: not examined, its states, its grades, and what a file put there."""
    first: list[object] = [None, *variable.groups, *variable.states]
    if variable.mrc:
        lower: list[object] = list(range(HIGHEST_GRADE, -1, -1))
        first = [None, variable.states[0], *lower, *variable.states[1:]]
    tokens = [labels.token(option) for option in first]
    held = labels.token(given)
    return tokens if held in tokens else [*tokens, held]


def form(model: Model) -> None:
    """Draw every group; the label of each says how many of its findings were entered."""
    case = current_case()
    with st.container(key="findings"):
        for name, variables in groups_of(model).items():
            _group(name, variables, case)


def _group(name: str, variables: Iterable[Variable], case: Mapping[str, object]) -> None:
    members = tuple(variables)
    entered = sum(variable.id in case for variable in members)
    load_number = st.session_state[LOADS_KEY]
    # The state of the expander belongs to the case that was loaded: its key changes with it, and not with each finding.
    expanded_key = f"open.{load_number}.{name}"
    expanded = st.session_state.setdefault(expanded_key, name in OPEN_AT_FIRST or entered > 0)
    count = f" · {entered} entered" if entered else ""
    with st.expander(f"**{name}**{count}", expanded=expanded, key=f"group.{load_number}.{name}"):
        chosen = [variable for variable in members if variable.id in SELECTED]
        for variable, place in zip(chosen, st.columns(len(chosen)) if chosen else (), strict=True):
            with place:
                _select(variable, case.get(variable.id))
        for variable in members:
            if variable.id not in SELECTED:
                _field(variable, case.get(variable.id))


def _field(variable: Variable, given: object) -> None:
    if variable.bins:
        _number_or_state(variable, given)
    else:
        _chips(variable, given)


def _chips(variable: Variable, given: object) -> None:
    key = _start(variable, given)
    st.radio(
        _title(variable),
        options(variable, given),
        key=key,
        format_func=lambda held: _words(variable, held),
        horizontal=True,
        help=variable.note or None,
        on_change=_changed,
        args=(variable.id, key),
    )


def _select(variable: Variable, given: object, *, label: str | None = None) -> None:
    key = _start(variable, given)
    st.selectbox(
        label or _title(variable),
        options(variable, given),
        key=key,
        format_func=lambda held: _words(variable, held),
        help=None if label else (variable.note or None),
        on_change=_changed,
        args=(variable.id, key),
    )


def _number_or_state(variable: Variable, given: object) -> None:
    """A number where one is known, a window where it is not; whichever is touched last stands."""
    key = f"number.{st.session_state[LOADS_KEY]}.{variable.id}"
    # Half a day, from a file, stands among the windows: the number field counts whole ones.
    is_number = isinstance(given, int) and not isinstance(given, bool)
    st.session_state[key] = given if is_number else None
    unit = labels.UNITS.get(variable.id, "")
    left, right = st.columns([1, 1], vertical_alignment="bottom", wrap=False)
    with left:
        st.number_input(
            f"{_title(variable)}, {'on day' if unit == 'day' else unit}",
            min_value=0,
            step=1,
            key=key,
            placeholder=unit,
            on_change=_changed_number,
            args=(variable.id, key),
        )
    with right:
        st.session_state[_key(variable)] = labels.token(None if is_number else given)
        _select(variable, None if is_number else given, label="or about when" if unit == "day" else "or roughly")


def _start(variable: Variable, given: object) -> str:
    key = _key(variable)
    if key not in st.session_state:
        st.session_state[key] = labels.token(given)
    return key


def _key(variable: Variable) -> str:
    return f"finding.{st.session_state[LOADS_KEY]}.{variable.id}"


def _title(variable: Variable) -> str:
    return labels.finding(variable)


def _words(variable: Variable, held: str) -> str:
    given = labels.from_token(held)
    if given is None:
        return labels.NOT_EXAMINED
    return str(given) if variable.mrc and isinstance(given, int) else labels.value(variable, given)


def _changed(finding: str, key: str) -> None:
    _enter(finding, labels.from_token(st.session_state[key]))


def _changed_number(finding: str, key: str) -> None:
    _enter(finding, st.session_state[key])


def _enter(finding: str, given: object) -> None:
    case = current_case()
    if given is None:
        case.pop(finding, None)
    else:
        case[finding] = given
