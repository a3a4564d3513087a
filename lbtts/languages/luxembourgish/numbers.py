"""Luxembourgish number words, and their converter `lb` for num2words.

Source: num2words calls `CONVERTER_CLASSES[lang]`, whose base class is `Num2Word_Base`; the words
are those of the Lëtzebuerger Online Dictionnaire.
"""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

from decimal import Decimal
from typing import Literal

from num2words import CONVERTER_CLASSES
from num2words.base import Num2Word_Base

Gender = Literal["m", "f", "n"]

_BELOW_20 = (
    "null een zwee dräi véier fënnef sechs siwen aacht néng zéng eelef zwielef dräizéng véierzéng "
    "fofzéng siechzéng siwwenzéng uechtzéng nonzéng"
).split()
_TENS = "zwanzeg drësseg véierzeg fofzeg sechzeg siwwenzeg achtzeg nonzeg".split()
_SCALES = ((10**9, "Milliard", "Milliarden"), (10**6, "Millioun", "Milliounen"))
_ORDINALS = {1: "éischt", 2: "zweet", 3: "drëtt", 6: "sechst", 7: "siwent", 8: "aacht"}
_N_STAYS_BEFORE = frozenset("aeiouyäëéèêöüâàîôûœndtzh")

# The parts of number words, with the links between them
PARTS = frozenset({*_BELOW_20, *_TENS, "honnert", "dausend", "eent", "siwe", "an", "a"})

LIMIT = 10**12  # above it nobody reads a number out as one


def keeps_n(following: str) -> bool:
    """Whether a final n is spoken before `following`: the Eifeler Regel.

    Source: zentrum fir d'lëtzebuerger sprooch, "D'Lëtzebuerger Orthografie": n stays before
    vowels, n, d, t, z and h, and at the end of what is said.
    """
    return not following or following[0].lower() in _N_STAYS_BEFORE


def drop_n(word: str) -> str:
    """`word` without its final n or nn."""
    return word.rstrip("n")


def _linked(unit: str, ten: str) -> str:
    return unit + ("an" if keeps_n(ten) else "a") + ten


