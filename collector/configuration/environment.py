"""`${NAME}`, `${NAME:-default}` and `${NAME:?message}` in a text, from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from collector.remarks import excerpt

_FORM = re.compile(r"(\$\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([^}]*))?\}|(\$\{)")

_MARKED = re.compile("\\$(\\{[^{}\r\n\ufffe-\U0010ffff]*\\})")
_MASK = 0xF0000
_MASKED = re.compile(f"\\${chr(_MASK + ord('{'))}[{chr(_MASK)}-{chr(_MASK + 0xFFFD)}]*")


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Return the text with every form replaced by its value; `$${` stands for `${` itself.

    As in a shell, `:-` and `:?` hold for variables that are empty as well as for those that are not set.

    Raises:
        ValueError: a variable is missing, or `${` begins none of the forms. The text itself is not in the message.

    """

    def value(match: re.Match[str]) -> str:
        escaped, name, operator, argument, unknown = match.groups()
        if escaped:
            return "${"
        if unknown:
            raise ValueError(
                "has a ${ that begins no variable; write ${NAME}, ${NAME:-default} or ${NAME:?message}, "
                "or $${ for the characters themselves"
            )
        found = environ.get(name)
        if found is None if operator is None else not found:
            if operator == ":-":
                return str(argument)
            problem = "is not set" if found is None else "is empty"
            advice = excerpt(argument or "") or f"set it, or give a default as in ${{{name}:-default}}"
            raise ValueError(f"the environment variable {name} {problem}; {advice}")
        return str(found)

    return _FORM.sub(value, text)


def mask(text: str) -> str:
    """Return a file's text with what stands between `${` and `}` hidden from a parser, every character in its place.

    YAML would read `{token: ${TOKEN}}` as a mapping within a mapping, and `${NAME:-a # b}` as one with a comment.
    """
    return _MARKED.sub(lambda match: "$" + "".join(chr(ord(character) + _MASK) for character in match[1]), text)


def unmask(text: str) -> str:
    """Undo `mask` in a part of the text."""
    return _MASKED.sub(lambda match: "$" + "".join(chr(ord(character) - _MASK) for character in match[0][1:]), text)
