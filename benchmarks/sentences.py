"""English sentences from a small grammar: any number of them, all different, the same each time."""

import numpy as np

_PEOPLE = """
teacher, doctor, farmer, neighbour, driver, sister, brother, grandmother, captain, baker,
lawyer, painter, student, nurse, gardener, soldier, singer, waiter, officer, plumber, mayor,
writer, cousin, judge, tailor, engineer, musician, shepherd, librarian, carpenter
"""
_THINGS = """
letter, bicycle, table, basket, window, camera, hammer, blanket, newspaper, umbrella, bottle,
mirror, jacket, suitcase, guitar, candle, picture, kettle, ladder, carpet, wallet, pencil,
telephone, machine, cushion, engine, garden chair, wooden box, glass bowl, silver spoon, leather
glove, paper bag, cheese, orange, sandwich, birthday cake, fishing boat, rocking chair, tool,
dictionary, question, story
"""
_PLACES = """
kitchen, station, library, market, harbour, church, museum, theatre, office, village, forest,
bridge, hospital, castle, airport, valley, island, factory, garden, school, river, mountain,
restaurant, cellar, playground, farm, hotel, square, beach, corner shop
"""
_QUALITIES = """
old, young, quiet, clever, tired, friendly, careful, nervous, famous, lonely, cheerful, patient,
strange, busy, happy, proud, lazy, polite, hungry, brave
"""
_LOOKS = """
heavy, broken, little, yellow, dirty, expensive, empty, useful, round, green, ancient, shiny,
purple, narrow, warm, enormous, plain, black, white, beautiful
"""
_ACTS = """
found, bought, carried, painted, repaired, forgot, borrowed, cleaned, noticed, wanted, dropped,
opened, measured, described, followed, collected, needed, moved, sold, watched, returned,
touched, packed, lost
"""
_WAYS = """
slowly, quickly, quietly, carefully, suddenly, happily, again, together, without a word, for the
first time, as usual, by mistake, with both hands, in a hurry, before breakfast, after lunch
"""
_TIMES = """
yesterday, last week, this morning, on Monday, on Thursday evening, every day, in the summer, at
midnight, two years ago, during the storm, in October, on Sunday afternoon, before the war, at
half past seven, a month later, all winter
"""
_MOTIONS = """
walked, drove, ran, travelled, went, hurried, climbed, returned, sailed, wandered
"""
_WEATHER = """
rain, snow, wind, thunder, fog, sunshine, heat, cold
"""
_NUMBERS = """
two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, fifteen, twenty, thirty, a
hundred
"""
_WORDS = {
    "person": _PEOPLE, "thing": _THINGS, "place": _PLACES, "kind": _QUALITIES, "look": _LOOKS,
    "act": _ACTS, "way": _WAYS, "time": _TIMES, "went": _MOTIONS, "weather": _WEATHER,
    "number": _NUMBERS,
}  # fmt: skip
_LISTS = {
    name: [" ".join(entry.split()) for entry in text.split(",")] for name, text in _WORDS.items()
}
_FRAMES = """
The {kind} {person} {act} the {look} {thing} {time}.
{Time}, the {person} {went} to the {place} {way}.
My {person} {act} a {look} {thing} near the {place}.
Where did the {person} put the {look} {thing}?
There was a {look} {thing} behind the {place}.
The {person} and the {person} {went} to the {place} {time}.
If the {weather} comes back, we will wait in the {place}.
Nobody in the {place} knew why the {person} {act} the {thing}.
She gave the {look} {thing} to the {kind} {person}.
It took the {person} {number} hours to get to the {place}.
Please do not leave the {thing} in the {place} {time}.
He said that the {thing} was too {look} for the {person}.
Because of the {weather}, the {place} was closed {time}.
Have you ever seen such a {look} {thing} in a {place}?
I {act} the {thing} {way}, and then I {went} to the {place}.
The {place} is full of {kind} people {time}.
We talked about the {weather}, the {place} and the {look} {thing}.
You should ask the {kind} {person} at the {place}.
The price of a {look} {thing} is {number} dollars.
They {act} the {thing}, but the {person} was still {kind}.
""".strip().splitlines()


def sentences(count: int, seed: int = 0) -> list[str]:
    """`count` different sentences of 7 to 14 words; a larger count starts with the same ones."""
    draw = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        frame = _FRAMES[draw.integers(len(_FRAMES))]
        found[_filled(frame, draw)] = None
    return list(found)


def _filled(frame: str, draw: np.random.Generator) -> str:
    filled = frame
    while (begin := filled.find("{")) >= 0:
        end = filled.index("}", begin)
        slot = filled[begin + 1 : end]
        words = _LISTS[slot.lower()]
        word = words[draw.integers(len(words))]
        word = word[0].upper() + word[1:] if slot[0].isupper() else word
        filled = filled[:begin] + word + filled[end + 1 :]
    return _with_article(filled)


def _with_article(sentence: str) -> str:
    words = sentence.split(" ")
    for number, word in enumerate(words[:-1]):
        if word in ("a", "A") and words[number + 1][0].lower() in "aeiou":
            words[number] = f"{word}n" if words[number + 1] != "useful" else word
    return " ".join(words)
