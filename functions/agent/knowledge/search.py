"""Search over what a business wants known: BM25 over the forms of `terms.py`. ADR 15 says why no library does it."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from dataclasses import dataclass

from functions.agent.knowledge.terms import Forms, forms, words
from functions.shared.contracts import TenantId
from functions.shared.profile import BusinessProfile
from functions.shared.profile_parts import Entry

MOST = 3
"""Entries that one search returns."""
ENOUGH = 0.3
"""Of what a question's telling words weigh together: an entry that meets less of it answers something else."""
NEAR_BEST = 0.5
"""Entries below this share of the best one's score are left out."""
_K1, _B, _TITLE = 1.2, 0.5, 2
_CACHED = 64
"""Businesses whose index a process keeps."""


@dataclass(frozen=True, slots=True)
class Found:
    """An entry, and how well it fits: BM25 with the share of the question that it met."""

    entry: Entry
    score: float


class Index:
    """The entries of one version of a profile. A title counts twice: it says what the entry is about."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self._counts: list[Counter[str]] = []
        self._lengths: list[int] = []
        for entry in entries:
            told = [*(" ".join(entry.title.values()).split() * _TITLE), *entry.text.values()]
            said = words(" ".join(told))
            self._lengths.append(len(said))
            counted: Counter[str] = Counter()
            for word in said:
                counted.update(dict.fromkeys(forms(word), 1))
            self._counts.append(counted)
        self._in_entries = Counter(form for counted in self._counts for form in counted)
        self._mean = sum(self._lengths) / len(self._lengths) if self._lengths else 1.0

    def search(self, question: str) -> list[Found]:
        """The entries that may answer `question`, the best first; none if nothing fits."""
        asked = [forms(word) for word in dict.fromkeys(words(question))]
        weight = sum(max(self._rarity(form) for form in one) for one in asked)
        found = []
        for number, entry in enumerate(self.entries):
            met = [self._best(number, one) for one in asked]
            share = sum(rarity for rarity, _ in met) / weight if weight else 0.0
            if share >= ENOUGH:
                found.append(Found(entry, share * sum(score for _, score in met)))
        found.sort(key=lambda one: -one.score)
        return [one for one in found[:MOST] if one.score >= found[0].score * NEAR_BEST]

    def _best(self, number: int, asked: Forms) -> tuple[float, float]:
        """What the best common form of a word and an entry weighs, and its BM25 score."""
        counted, length = self._counts[number], self._lengths[number]
        best = (0.0, 0.0)
        for form, worth in asked.items():
            if count := counted[form]:
                rarity = self._rarity(form) * worth
                norm = _K1 * (1 - _B + _B * length / self._mean)
                best = max(best, (rarity, rarity * count * (_K1 + 1) / (count + norm)))
        return best

    def _rarity(self, form: str) -> float:
        inside = self._in_entries[form]
        return math.log(1 + (len(self.entries) - inside + 0.5) / (inside + 0.5))


_indexes: OrderedDict[TenantId, Index] = OrderedDict()


def search(profile: BusinessProfile, question: str) -> list[Found]:
    """As `Index.search`, over knowledge and policies of this version of the profile; its index is kept until then."""
    index, entries = _indexes.get(profile.tenant_id), (*profile.knowledge, *profile.policies)
    if index is None or index.entries != entries:
        index = _indexes[profile.tenant_id] = Index(entries)
    _indexes.move_to_end(profile.tenant_id)
    while len(_indexes) > _CACHED:
        _indexes.popitem(last=False)
    return index.search(question)
