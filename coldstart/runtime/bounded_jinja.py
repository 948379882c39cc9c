"""A subset of Jinja2 that is bounded in time, memory and output.

Jinja's sandbox keeps a template from Python's insides, and lets it loop and grow without end. The
templates of artifacts come from elsewhere. They may use the values that they are given, ``if``,
``for``, ``set``, comparisons, arithmetic, and filters and methods whose result is about as long as
their input; no macro, import, recursion, or function but a short ``range``. Every turn of a loop,
and every text that is made, is charged to a budget that grows with the values; a template that uses
it up is stopped.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from coldstart.errors import PromptError

MOST_SOURCE = 64 << 10
"""Characters of a template."""
STEPS, STEPS_PER_VALUE = 200_000, 50
"""Parts of a template evaluated inside loops, and how many more for each value."""
CHARACTERS, CHARACTERS_PER_CHARACTER = 200_000, 20
"""Characters made on the way, and how many more for each character of the values."""

_DEEPEST = 40  # nodes within nodes
_LONGEST_RANGE = 1000
_MOST_NUMBER = 1e15
_NODES = (
    "Template Output TemplateData For If Assign Name Const Tuple List Dict Pair Keyword Getattr "
    "Getitem Slice Filter Test Call Compare Operand And Or Not CondExpr Concat Add Sub Mul Div "
    "FloorDiv Mod Neg Pos"
).split()
_FILTERS = (
    "abs capitalize count d default dictsort e escape first float int items join last length list "
    "lower map max min reject rejectattr replace reverse select selectattr sort string title trim "
    "truncate unique upper wordcount"
).split()
_METHODS = (
    "items keys values get strip lstrip rstrip lower upper title capitalize startswith endswith "
    "split strftime isoformat date time weekday cycle changed"
).split()
_CHARGE = "charged steps"  # names of filters that no template can write
_JOIN = "charged concatenation"


class _Exhausted(TemplateError):
    """The budget of a rendering is used up."""


class _Budget:
    """What one rendering may still use.

    Args:
        values: given to the template.
    """

    def __init__(self, values: Any = ()) -> None:
        count, characters = _size(values)
        self.steps = STEPS + STEPS_PER_VALUE * count
        self.characters = CHARACTERS + CHARACTERS_PER_CHARACTER * characters

    def step(self, n: int) -> None:
        """Charge the parts of a loop's body."""
        self.steps -= n
        if self.steps < 0:
            raise _Exhausted("it loops too often")

    def make(self, n: int) -> None:
        """Charge the length of a text or a list, best before it is made."""
        self.characters -= n
        if self.characters < 0:
            raise _Exhausted("it makes too much text")


_budget: ContextVar[_Budget] = ContextVar("budget")


@contextmanager
def _spending(budget: _Budget) -> Iterator[None]:
    token = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(token)


