"""CEL's grammar, for lark's LALR parser.

Source: the CEL language definition, section "Syntax". Chains of `&&` and `||` are flat here, which the definition
allows (they are associative) and which keeps a long condition shallow. Any word may follow a dot, so that payloads with a field
`package` or `import` stay readable.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from lark import Lark

_RAW: Final = r"""(?:\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}|"[^"\r\n]*"|'[^'\r\n]*')"""
_COOKED: Final = (
    r"""(?:\"{3}(?s:(?:\\.|[^\\])*?)\"{3}|'{3}(?s:(?:\\.|[^\\])*?)'{3}"""
    r"""|"(?:\\[^\r\n]|[^"\\\r\n])*"|'(?:\\[^\r\n]|[^'\\\r\n])*')"""
)

_GRAMMAR: Final = r"""
?start: expr

?expr: either
     | either "?" either ":" expr                     -> conditional
?either: both
       | both ("||" both)+                            -> either
?both: relation
     | relation ("&&" relation)+                      -> both
?relation: addition
         | relation RELATION addition                 -> binary
         | relation IN addition                       -> binary
?addition: product
         | addition (PLUS | MINUS) product            -> binary
?product: unary
        | product PRODUCT unary                       -> binary
?unary: member
      | BANG+ member                                  -> repeated
      | MINUS+ member                                 -> repeated

?member: primary
       | member "." field                             -> select
       | member "." NAME "(" args ")"                 -> method
       | member "[" expr "]"                          -> index
       | member "{" [field ":" expr ("," field ":" expr)*] ","? "}"   -> message

?primary: NAME                                        -> name
        | "." NAME                                    -> name
        | NAME "(" args ")"                           -> call
        | "." NAME "(" args ")"                       -> call
        | "(" expr ")"                                -> parens
        | "[" [expr ("," expr)* ","?] "]"             -> list_of
        | "{" [entry ("," entry)* ","?] "}"           -> map_of
        | INT                                         -> int_literal
        | UINT                                        -> uint_literal
        | FLOAT                                       -> float_literal
        | TEXT                                        -> text_literal
        | BYTES                                       -> bytes_literal
        | TRUE                                        -> constant
        | FALSE                                       -> constant
        | NULL                                        -> constant

args: [expr ("," expr)*]
entry: expr ":" expr
!field: NAME | QUOTED_NAME

TRUE: "true"
FALSE: "false"
NULL: "null"
IN: /in\b/
RELATION: "==" | "!=" | "<=" | ">=" | "<" | ">"
PRODUCT: "*" | "/" | "%"
PLUS: "+"
MINUS: "-"
BANG: "!"

NAME.1: /(?!(?:true|false|null|in)\b)[_a-zA-Z][_a-zA-Z0-9]*/
QUOTED_NAME: /`[a-zA-Z0-9_.\-\/ ]+`/
UINT.4: /(?:0[xX][0-9a-fA-F]+|[0-9]+)[uU]/
FLOAT.3: /[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+/
INT.2: /0[xX][0-9a-fA-F]+|[0-9]+/
TEXT.5: _TEXT
BYTES.6: _BYTES

%ignore /[ \t\n\f\r]+/
%ignore /\/\/[^\n]*/
"""


@cache
def parser() -> Lark:
    """The parser, built on first use: importing this package costs neither time nor memory."""
    grammar = _GRAMMAR.replace("_TEXT", f"/[rR]{_RAW}|{_COOKED}/")
    grammar = grammar.replace("_BYTES", f"/(?:[rR][bB]|[bB][rR]){_RAW}|[bB]{_COOKED}/")
    return Lark(grammar, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=False)