def _below_1000(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    words = (_BELOW_20[hundreds] if hundreds > 1 else "") + "honnert" if hundreds else ""
    if rest == 1 and hundreds:
        return words + "eent"
    if rest < 20:
        return words + _BELOW_20[rest] if rest or not hundreds else words
    tens, unit = divmod(rest, 10)
    ten = _TENS[tens - 2]
    return words + (_linked(_BELOW_20[unit], ten) if unit else ten)


def _below_million(value: int) -> str:
    thousands, rest = divmod(value, 1000)
    if not thousands:
        return _below_1000(rest)
    head = _inside(_below_1000(thousands)) if thousands > 1 else ""
    return head + "dausend" + (("eent" if rest == 1 else _below_1000(rest)) if rest else "")


def _inside(words: str) -> str:
    """Number words in the form they take inside a larger number: een, not eent."""
    return words.removesuffix("t") if words.endswith("eent") else words


class Num2WordLB(Num2Word_Base):
    """The Luxembourgish converter of num2words.

    Final n follow the Eifeler Regel inside what it returns; the last word is in the form it has
    before a pause.
    """

    CURRENCY_FORMS = {  # noqa: RUF012  (num2words reads it as a class attribute)
        "EUR": (("Euro", "Euro"), ("Cent", "Cent")),
        "USD": (("Dollar", "Dollar"), ("Cent", "Cent")),
        "GBP": (("Pond", "Pond"), ("Penny", "Pence")),
        "CHF": (("Frang", "Frang"), ("Rappen", "Rappen")),
        "JPY": (("Yen", "Yen"), ("Sen", "Sen")),
    }

    def setup(self) -> None:
        """Sets the words for signs."""
        self.negword = "minus"
        self.pointword = "Komma"
        self.MAXVAL = LIMIT

    def to_cardinal(self, value: int, gender: Gender | None = None) -> str:
        """The cardinal: counting form ("eent"), or with a gender the form before a noun ("een")."""
        if value != int(value):
            return self.to_cardinal_float(value)
        value = int(value)
        if abs(value) >= LIMIT:
            raise OverflowError(f"abs({value}) must be less than {LIMIT}")
        if value < 0:
            return f"{self.negword} {self.to_cardinal(-value, gender)}"
        words = []
        rest = value
        for scale, one, many in _SCALES:
            count, rest = divmod(rest, scale)
            if count:
                words.append(self.to_cardinal(count, "f"))
                words.append(one if count == 1 else many)
        if rest or not words:
            words.append(self._last(rest, gender) if not words else _below_million(rest))
        for i, word in enumerate(words[:-1]):
            if word.endswith("en") and word != "een" and not keeps_n(words[i + 1]):
                words[i] = drop_n(word)
        return " ".join(words)

    @staticmethod
    def _last(value: int, gender: Gender | None) -> str:
        if value == 1:
            return {None: "eent", "m": "een", "n": "een", "f": "eng"}[gender]
        if value == 2 and gender == "f":
            return "zwou"
        return _below_million(value)

    def to_cardinal_float(self, value: float | Decimal) -> str:
        """The decimal number: up to two decimals as one number, more digit by digit."""
        whole, _, decimals = format(Decimal(str(value)), "f").partition(".")
        sign, whole = (f"{self.negword} ", whole[1:]) if whole[0] == "-" else ("", whole)
        if not decimals.strip("0"):
            decimals = decimals[:1]
        zeros = len(decimals) - len(decimals.lstrip("0"))
        as_number = len(decimals) - zeros <= 2
        tail = [decimals[zeros:]] if as_number and decimals[zeros:] else list(decimals[zeros:])
        read = ["null"] * zeros + [self.to_cardinal(int(digits)) for digits in tail]
        return " ".join([sign + self.to_cardinal(int(whole)), self.pointword, *read])

    def to_ordinal(self, value: int) -> str:
        """The ordinal's stem, to which -en, -er or nothing is added: "éischt", "zwanzegst"."""
        self.verify_ordinal(value)
        value = int(value)
        head, rest = divmod(value, 100)
        if value in _ORDINALS:
            return _ORDINALS[value]
        if head and 0 < rest < 20:
            return _inside(_below_million(value - rest)) + self.to_ordinal(rest)
        return self.to_cardinal(value).replace(" ", "") + ("t" if 0 < rest < 20 else "st")

    def to_ordinal_num(self, value: int) -> str:
        """The ordinal in digits."""
        self.verify_ordinal(value)
        return f"{value}."

    def to_year(self, value: int) -> str:
        """The year: from 1100 to 1999 in hundreds."""
        hundreds, rest = divmod(value, 100)
        if not 11 <= hundreds <= 19:
            return self.to_cardinal(value)
        return _below_1000(hundreds) + _below_1000(100 + rest)

    def to_currency(
        self, value: float | Decimal, currency: str = "EUR", cents: bool = True, **_: object
    ) -> str:
        """The sum of money: "zwee Euro a fofzeg Cent"; cents alone when there are no units."""
        if currency not in self.CURRENCY_FORMS:
            raise NotImplementedError(f"currency {currency!r} has no Luxembourgish name here")
        (one, many), (one_cent, many_cents) = self.CURRENCY_FORMS[currency]
        units, fraction = divmod(int((Decimal(str(abs(value))) * 100).to_integral_value()), 100)
        parts = []
        if units or not (fraction and cents):
            parts += [*self.before_noun(units, one if units == 1 else many)]
        if fraction and cents:
            coins = self.before_noun(fraction, one_cent if fraction == 1 else many_cents)
            if parts:
                parts.append("an" if keeps_n(coins[0]) else "a")
            parts += coins
        return " ".join(([self.negword] if value < 0 else []) + parts)

    def before_noun(self, value: int, noun: str, gender: Gender = "m") -> list[str]:
        """The cardinal in the form it has before `noun`, then `noun`."""
        words = self.to_cardinal(value, gender).split()
        if words[-1].endswith("n") and not keeps_n(noun):
            words[-1] = drop_n(words[-1])
        return [*words, noun]


LB = CONVERTER_CLASSES["lb"] = Num2WordLB()


def cardinal(value: int, gender: Gender | None = None) -> str:
    """The cardinal of a number that is not negative; digit by digit from 10^12 on."""
    return LB.to_cardinal(value, gender) if value < LIMIT else digits(str(value))


def year(value: int) -> str:
    """The number read as a year."""
    return LB.to_year(value)


def ordinal(value: int) -> str:
    """The ordinal's stem, without its ending."""
    return LB.to_ordinal(value)


def fraction(parts: int, whole: int) -> list[str]:
    """`parts` of `whole` in words: en halleft, een Drëttel, dräi Véierel."""
    if whole == 2:
        return ["en", "halleft"] if parts == 1 else [*cardinal(parts).split(), "Hallef"]
    if (parts, whole) == (1, 4):
        return ["e", "Véierel"]
    noun = "Véierel" if whole == 4 else (ordinal(whole) + "el").capitalize()
    return LB.before_noun(parts, noun, "n")


def currency(value: Decimal, code: str) -> str:
    """The sum of money in words."""
    return LB.to_currency(value, code)


def decimal(whole: int, fraction: str) -> str:
    """The decimal number `whole`,`fraction` in words, trailing zeros and all."""
    return LB.to_cardinal_float(Decimal(f"{whole}.{fraction}"))


def digits(number: str) -> str:
    """The number digit by digit."""
    return " ".join(cardinal(int(digit)) for digit in number)