def _size(value: Any) -> tuple[int, int]:
    """Number of values, and of their characters."""
    if isinstance(value, Mapping):
        value = [part for pair in value.items() for part in pair]
    if isinstance(value, list | tuple):
        sizes = [_size(part) for part in value]
        return 1 + sum(n for n, _ in sizes), sum(n for _, n in sizes)
    return 1, len(value) if isinstance(value, str) else 10


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Environment of the subset; undefined variables are errors.

    Args:
        finalize: applied to every value that is shown.
    """

    intercepted_binops = frozenset(("+", "*", "%", "**"))

    def __init__(self, finalize: Callable[[object], object]) -> None:
        super().__init__(
            undefined=StrictUndefined,
            finalize=finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        own = {"join": _join, "replace": _replace}
        known = {name: own.get(name, self.filters[name]) for name in _FILTERS}
        self.filters = {name: _charged(filter_) for name, filter_ in known.items()}
        self.filters |= {_CHARGE: _counted, _JOIN: _concatenation}
        self.globals = {"range": _range}

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Add, multiply or take a remainder; of numbers, and add also texts and lists."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if numbers and max(abs(left), abs(right)) > _MOST_NUMBER:
            raise _Exhausted("it computes with numbers that are too large")
        if not numbers and operator != "+":
            raise TemplateError(f"{operator} is of numbers only")
        found = super().call_binop(context, operator, left, right)
        _budget.get().make(_length(found))
        return found

    def parse_bounded(self, source: str) -> nodes.Template:
        """Parse a template.

        Raises:
            PromptError: it is too long, is malformed, or uses what is not in the subset.
        """
        if len(source) > MOST_SOURCE:
            raise PromptError(f"it has {len(source)} characters, at most {MOST_SOURCE} are read")
        try:
            tree = self.parse(source)
        except TemplateSyntaxError as e:
            raise PromptError(f"line {e.lineno}: {e.message}") from e
        except RecursionError as e:
            raise PromptError("it nests too deeply") from e
        _check(tree)
        return tree

    def compile_bounded(self, source: str) -> BoundedTemplate:
        """Compile a template. Raises as ``parse_bounded``."""
        tree = self.parse_bounded(source)
        try:
            with _spending(_Budget()):  # constants are computed here
                variables = frozenset(meta.find_undeclared_variables(tree)) - {"range"}
                return BoundedTemplate(self.from_string(_Charging().visit(tree)), variables)
        except TemplateSyntaxError as e:
            raise PromptError(f"line {e.lineno}: {e.message}") from e
        except (TemplateError, SyntaxError, RecursionError, MemoryError, ValueError) as e:
            raise PromptError(f"it cannot be compiled: {e}") from e


class BoundedTemplate:
    """A compiled template.

    Args:
        template: with charges for its loops and concatenations.
        variables: names that it does not set itself.
    """

    def __init__(self, template: Template, variables: frozenset[str]) -> None:
        self._template, self.variables = template, variables

    def render(self, values: Mapping[str, Any]) -> str:
        """Render within a budget that grows with the values.

        Raises:
            PromptError: it fails, or loops, makes or shows too much.
        """
        budget, out = _Budget(values), []
        try:
            with _spending(budget):
                for chunk in self._template.generate(values):
                    budget.make(len(chunk))
                    out.append(chunk)
        except _Exhausted as e:
            raise PromptError(
                f"{e.message} for a prompt of these values, and was stopped",
                hint="a template shows each value about once; see docs/extending.md",
            ) from e
        except Exception as e:  # of any operation on any value
            raise PromptError((str(e).splitlines() or [type(e).__name__])[0][:200]) from e
        return "".join(out)


def _check(tree: nodes.Template) -> None:
    """Refuse what is not in the subset, and deep nesting."""
    level: list[nodes.Node] = [tree]
    for _ in range(_DEEPEST):
        for node in level:
            _check_node(node)
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise PromptError(f"it nests more than {_DEEPEST} deep")


def _check_node(node: nodes.Node) -> None:
    kind, what = type(node).__name__, ""
    if kind not in _NODES:
        what = f"{kind.lower()!r}"
    elif isinstance(node, nodes.For) and node.recursive:
        what = "recursive loops"
    elif isinstance(node, nodes.Assign) and not isinstance(node.target, nodes.Name):
        what = "'set' of anything but one variable"
    elif isinstance(node, nodes.Call):
        called = node.node
        if isinstance(called, nodes.Getattr):
            what = "" if called.attr in _METHODS else f"the method {called.attr!r}"
        elif not (isinstance(called, nodes.Name) and called.name == "range"):
            what = "calls of anything but methods of values"
    if what:
        raise PromptError(
            f"line {node.lineno}: it uses {what}, which prompt templates cannot",
            hint=f"they have if, for, set, the filters {', '.join(_FILTERS)}, and the methods "
            f"{', '.join(_METHODS)}",
        )


class _Charging(NodeTransformer):
    """Replaces loops and concatenations by ones that are charged."""

    def visit_For(self, node: nodes.For, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: N802
        parts = sum(1 for _ in node.find_all(nodes.Node)) + 1
        self.generic_visit(node, *args, **kwargs)
        node.iter = _filter(
            _CHARGE, cast("nodes.Expr", node.iter), [nodes.Const(parts, lineno=node.lineno)]
        )
        return node

    def visit_Concat(self, node: nodes.Concat, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: N802
        self.generic_visit(node, *args, **kwargs)
        return _filter(_JOIN, nodes.List(node.nodes, lineno=node.lineno), [])


def _filter(name: str, of: nodes.Expr, arguments: Sequence[nodes.Expr]) -> nodes.Filter:
    return nodes.Filter(of, name, list(arguments), [], None, None, lineno=of.lineno)


def _length(value: object) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 1


def _charged(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result is charged."""

    @functools.wraps(filter_)
    def charged(*args: Any, **kwargs: Any) -> Any:
        budget = _budget.get()
        budget.make(sum(map(_length, args)))
        found = filter_(*args, **kwargs)
        budget.make(_length(found))
        return found

    return charged


def _counted(values: Iterable[Any], parts: int) -> Iterator[Any]:
    """The same values, each of which is charged the parts of the loop's body."""
    budget = _budget.get()
    for value in values:
        budget.step(parts)
        yield value


def _texts(values: Iterable[Any], between: str = "") -> list[str]:
    """Values as texts whose joint length is charged."""
    budget, out = _budget.get(), []
    for value in values:
        out.append(str(value))
        budget.make(len(out[-1]) + len(between) + 1)
    return out


def _concatenation(values: Iterable[Any]) -> str:
    return "".join(_texts(values))


def _join(values: Iterable[Any], d: object = "", attribute: object = None) -> str:
    if attribute is not None:
        raise TemplateError("join takes no attribute: use map first")
    return str(d).join(_texts(values, str(d)))


def _replace(s: object, old: object, new: object) -> str:
    text, before, after = str(s), str(old), str(new)
    _budget.get().make(len(text) + text.count(before) * len(after))
    return text.replace(before, after)


def _range(*limits: int) -> range:
    found = range(*limits)
    if len(found) > _LONGEST_RANGE:
        raise _Exhausted(f"it counts to more than {_LONGEST_RANGE}")
    return found
