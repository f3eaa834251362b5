"""Why a text could not be read."""


class UnreadableDocument(ValueError):
    """A text is no document. line, column: from 1, where known."""

    def __init__(self, code: str, message: str, line: int | None = None, column: int | None = None) -> None:
        place = "" if line is None else f" (line {line}, column {column})"
        super().__init__(message + place)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
