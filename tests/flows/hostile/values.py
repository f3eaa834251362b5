"""What an attacker or a broken client sends in the place of a value."""

from __future__ import annotations

from typing import Any, Final

TEXTS: Final = (
    "", " ", "\t", "x" * 3_000, "null", "undefined", "NaN", "true", "-1", "0", "1", "1e400", "9" * 400, "0x1F", "1_000", "١٢٣",
    "\u0000", "a\u0000b", "\ufeff", "\u200b", "\u202eabc", "\ud800", "\U0001f4a9", "Ω≈ç√", "田中さん", "ﷺ", "i\u0307", "Z\u0351" * 50,
    "'", '"', "`", "\\", "%", "_", "%%", "' OR 1=1 --", "'; DROP TABLE tasks.tasks; --", "$1", ":name", "%s", "{0}", "{", "}}",
    "{{ now }}",
    "{{ 7 * 7 }}", "${jndi:ldap://127.0.0.1/a}", "#{7*7}", "__class__", "constructor", "__proto__", "../../etc/passwd", "..", ".", "/",
    "//",     "a/b", "a%2Fb", ";", "a;b", "<script>alert(1)</script>", "javascript:alert(1)", "=1+1", "\r\nX-Injected: 1", "(a+)+$",
    "[", "*", "?",
    "2026-02-30", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-01-01T00:00:00+99:99", "0001-01-01T00:00:00Z",
    "1e18", "-1e18",
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "253402300800", "-62135596801", "PT1S", "1s", "9" * 18 + "w", "-5s", "1e9d",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "{00000000-0000-0000-0000-000000000000}",
    "urn:uuid:00000000-0000-0000-0000-000000000000", "2147483648", "9223372036854775808", "-9223372036854775809", "1.5", "+1", " 1 ",
    "1\n",
)  # fmt: skip
"""Texts for paths, queries, headers and bodies: of other types, of other encodings, with a meaning somewhere else."""

DEEP: Final = '{"a":' * 60 + "1" + "}" * 60
RAW: Final = (
    *(b"null", b"true", b"0", b'""', b"[]", b"{}", b"-1", b"1e400", b"-1e400", b"1" * 400, b"0.1e-999", b"NaN", b"Infinity", b"-Infinity"),
    *(b'"\\u0000"', b'"\\ud800"', b'"\xff"', b'"\x01"', b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b"[" * 5_000, b"[" * 65 + b"]" * 65),
    *(b'{"":1}', b'{"__proto__":{"a":1}}', b'{"a\\u0000":1}', b"[1,]", b"{'a':1}", b"{} {}", b"//", b"\x1f\x8b\x08\x00", b"1.", b"01"),
    *(b"+1", b"1e", b'{"\\ud800":1}', b'{"a":1e309}', b"[null,null]", b"[[]]", b"[{}]", DEEP.encode(), b'{"x":' + b"9" * 300 + b"}"),
)
"""Instead of a value in a body, or of the body."""

VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**300, 1.5, -0.0, 1e308, 5e-324, [], {}, [[]], [None], {"": None}),
    *({"a": 1}, [1, "a", None], {"x" * 300: 1}, ["x"] * 1_000, {f"k{number}": number for number in range(300)}, {"$ref": "#"}),
)

CONTENT_TYPES: Final = (
    *("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/yaml"),
    *(
        "application/json; charset=utf-16",
        "application/json;" * 50,
        "APPLICATION/JSON",
        "application/cloudevents+json",
        "*/*",
        "a",
        "a/b/c",
    ),
    *("application/cloudevents-batch+json", "application/json, text/plain", "application/problem+json", "application/merge-patch+json"),
)
HEADERS: Final = (
    "Accept", "Accept-Encoding", "Accept-Language", "Content-Encoding", "If-Match", "If-None-Match", "If-Modified-Since", "Range",
    "Idempotency-Key", "traceparent", "tracestate", "baggage", "X-Request-Id", "Last-Event-ID", "X-HTTP-Method-Override",
    "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "Cookie", "Origin", "Referer",
    "User-Agent", "ce-id", "ce-type", "ce-specversion", "ce-source", "ce-time", "ce-tenantid", "ce-dataschema", "Prefer",
    "Upgrade", "Content-Type", "Host", "Connection", "Expect",
)  # fmt: skip
HEADER_VALUES: Final = (
    *("*", '"1"', "W/\"1\"", '"', '""', "1", "gzip", "br, gzip;q=0", "bytes=0-1", "bytes=-999999999999", "GET", "DELETE", "127.0.0.1",
    "é"),
    *("x" * 4_000, ",,,", ";;;", "=", "00-" + "0" * 32 + "-" + "0" * 16 + "-00", "00-" + "f" * 32 + "-" + "f" * 16 + "-ff"),
    *("9" * 19 + "." + "9" * 14,),
    *("0.0", "-1.-1", "9" * 400, "1.0", "Thu, 99 Nov 9999 99:99:99 GMT", "close", "h2c", "100-continue", "null", "%00", "demo"),
)  # fmt: skip
