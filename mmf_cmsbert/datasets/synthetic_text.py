"""English-like sentences of film reviews for the synthetic corpus, each with one opinion word."""

import re

from numpy.random import Generator

# Sentiment -> opinion words.
OPINIONS = {
    -1.2: ("terrible", "awful", "horrible", "dreadful"),
    -0.6: ("dull", "weak", "clumsy", "boring"),
    0.0: ("average", "usual", "ordinary", "standard"),
    0.6: ("nice", "decent", "pleasant", "solid"),
    1.2: ("amazing", "brilliant", "wonderful", "fantastic"),
}
_SLOTS = {
    "noun": "movie film plot story acting music ending script cast dialogue hero villain",
    "first": "first second last",
    "friend": "brother sister friend mother neighbor",
    "day": "friday saturday sunday yesterday",
}
_CORES = (
    "the {noun} was {opinion}",
    "i found the {noun} {opinion}",
    "this is a {opinion} {noun}",
    "they made a {opinion} {noun} out of it",
    "the {noun} felt {opinion} to me",
    "to me it had a {opinion} {noun}",
    "it is {opinion} because of the {noun}",
)
_OPENERS = (
    "",
    "um",
    "so",
    "well",
    "i mean",
    "you know",
    "like i said",
    "uh when i saw this on {day}",
    "my {friend} and i went on {day} and",
    "compared with the {first} one",
)
_TRAILERS = (
    "",
    "from start to end",
    "if you ask me",
    "and that is about it",
    "and my {friend} said the same thing",
    "which is what i told my {friend} on {day}",
    "just like in the {first} one",
    "so that is what i think about the {noun}",
)
_SHORTEST = 5


def write_sentence(rng: Generator) -> tuple[list[str], int, float]:
    """Generate a sentence of 5 to 25 lower-case words without punctuation.

    Returns:
        The words, the index of the opinion word, and its sentiment.
    """
    value = float(rng.choice(list(OPINIONS)))
    opinion = str(rng.choice(OPINIONS[value]))
    parts = [str(rng.choice(choices)) for choices in (_OPENERS, _CORES, _TRAILERS)]
    words = [_fill(word, rng) for word in " ".join(parts).split()]
    while len(words) < _SHORTEST:
        words.insert(0, "and")
    at = words.index("{opinion}")
    words[at] = opinion
    return words, at, value


def vocabulary() -> list[str]:
    """Return all words that sentences can contain, sorted."""
    templates = " ".join((*_CORES, *_OPENERS, *_TRAILERS))
    fillers = " ".join((*_SLOTS.values(), *(" ".join(words) for words in OPINIONS.values())))
    return sorted({"and", *re.sub(r"\{\w+\}", " ", templates).split(), *fillers.split()})


def _fill(word: str, rng: Generator) -> str:
    slot = word.strip("{}")
    return str(rng.choice(_SLOTS[slot].split())) if slot in _SLOTS and slot != word else word
