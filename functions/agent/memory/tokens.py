"""About how many tokens a text is, without a tokenizer: those of OpenAI alone would add 5 MB to the bundle.

Rather too many than too few. Beside o200k_base, the tokenizer of today's OpenAI models, the estimate is 0.9 to 1.6
times the truth for Hebrew, English and the tools' JSON; tests/unit/agent/test_tokens.py holds the samples. An older
tokenizer makes up to three times as many of Hebrew.
"""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Za-z \n]")
_REST_OF_ASCII = re.compile(r"[!-@\[-`{-~]")
_OTHER_LETTERS = re.compile(r"[^\W\d_A-Za-z]")

MESSAGE = 4
"""Of one item of a history, besides its text."""


def tokens(text: str) -> int:
    """An estimate, rounded up."""
    words, marks, letters = (len(p.findall(text)) for p in (_WORDS, _REST_OF_ASCII, _OTHER_LETTERS))
    other = len(text) - words - marks - letters
    return -int(-(words / 4 + marks / 2 + letters / 2 + other) // 1)
