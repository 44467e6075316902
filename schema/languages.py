"""Titles and labels in several languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, NamedTuple

import strawberry

from models import Language
from schema.described import described
from schema.inputs import NAME, TextInput
from services.rules.drafts import Translation, Translations

In = Annotated[
    Language | None,
    strawberry.argument(description="The language; without one, and where it is not given: the event's own words."),
]

TRANSLATED = "in other languages, each once. They take the place of all that were there."


class Wording(NamedTuple):
    """A title or label: the event's own, and what it is in each language that it is given in."""

    own: str
    translations: Mapping[Language, str]

    def told(self, language: Language | None) -> str:
        """The text in a language."""
        return self.translations.get(language, self.own) if language else self.own


@described
@strawberry.type
class LocalizedText:
    """A text in a language. It has no id."""

    language: Language = strawberry.field(description="The language.")
    text: str = strawberry.field(description="The text.")

    @classmethod
    def all_of(cls, translations: Mapping[Language, str]) -> list[LocalizedText]:
        """Convert, in the order of the languages."""
        return [cls(language=one, text=translations[one]) for one in Language if one in translations]


@described
@strawberry.input
class LocalizedTextInput(TextInput):
    """A text in a language."""

    language: Language = strawberry.field(description="The language.")
    text: str = strawberry.field(description=f"The text: {NAME}")


def translations_of(given: Iterable[LocalizedTextInput]) -> Translations:
    """Convert."""
    return Translations(tuple(Translation(one.language, one.text) for one in given))
