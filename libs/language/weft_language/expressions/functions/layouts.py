"""Times as text, by a layout of strftime's directives (`%d.%m.%Y`) or of Unicode's letters (`dd.MM.yyyy`). All names are English.

Sources: POSIX strftime; Unicode Technical Standard 35, date field symbols.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from weft_language.expressions.errors import VALUE, ExpressionError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIRECTIVE: Final = re.compile("%(.?)", re.DOTALL)
_LETTERS: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*", re.DOTALL)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DIRECTIVES: Final[dict[str, Callable[[datetime], str]]] = {
    "%": lambda t: "%",
    "Y": lambda t: f"{t.year:04}",
    "y": lambda t: f"{t.year % 100:02}",
    "m": lambda t: f"{t.month:02}",
    "d": lambda t: f"{t.day:02}",
    "e": lambda t: f"{t.day:2}",
    "H": lambda t: f"{t.hour:02}",
    "I": lambda t: f"{(t.hour + 11) % 12 + 1:02}",
    "M": lambda t: f"{t.minute:02}",
    "S": lambda t: f"{t.second:02}",
    "f": lambda t: f"{t.microsecond:06}",
    "p": lambda t: "AM" if t.hour < 12 else "PM",  # noon
    "j": lambda t: f"{t.timetuple().tm_yday:03}",
    "A": lambda t: _DAYS[t.weekday()],
    "a": lambda t: _DAYS[t.weekday()][:3],
    "B": lambda t: _MONTHS[t.month - 1],
    "b": lambda t: _MONTHS[t.month - 1][:3],
    "u": lambda t: str(t.isoweekday()),
    "V": lambda t: f"{t.isocalendar().week:02}",
    "G": lambda t: f"{t.isocalendar().year:04}",
    "F": lambda t: f"{t.year:04}-{t.month:02}-{t.day:02}",
    "T": lambda t: f"{t.hour:02}:{t.minute:02}:{t.second:02}",
    "s": lambda t: str((t - _EPOCH) // timedelta(seconds=1)),
    "z": lambda t: f"{t:%z}"[:5],
    "Z": lambda t: t.tzname() or "",
}


def written(shown: datetime, layout: str) -> str:
    """A time as text, whatever the machine's locale.

    shown: in the zone whose clock is written.  layout: of directives where it holds a `%`, else of letters.
    Raises: ExpressionError for a directive or letter that is not known.
    """
    return _by_directives(shown, layout) if "%" in layout else _by_letters(shown, layout)


def _by_directives(shown: datetime, layout: str) -> str:
    def directive(found: re.Match[str]) -> str:
        write = _DIRECTIVES.get(found[1])
        if write is None:
            known = " ".join(f"%{letter}" for letter in _DIRECTIVES)
            raise ExpressionError(VALUE, f"format knows no %{found[1]}; it knows {known}")
        return write(shown)

    return _DIRECTIVE.sub(directive, layout)


def _by_letters(shown: datetime, layout: str) -> str:
    def field(found: re.Match[str]) -> str:
        quoted, letter = found[1], found[2]
        if letter is None:
            return quoted.replace("''", "'") or "'"
        write = _FIELDS.get(letter)
        if write is None:
            raise ExpressionError(VALUE, f"format knows no {found[0]}; it knows {' '.join(_FIELDS)}, other words stand between 'quotes'")
        return write(shown, len(found[0]))

    return _LETTERS.sub(field, layout)


def _number(part: Callable[[datetime], int]) -> Callable[[datetime, int], str]:
    return lambda t, width: f"{part(t):0{min(width, 2)}}"


def _year(t: datetime, width: int) -> str:
    return f"{t.year % 100:02}" if width == 2 else f"{t.year:04}"  # two letters, two digits


def _month(t: datetime, width: int) -> str:
    if width <= 2:  # a number up to two letters, then its name, cut to three and whole
        return f"{t.month:0{width}}"
    return _MONTHS[t.month - 1][:3] if width == 3 else _MONTHS[t.month - 1]


def _day_name(t: datetime, width: int) -> str:
    return _DAYS[t.weekday()][:3] if width <= 3 else _DAYS[t.weekday()]


def _fraction(t: datetime, width: int) -> str:
    return f"{t.microsecond:06}".ljust(width, "0")[:width]


def _offset(t: datetime, width: int) -> str:
    text = f"{t:%z}"[:5]
    return text if width in (1, 2) else f"{text[:3]}:{text[3:]}"


def _offset_or_z(t: datetime, width: int) -> str:
    return _offset(t, width) if t.utcoffset() else "Z"


_FIELDS: Final[dict[str, Callable[[datetime, int], str]]] = {
    "y": _year,
    "M": _month,
    "d": _number(lambda t: t.day),
    "E": _day_name,
    "H": _number(lambda t: t.hour),
    "h": _number(lambda t: (t.hour + 11) % 12 + 1),
    "m": _number(lambda t: t.minute),
    "s": _number(lambda t: t.second),
    "S": _fraction,
    "a": lambda t, width: "AM" if t.hour < 12 else "PM",  # noon
    "X": _offset_or_z,
    "x": _offset,
    "Z": lambda t, width: _offset(t, 1),
    "z": lambda t, width: t.tzname() or "",
    # As the layouts of many libraries have them, where Unicode means the year of the week and the day of the year.
    "Y": _year,
    "D": _number(lambda t: t.day),
    "T": lambda t, width: "T" * width,
}
"""What each letter writes, by how often it stands in a row."""
