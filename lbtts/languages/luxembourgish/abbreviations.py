"""How things that are written short are said: abbreviations, units, letters, months."""

# ruff: noqa: SIM905  (lists of words and sounds are read more easily as text)

ABBREVIATIONS = {
    "z.B.": "zum Beispill", "z. B.": "zum Beispill", "d.h.": "dat heescht", "d. h.": "dat heescht",
    "ca.": "zirka", "Nr.": "Nummer", "nr.": "Nummer", "N°": "Nummer", "Jh.": "Joerhonnert",
    "v. Chr.": "viru Christus", "v.Chr.": "viru Christus", "n. Chr.": "no Christus",
    "n.Chr.": "no Christus", "asw.": "an sou weider", "usw.": "an sou weider",
    "a.s.w.": "an sou weider", "etc.": "et cetera", "bzw.": "beziehungsweis",
    "resp.": "respektiv", "evtl.": "eventuell", "event.": "eventuell", "Dr.": "Dokter",
    "Prof.": "Professer", "St.": "Saint", "St@": "Saint", "Ste.": "Sainte",
    "Mio.": "Milliounen", "Mio": "Milliounen", "Mrd.": "Milliarden", "Mrd": "Milliarden",
    "Tsd.": "dausend", "Bd.": "Band", "Abb.": "Abbildung",
    "Tel.": "Telefon", "tel.": "Telefon", "Art.": "Artikel", "Abs.": "Absatz", "Kap.": "Kapitel",
    "u.a.": "ënner anerem", "u. a.": "ënner anerem", "p.ex.": "par exemple", "vgl.": "vergläich",
    "w.e.g.": "wann ech gelift", "m.a.w.": "mat anere Wierder",
    "inkl.": "inklusiv", "max.": "maximal", "min.": "minimal", "russ.": "russesch",
    "gr.": "griichesch", "lat.": "laténgesch", "fr.": "franséisch", "engl.": "englesch",
    "dt.": "däitsch", "lëtz.": "lëtzebuergesch", "ital.": "italieenesch", "Gr.": "Grupp",
    "Sek.": "Sektioun", "Mme": "Madame", "Mlle": "Mademoiselle", "Hr.": "Här", "Jr.": "Junior",
    "www": "Wee Wee Wee", "Dr": "Dokter", "Dr. med.": "Dokter", "n.V.": "no Verlängerung",
    **dict.fromkeys(("S.à r.l.", "S.à.r.l.", "s.à r.l.", "s.à.r.l.", "S.àr.l."), "Äss A Är Äll"),
    **dict.fromkeys(("a.s.b.l.", "A.s.b.l.", "A.S.B.L."), "A Äss Bee Äll"),
    **dict.fromkeys(("S.A.", "s.a."), "Äss A"),
    **dict.fromkeys(("S.e.n.c.", "s.e.n.c."), "Äss E Änn Zee"),
    **dict.fromkeys(("dr.", "DR."), "Dokter"), **dict.fromkeys(("prof.", "PROF."), "Professer"),
    **dict.fromkeys(("z.b.", "Z.B."), "zum Beispill"), "D.H.": "dat heescht",
    **dict.fromkeys(("mme", "MME"), "Madame"), **dict.fromkeys(("mlle", "MLLE"), "Mademoiselle"),
    "USW.": "an sou weider", "ASW.": "an sou weider", "BZW.": "beziehungsweis", "CA.": "zirka",
    "NR.": "Nummer", "ETC.": "et cetera", "jh.": "Joerhonnert", "MIO.": "Milliounen",
    "MRD.": "Milliarden", "mio.": "Milliounen", "mrd.": "Milliarden", "hr.": "Här",
}  # fmt: skip

BEFORE_NUMBERS = {
    "S.": "Säit", "p.": "Säit", "Pos.": "Positioun", "Fig.": "Figur", "Nr": "Nummer",
    "No.": "Nummer",
}  # fmt: skip

