"""A link that carries a case: it comes back as it was, and whatever else comes is refused in one sentence."""

from __future__ import annotations

import base64
import contextlib
import json
import string
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootcause.errors import InvalidInputError
from rootcause_app.components.links import LARGEST, LONGEST_LINK, WARNING, decode, encode

LETTERS = set(string.ascii_letters + string.digits + "-_.")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
tables = st.dictionaries(st.text(max_size=12), values, max_size=8)

CASE = {
    "procedure": "microdiscectomy",
    "symptom_onset": 7,
    "examination_day": 8,
    "toe_dorsiflexion": 2,
    "plantarflexion": "normal",
    "numbness_l5": "present",
    "back_pain": {"expected": 0.3, "severe": 0.9},
    "progression": ["static", "worsening"],
}


def packed(raw: bytes) -> str:
    """Return bytes as a link packs them."""
    return "1." + base64.urlsafe_b64encode(zlib.compress(raw)).rstrip(b"=").decode()


@given(tables)
def test_a_case_comes_back_as_it_was(case: dict[str, Any]) -> None:
    """Values, kinds of numbers and the order of entry; in letters that need no escaping."""
    link = encode(case)
    assert json.dumps(decode(link)) == json.dumps(case)
    assert set(link) <= LETTERS
    assert len(link) <= LONGEST_LINK


@given(st.text(max_size=60) | st.text(alphabet=sorted(LETTERS), max_size=60).map("1.".__add__))
def test_any_other_text_is_refused_in_one_sentence(text: str) -> None:
    """Nothing but the one error comes of it."""
    with pytest.raises(InvalidInputError) as caught:
        decode(text)
    assert str(caught.value).startswith("link: must")
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=80) | st.sampled_from([b"{}", b"[]", b"1", b'{"a": 1}', b'"a"']))
def test_whatever_is_packed_is_a_table_or_refused(raw: bytes) -> None:
    """Bytes that are no JSON table do not come out."""
    try:
        expected = json.loads(raw.decode("utf-8"))
    except ValueError:
        expected = None
    if isinstance(expected, dict):
        assert decode(packed(raw)) == expected
    else:
        with pytest.raises(InvalidInputError, match=r"^link: "):
            decode(packed(raw))


@given(st.data())
def test_a_damaged_link_is_not_another_case(data: st.DataObject) -> None:
    """A letter that was lost or changed never makes another case."""
    link = encode(CASE)
    at = data.draw(st.integers(0, len(link) - 1))
    other = data.draw(st.sampled_from(["", *sorted(LETTERS)]))
    with contextlib.suppress(InvalidInputError):
        assert decode(link[:at] + other + link[at + 1 :]) == CASE


def test_a_link_is_short() -> None:
    """A case of eight findings fits in a line or three."""
    assert len(encode(CASE)) < 300


def test_several_examinations_fit_in_a_link() -> None:
    """A serial case is a table like any other."""
    case = {"examinations": [{"findings": CASE}, {"findings": {"toe_dorsiflexion": 1}}]}
    assert decode(encode(case)) == case


REFUSED: list[tuple[str, str]] = [
    ("", "must hold a case, got nothing"),
    ("2.abc", "must begin with '1.', got '2.'"),
    ("1.", "must hold letters, digits, '-' and '_' alone"),
    ("1.abc+", "must hold letters, digits, '-' and '_' alone"),
    ("1.ab\n", "must hold letters, digits, '-' and '_' alone"),
    ("1.abcde", "must be whole and unchanged"),
    (encode(CASE)[:-9], "must be whole and unchanged"),
    ("1." + "A" * LONGEST_LINK, f"must not be longer than {LONGEST_LINK} characters, got {LONGEST_LINK + 2}"),
    (packed(b" " * (LARGEST + 1)), f"must not unpack to more than {LARGEST} bytes"),
    (packed(b"[" * 60_000), "must be nested a few levels at most"),
    (packed(b"\xff"), "must hold UTF-8 text"),
    (packed(b"[]"), "must hold a table"),
    (packed(b'{"a": NaN}'), "a number must be finite"),
    (packed(b'{"a": 1, "a": 2}'), "a key may stand once in a table, got 'a' twice"),
    (packed(b""), "must hold a case, got nothing"),
    ("1." + base64.urlsafe_b64encode(zlib.compress(b"{}") + b"more").rstrip(b"=").decode(), "cut or continued"),
]


@pytest.mark.parametrize(("text", "rule"), REFUSED, ids=[rule for _, rule in REFUSED])
def test_a_bad_link_is_refused(text: str, rule: str) -> None:
    """Each bad link has its sentence."""
    with pytest.raises(InvalidInputError) as caught:
        decode(text)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


def deep() -> dict[str, Any]:
    """Return a table nested deeper than anything reads."""
    table: dict[str, Any] = {}
    for _ in range(100_000):
        table = {"a": table}
    return table


@pytest.mark.parametrize(
    "case",
    [
        [],
        {"a": float("nan")},
        {"a": {1, 2}},
        {1: "a"},
        {"a": (1, 2)},
        {"a": 10**5000},
        deep(),
        {"a": "".join(map(chr, range(300, 9_300)))},
        {"a": " " * (LARGEST + 1)},
    ],
    ids=["list", "nan", "set", "number as name", "tuple", "long number", "deep", "long", "large"],
)
def test_what_a_link_cannot_carry_is_refused(case: Any) -> None:  # noqa: ANN401 - whatever a caller passes
    """Nothing is packed that would not come back."""
    with pytest.raises(InvalidInputError) as caught:
        encode(case)
    assert "\n" not in str(caught.value)


def test_the_warning_says_who_can_read_it() -> None:
    """The link is not a secret, and says so."""
    for word in ("server", "proxy", "browser history", "date of birth", "name"):
        assert word in WARNING
