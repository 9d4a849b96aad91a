"""Days, times and prices as they are said to a customer, in Hebrew and in English.

A date is always said with its weekday, so that a misunderstanding is heard at once.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from functions.shared import apology
from functions.shared.profile import Language

language_of = apology.language_of

_MONTHS: dict[Language, tuple[str, ...]] = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    "he": (
        "ינואר", "פברואר", "מרץ", "אפריל", "מאי", "יוני", "יולי", "אוגוסט", "ספטמבר", "אוקטובר", "נובמבר", "דצמבר",
    ),
}  # fmt: skip
_WEEKDAYS: dict[Language, tuple[str, ...]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "he": ("יום שני", "יום שלישי", "יום רביעי", "יום חמישי", "יום שישי", "שבת", "יום ראשון"),
}
_SIGNS = {"ILS": "₪", "USD": "$", "EUR": "€", "GBP": "£"}
_MINOR_DIGITS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "JOD": 3}
_SAID_DATE = re.compile(rf"(\d{{1,2}}) ב?({'|'.join((*_MONTHS['en'], *_MONTHS['he']))}) (\d{{4}})")
_SAID_TIME = re.compile(_SAID_DATE.pattern + r"(?: at |, בשעה )(?P<time>\d\d:\d\d)")


def weekday(day: date, language: Language) -> str:
    return _WEEKDAYS[language][day.weekday()]


def spoken_day(day: date, language: Language) -> str:
    """`Tuesday, 24 November 2026` or `יום שלישי, 24 בנובמבר 2026`."""
    month = _MONTHS[language][day.month - 1]
    prefix = "ב" if language == "he" else ""
    return f"{weekday(day, language)}, {day.day} {prefix}{month} {day.year}"


def spoken_time(moment: datetime, language: Language) -> str:
    """`Tuesday, 24 November 2026 at 10:00` or `יום שלישי, 24 בנובמבר 2026, בשעה 10:00`; `moment` is local."""
    at = ", בשעה " if language == "he" else " at "
    return f"{spoken_day(moment.date(), language)}{at}{moment:%H:%M}"


def said_days(text: str) -> list[date]:
    """The days in a text that `spoken_day` wrote, in order."""
    found = []
    for match in _SAID_DATE.finditer(text):
        names = _MONTHS["he"] if match[2] in _MONTHS["he"] else _MONTHS["en"]
        found.append(date(int(match[3]), names.index(match[2]) + 1, int(match[1])))
    return found


def said_times(text: str) -> list[datetime]:
    """The moments in a text that `spoken_time` wrote, in order; local, so without a time zone."""
    return [
        datetime.combine(said_days(match[0])[0], datetime.strptime(match["time"], "%H:%M").time())  # noqa: DTZ007
        for match in _SAID_TIME.finditer(text)
    ]


def price(minor: int, currency: str) -> str:
    """`₪80`, `$12.50`: `minor` counts the currency's smallest unit."""
    digits = _MINOR_DIGITS.get(currency, 2)
    whole, rest = divmod(minor, 10**digits)
    number = f"{whole:,}" + (f".{rest:0{digits}d}" if rest else "")
    sign = _SIGNS.get(currency)
    return f"{sign}{number}" if sign else f"{number} {currency}"