UNITS = {  # after a number; one form, or (one, many)
    "mm": "Millimeter", "cm": "Zentimeter", "dm": "Dezimeter", "m": "Meter", "km": "Kilometer",
    "mm²": "Quadratmillimeter", "cm²": "Quadratzentimeter", "m²": "Quadratmeter",
    "km²": "Quadratkilometer", "cm³": "Kubikzentimeter", "m³": "Kubikmeter",
    "m2": "Quadratmeter", "km2": "Quadratkilometer", "m3": "Kubikmeter",
    "km/h": "Stonnekilometer", "m/s": "Meter an der Sekonn",
    "mg": "Milligramm", "g": "Gramm", "kg": "Kilogramm", "t": ("Tonn", "Tonnen"),
    "ml": "Milliliter", "cl": "Zentiliter", "dl": "Deziliter", "l": "Liter", "hl": "Hektoliter",
    "ha": "Hektar", "h": ("Stonn", "Stonnen"), "min": ("Minutt", "Minutten"),
    "sec": ("Sekonn", "Sekonnen"), "sek": ("Sekonn", "Sekonnen"), "s": ("Sekonn", "Sekonnen"),
    "Min.": ("Minutt", "Minutten"), "Sek.": ("Sekonn", "Sekonnen"), "Std.": ("Stonn", "Stonnen"),
    "ms": ("Millisekonn", "Millisekonnen"), "V": "Volt", "W": "Watt", "kW": "Kilowatt",
    "MW": "Megawatt", "GW": "Gigawatt", "kWh": ("Kilowattstonn", "Kilowattstonnen"),
    "Hz": "Hertz", "kHz": "Kilohertz", "MHz": "Megahertz", "GHz": "Gigahertz",
    "kB": "Kilobyte", "MB": "Megabyte", "GB": "Gigabyte", "TB": "Terabyte", "hPa": "Hektopascal",
    "°C": "Grad Celsius", "° C": "Grad Celsius",
    "°F": "Grad Fahrenheit", "°": "Grad", "%": "Prozent", "‰": "Promill",
    "kcal": ("Kilokalorie", "Kilokalorien"), "dB": "Dezibel", "PS": "Päerdsstäerkten",
    "Mio.": ("Millioun", "Milliounen"), "Mio": ("Millioun", "Milliounen"),
    "Mrd.": ("Milliard", "Milliarden"), "Mrd": ("Milliard", "Milliarden"),
    "g/km": "Gramm pro Kilometer", "km/l": "Kilometer pro Liter", "mAh": "Milliamperestonnen",
    "Wh": ("Wattstonn", "Wattstonnen"),
    "MWh": ("Megawattstonn", "Megawattstonnen"), "GWh": ("Gigawattstonn", "Gigawattstonnen"),
    "dm³": "Kubikdezimeter", "mm³": "Kubikmillimeter", "kJ": "Kilojoule",
    "mbar": "Millibar", "bar": "Bar", "Mbit/s": "Megabit an der Sekonn",
    "m/min": "Meter an der Minutt", "l/min": "Liter an der Minutt", "ct": "Cent",
}  # fmt: skip

CURRENCIES = {
    "€": "EUR", "EUR": "EUR", "$": "USD", "USD": "USD", "£": "GBP", "GBP": "GBP", "CHF": "CHF",
    "¥": "JPY", "JPY": "JPY",
}  # fmt: skip

SYMBOLS = {
    "%": "Prozent", "‰": "Promill", "°": "Grad", "€": "Euro", "$": "Dollar", "£": "Pond",
    "¥": "Yen", "&": "an", "+": "plus", "=": "gläich", "×": "mol", "÷": "gedeelt duerch",
    "±": "plus minus", "§": "Paragraf", "@": "at", "²": "Quadrat", "³": "Kubik",
    "→": "op",
}  # fmt: skip

LETTER_NAMES = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "A Bee Zee Dee E Äff Gee Ha I Jott Ka Äll Ämm Änn O Pee Ku Är Äss Tee U Vee Wee Ix "
        "Ypsilon Zett".split(),
        strict=True,
    )
) | {"Ä": "Ä", "É": "E", "Ë": "E", "Ö": "Ö", "Ü": "Ü"}
ACRONYMS = {"CSV": "Zee Äss Vau", "UNO": "Uno", "UNICEF": "Unicef"}  # said otherwise than by rule
SPELLED = frozenset(  # by their letters' names in lower case too; none of them is a word
    "adn adr asbl bgl cd cfl cgdis cns csv dj dna dp dvd eu gps hiv html lcgb lsap mp mri nba ogbl "
    "pc pdf pdg rtl sms snca snj tgv tv usa usb vip wc www".split()
)
SENTENCE_OPENERS = (  # after "Vitamin C." these begin a sentence, other words go on with a name
    "D De Den Dee Deen Déi Dat Dës Dëse Dësen Et Ech Du Hien Hatt Si Mir Dir Dofir Dono Duerno "
    "Do Dann Een Eng En E Ee Kee Keen Keng Säi Säin Seng An A Am Als Um Op Mat Vun Vum Bei Beim "
    "No Nom Fir Well Wann Wéi Wat Wou Wien Awer Och Esou Elo Haut Hei Haaptsaach All Ass Fréier"
).split()
NUMBERED = frozenset(  # after these a Roman numeral is a number, not a ruler's
    "kapitel chapitre band deel phas typ klass grupp niveau stuf tableau akt szen nummer artikel "
    "annexe sektioun section tome volume ligue liga".split()
)
FEMININE_NAMES = frozenset(
    "elizabeth elisabeth margrethe beatrix anne marie katharina catherine charlotte".split()
)
RULER_NAMES = frozenset(  # a single Roman numeral after them is a number at a sentence's end too
    "louis guillaume wilhelm philippe philipp karel charles karl henri heinrich jean jang johannes "
    "jean-paul paul pius leo benedikt napoleon friedrich franz albert leopold baudouin felipe "
    "carlos elizabeth elisabeth margrethe edward george gustav ludwig otto josef joseph".split()
)
RULERS = frozenset("groussherzog kinnek keeser poopst herzog fürst grof zar groussherzogin".split())
MASCULINE_MEASURES = frozenset("liter meter kilometer kilo dag mount euro apel kilogramm".split())
FRACTIONS = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
    "⅞": (7, 8),
}  # fmt: skip

MONTHS = (
    "Januar Februar Mäerz Abrëll Mee Juni Juli August September Oktober November Dezember".split()
)
