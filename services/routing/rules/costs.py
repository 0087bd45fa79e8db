"""What would make a condition take long, and is refused: what multiplies its work beyond what stands in it.

Left are at most so many steps as a condition has characters, times the items of one short list, each over a text of
bounded length; and regular expressions of bounded size, which RE2 asks in time linear in the text.
"""

import re
from collections.abc import Iterator
from typing import Final

from cel_expr_python import cel

from services.routing.rules.syntax import Loop, Tree

MAX_LOOPED_ITEMS: Final = 50
"""Of the lists that are written out in a loop; those of a post are short."""
MAX_PATTERN_SIZE: Final = 600
"""Of all regular expressions of a condition, as `pattern_size` tells it."""

_SIZE_OF_ANY: Final = 10
"""What stands for many characters, such as a dot, against one that stands for itself."""
_SIZE_OF_PROPERTY: Final = 50
"""Of all letters of the world, and the like."""
_TOKEN: Final = re.compile(
    r"""(?P<quoted>\\Q.*?(?:\\E|$))
      | (?P<property>\\[pP](?:\{[^}]*\}|.))
      | (?P<escaped>\\x\{[^}]*\}|\\.)
      | (?P<set>\[\^?\]?(?:\\.|\[:[^]]*:\]|[^]\\])*\])
      | (?P<opens>\()
      | (?P<closes>\))
      | \{(?P<least>\d+)(?P<comma>,)?(?P<most>\d*)\}
      | (?P<any>\.)
      | .""",
    re.VERBOSE | re.DOTALL,
)
_MATCHES: Final = cel.NewEnv(variables={"pattern": cel.Type.STRING}).compile("''.matches(pattern)")


def costs(tree: Tree) -> Iterator[tuple[int, str]]:
    """Everything that makes a condition too costly: where, as an offset, and what to do."""
    for loop in tree.loops():
        yield from ((loop.offset, message) for message in _of_loop(loop))
    for offset in tree.joins():
        yield offset, "+ joins texts or lists here: compare each by itself"
    yield from _of_patterns(tree)


def pattern_size(pattern: str) -> int:
    """How large a regular expression is once its repetitions are written out."""
    sizes, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        if token["opens"]:
            sizes.append(0)
        elif token["least"]:
            sizes[-1] += last * (_repetitions(token) - 1)
        else:
            last = sizes.pop() if token["closes"] and len(sizes) > 1 else _size(token)
            sizes[-1] += last
    return sum(sizes)


def _of_loop(loop: Loop) -> Iterator[str]:
    if loop.loops:
        yield "has a loop (exists, all, map, filter) within a loop, or over what another one made: make it one"
    if loop.matches:
        yield "has matches() within a loop: write one regular expression, as in 'refund|money back', without the loop"
    if loop.items > MAX_LOOPED_ITEMS:
        yield f"has lists of {loop.items} items in a loop and may have {MAX_LOOPED_ITEMS}: make it two rules"


def _of_patterns(tree: Tree) -> Iterator[tuple[int, str]]:
    size = 0
    for pattern, offset in tree.patterns():
        if pattern is None:
            yield offset, "matches() needs its regular expression written out, in quotes"
        elif not _is_pattern(pattern):
            yield offset, f"{pattern!r} is no regular expression that RE2 knows (https://github.com/google/re2)"
        else:
            size += pattern_size(pattern)
            if size > MAX_PATTERN_SIZE:
                advice = "write .* or .{0,40} rather than .{0,400}, or make it two rules"
                yield offset, f"{pattern!r} makes {size} steps here where {MAX_PATTERN_SIZE} may be: {advice}"


def _is_pattern(pattern: str) -> bool:
    found = _MATCHES.eval(data={"pattern": pattern})
    return bool(found.type() == cel.Type.BOOL)


def _size(token: re.Match[str]) -> int:
    if token["property"]:
        return _SIZE_OF_PROPERTY
    if token["set"]:
        return (_SIZE_OF_PROPERTY if "\\p" in token[0].lower() else _SIZE_OF_ANY) + len(token[0])
    if token["any"] or (token["escaped"] and token[0][1].isalnum()):
        return _SIZE_OF_ANY
    return len(token[0])


def _repetitions(token: re.Match[str]) -> int:
    return max(int(token["least"]) + bool(token["comma"]), int(token["most"] or 0), 1)
