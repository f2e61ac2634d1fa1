"""How names and numbers are compared in a search: no case, no accents, single spaces."""

from __future__ import annotations

import unicodedata

#: Sorts after every key that begins with the same letters.
AFTER = "\U0010ffff"


def search_key(text: str) -> str:
    """What a search by the beginning of a name or number compares.

    >>> search_key("  Müller-Lüdenscheidt   ÅSA ")
    'muller-ludenscheidt asa'
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(kept.split())
