"""Labels as somebody types them."""

from collections.abc import Sequence

from weft.commands.terminal import refuse


def labels_of(given: Sequence[str]) -> dict[str, str]:
    """Values by name. given: each `name=value`. Exits with 1 where one has no value."""
    if any("=" not in label for label in given):
        refuse("--label takes name=value")
    return dict(label.partition("=")[::2] for label in given)
