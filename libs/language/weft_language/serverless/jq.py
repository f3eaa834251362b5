"""From jq, in which Serverless Workflow writes its expressions, to CEL: the part of jq that reads, compares and builds values.

jq takes a path that is not there for null; where that makes a difference that CEL would call an error, `default(path, ...)` stands.
Source: jq 1.7 manual; Serverless Workflow DSL 1.0, "Runtime expressions".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from weft_language.serverless.jq_tokens import QUOTE, Tokens
from weft_language.serverless.terms import NotTranslated, Term, View, is_plain, known, member, path, quoted

MAX_LENGTH: Final = 4096
MAX_DEPTH: Final = 40
_EMPTY: Final = {"list": "[]", "text": "''", "number": "0"}
_COMPARING: Final = ("==", "!=", "<", "<=", ">", ">=")
_METHODS: Final = {"startswith": "startsWith", "endswith": "endsWith", "contains": "contains", "join": "join", "split": "split"}
_SIMPLE: Final = {"ascii_downcase": ".lowerAscii()", "ascii_upcase": ".upperAscii()", "reverse": ".reverse()"}
_WRAPPED: Final = {"tostring": "text", "tojson": "text", "tonumber": "double", "fromjson": "json", "add": "sum"}


def to_cel(text: str, view: View) -> str:
    """The CEL that means what a jq expression does. Raises: NotTranslated."""
    if len(text) > MAX_LENGTH:
        raise NotTranslated(f"it is longer than {MAX_LENGTH} characters")
    reader = _Reader(text, view)
    try:
        found = reader.pipe(path(view.dot))
    except RecursionError:
        raise NotTranslated("it is nested too deep") from None
    if reader.look() is not None:
        raise NotTranslated(f"{reader.look()!r} is not expected here")
    return _bounded(found).text


def _bounded(term: Term) -> Term:
    if len(term.text) > MAX_LENGTH:
        raise NotTranslated(f"what it becomes is longer than {MAX_LENGTH} characters")
    return term


class _Reader(Tokens):
    """A reader of jq by recursive descent; each method takes what `.` is there."""

    def __init__(self, text: str, view: View) -> None:
        super().__init__(text)
        self.view, self.depth = view, 0

    def pipe(self, dot: Term) -> Term:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotTranslated(f"it is nested over {MAX_DEPTH} levels")
        found = self.otherwise(dot)
        while self.taken("|"):
            # What is before stands wherever what follows says `.`: without a bound it doubles at each bar.
            found = self.otherwise(_bounded(found))
        self.depth -= 1
        return found

    def otherwise(self, dot: Term) -> Term:
        found = self.either(dot)
        if not self.taken("//"):
            return found
        other = self.otherwise(dot)
        return Term(f"{found.otherwise('null')} != null ? {found.inner} : {other.inner}", whole=False)

    def either(self, dot: Term) -> Term:
        parts = [self.both(dot)]
        while self.taken("or"):
            parts.append(self.both(dot))
        return parts[0] if len(parts) == 1 else Term(" || ".join(part.otherwise("false") for part in parts), whole=False)

    def both(self, dot: Term) -> Term:
        parts = [self.compared(dot)]
        while self.taken("and"):
            parts.append(self.compared(dot))
        return parts[0] if len(parts) == 1 else Term(" && ".join(part.otherwise("false") for part in parts), whole=False)

    def compared(self, dot: Term) -> Term:
        left = self.added(dot)
        sign = self.taken(*_COMPARING)
        if sign is None:
            return left
        right = self.added(dot)
        if sign in ("==", "!="):
            return Term(f"{left.otherwise('null')} {sign} {right.otherwise('null')}", whole=False)
        return Term(f"{left.inner} {sign} {right.inner}", whole=False)

    def added(self, dot: Term) -> Term:
        left = self.multiplied(dot)
        while sign := self.taken("+", "-"):
            right = self.multiplied(dot)
            if "map" in (left.kind, right.kind):
                raise NotTranslated("objects are not merged by an operator")
            kind = next((term.kind for term in (left, right) if term.kind in _EMPTY), "other")
            texts = [term.otherwise(_EMPTY[kind]) if kind in _EMPTY else term.inner for term in (left, right)]
            left = Term(f" {sign} ".join(texts), kind, whole=False)
        return left

    def multiplied(self, dot: Term) -> Term:
        left = self.postfix(dot)
        while sign := self.taken("*", "/", "%"):
            right = self.postfix(dot)
            # jq divides to fractions, CEL divides integers to integers.
            left = Term(f"{'1.0 * ' if sign == '/' else ''}{left.inner} {sign} {right.inner}", "number", whole=False)
        return left

    def postfix(self, dot: Term) -> Term:
        found = self.primary(dot)
        while sign := self.look():
            if sign == ".":
                self.take()
                found = self.member(found)
            elif sign == "[":
                found = self.index(found, dot)
            elif sign == "?":
                self.take()
                found = Term(found.otherwise("null"))
            else:
                break
        return found

    def member(self, of: Term) -> Term:
        sign = self.look()
        if sign == "[":
            return of
        name = self.string_only() if sign == QUOTE else self.take()
        if sign != QUOTE and not is_plain(name):
            raise NotTranslated(f"{name!r} is no name of a member")
        if of.fields is not None:
            if name not in of.fields:
                raise NotTranslated(f"{of.text}.{name} is not known here")
            return known(of.fields[name], f"{of.text}.{name}")
        return replace(of, text=member(of.inner, name), whole=True, kind="path" if of.kind == "path" else "other")

    def index(self, of: Term, dot: Term) -> Term:
        self.take("[")
        if self.look() == "]":
            raise NotTranslated("`[]`, which gives several values, has no equal; use map(...)")
        key = self.pipe(dot)
        self.take("]")
        if key.text.startswith("-"):
            raise NotTranslated("places counted from the end have no equal")
        if of.fields is not None:
            raise NotTranslated(f"{of.text} is not read by places")
        return replace(of, text=f"{of.inner}[{key.text}]", whole=True, kind="path" if of.kind == "path" else "other")

    def primary(self, dot: Term) -> Term:
        sign = self.take()
        if sign == ".":
            following = self.text[self.place : self.place + 1]
            return self.member(dot) if following == QUOTE or is_plain(following) else dot
        if sign.startswith("$") and len(sign) > 1:
            if sign[1:] not in self.view.variables:
                raise NotTranslated(f"{sign} is not known here")
            return known(self.view.variables[sign[1:]], sign)
        if sign == QUOTE:
            return self.string(dot)
        if sign[0].isdigit():
            return Term(sign, "number")
        if sign == "-":
            return Term(f"-{self.postfix(dot).inner}", "number", whole=False)
        if sign == "(":
            found = self.pipe(dot)
            self.take(")")
            return found
        if sign == "[":
            return self.list_of(dot)
        if sign == "{":
            return self.map_of(dot)
        if is_plain(sign):
            return self.named(sign, dot)
        raise NotTranslated(f"{sign!r} has no equal")

    def list_of(self, dot: Term) -> Term:
        parts: list[str] = []
        while not self.taken("]"):
            if parts:
                self.take(",")
            parts.append(self.pipe(dot).otherwise("null"))
        return Term(f"[{', '.join(parts)}]", "list")

    def map_of(self, dot: Term) -> Term:
        parts: list[str] = []
        while not self.taken("}"):
            if parts:
                self.take(",")
            parts.append(self.entry(dot))
        return Term(f"{{{', '.join(parts)}}}", "map")

    def entry(self, dot: Term) -> str:
        sign = self.look()
        if sign == "(":
            self.take()
            key = self.pipe(dot).text
            self.take(")")
        elif sign == QUOTE:
            key = quoted(self.string_only())
        else:
            name = self.take()
            key = quoted(name.removeprefix("$"))
            if self.look() != ":":
                value = known(self.view.variables.get(name[1:], {}), name) if name.startswith("$") else path(member(dot.inner, name))
                return f"{key}: {value.otherwise('null')}"
        self.take(":")
        return f"{key}: {self.otherwise(dot).otherwise('null')}"

    def named(self, name: str, dot: Term) -> Term:
        if name in ("true", "false", "null"):
            return Term(name)
        if name == "if":
            return self.chosen(dot)
        if name == "not":
            return Term(f"!{dot.otherwise('false')}")
        if name == "length":
            return Term(f"size({dot.otherwise('[]')})", "number")
        if name in _SIMPLE:
            return Term(dot.inner + _SIMPLE[name])
        if name in _WRAPPED:
            return Term(f"{_WRAPPED[name]}({dot.text})")
        if self.look() == "(" and (name in _METHODS or name in ("map", "any", "all", "has")):
            return self.called(name, dot)
        raise NotTranslated(f"{name} has no equal")

    def called(self, name: str, dot: Term) -> Term:
        self.take("(")
        if name in ("map", "any", "all"):
            item = f"it{self.depth}" if self.depth > 1 else "it"
            selecting = name == "map" and self.taken("select") is not None
            if selecting:
                self.take("(")
            body = self.pipe(path(item))
            found = Term(f"{dot.inner}.{'filter' if selecting else {'any': 'exists'}.get(name, name)}({item}, {body.text})")
            if selecting:
                self.take(")")
        elif name == "has":
            found = Term(f"{self.pipe(dot).inner} in {dot.inner}", whole=False)
        else:
            found = Term(f"{dot.inner}.{_METHODS[name]}({self.pipe(dot).text})")
        self.take(")")
        return found

    def chosen(self, dot: Term) -> Term:
        condition = self.pipe(dot)
        self.take("then")
        then = self.pipe(dot)
        if self.taken("elif"):
            other = self.chosen(dot)
        else:
            self.take("else")
            other = self.pipe(dot)
            self.take("end")
        return Term(f"{condition.inner} ? {then.inner} : {other.inner}", whole=False)

    def string_only(self) -> str:
        """A text without expressions in it; its first quote is the next sign."""
        self.take(QUOTE)
        found = self.string(path("null"))
        if found.kind != "text" or found.fields is None:
            raise NotTranslated("a name that is put together has no equal")
        return str(found.fields["text"])

    def string(self, dot: Term) -> Term:
        """A text, its first quote taken, with what is worked out in it."""
        parts: list[str] = []
        first = literal = self.literal()
        while not self.text.startswith(QUOTE, self.place):
            self.place += 2
            parts += [quoted(literal)] if literal else []
            parts.append(f"text({self.pipe(dot).text})")
            self.take(")")
            literal = self.literal()
        self.place += 1
        if not parts:
            return Term(quoted(first), "text", fields={"text": first})
        parts += [quoted(literal)] if literal else []
        return Term(" + ".join(parts), "text", whole=len(parts) == 1)
