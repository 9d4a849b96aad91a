"""Links in a text, and which of them are the business's own. Pure."""

from __future__ import annotations

import re

from functions.shared.profile import BusinessProfile

_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]+|\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|il|me|ly|app|info|biz|gl|link|shop|site)\b(?:/\S*)?",
    re.IGNORECASE,
)
_ADDRESS = re.compile(rf"(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?![\w/:-]))|{_URL.pattern}", re.IGNORECASE)
_HOST = re.compile(r"^(?:https?://)?(?:www\.)?([^/:?#]+)", re.IGNORECASE)


def foreign_links(text: str, profile: BusinessProfile) -> list[str]:
    """Hosts of links that the profile does not name anywhere."""
    own = profile.model_dump_json().casefold().replace("www.", "")
    hosts = [match[1].casefold() for url in _URL.findall(text) if (match := _HOST.match(url))]
    return [host for host in hosts if not re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", own)]


def without_links(text: str) -> str:
    """`text` with every link only marked: a customer must not lead the owner anywhere. An e-mail address is no link."""
    return _ADDRESS.sub(lambda match: match["email"] or "[link]", text)
