"""Whatever is kept of a turn fits into its row."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from functions.shared.bounded import MARK, bounded, shortened, size

texts = st.text(max_size=300)
items = st.lists(
    st.one_of(
        st.builds(lambda text: {"role": "user", "content": text}, texts),
        st.builds(lambda text: {"type": "function_call", "arguments": json.dumps({"a": text}), "n": 1}, texts),
        texts,
        st.lists(texts, max_size=3),
        st.none(),
    ),
    max_size=30,
)


@given(values=items, limit=st.integers(min_value=2, max_value=5_000))
def test_it_always_fits_and_what_fits_is_not_touched(values: list[JsonValue], limit: int) -> None:
    kept = bounded(values, limit)
    assert size(kept) <= limit
    if size(values) <= limit:
        assert kept == values


def test_the_longest_texts_are_cut_with_a_mark_and_the_short_ones_stay() -> None:
    kept = bounded([{"role": "user", "content": "א" * 65_536}, {"role": "user", "content": "מתי פתוח?"}], 100_000)
    cut, whole = (str(item["content"]) for item in kept if isinstance(item, dict))
    assert cut.endswith(MARK)
    assert len(cut) > 40_000, "no more is cut than must be"
    assert whole == "מתי פתוח?"


def test_arguments_stay_json() -> None:
    call: dict[str, JsonValue] = {"type": "function_call", "arguments": json.dumps({"text": "x" * 500})}
    [kept] = bounded([call], 200)
    assert isinstance(kept, dict)
    assert kept["arguments"] == "{}"


def test_half_a_surrogate_pair_is_no_obstacle() -> None:
    assert bounded(["\ud83d" * 100], 90)


def test_a_text_is_cut_to_its_length() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("a" * 50, 10) == "aaaaaa […]"
