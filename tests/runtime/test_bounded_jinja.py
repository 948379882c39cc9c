"""A template computes what Jinja2 computes, and stops, with a clear error, where it would not."""

from __future__ import annotations

import pytest
from jinja2 import Environment

from coldstart import prompts
from coldstart.errors import PromptError
from coldstart.runtime import bounded_jinja
from coldstart.runtime.bounded_jinja import BoundedEnvironment

VALUES = {
    "liked": [f"Film {n}" for n in range(50)],
    "attributes": {"city": "Lima", "mood": "calm"},
    "age": 31,
    "about": "quiet films",
    "nothing": None,
}


def shown(value):
    return "" if value is None else value


ENV = BoundedEnvironment(shown)
PLAIN = Environment(  # noqa: S701 - prompts are no HTML
    finalize=shown, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)


def render(source, values=VALUES):
    return ENV.compile_bounded(source).render(values)


@pytest.mark.parametrize(
    "source",
    [
        "{% for t in liked %}{{ loop.index }}/{{ loop.length }} {{ t ~ '!' ~ age }}\n{% endfor %}",
        "{% for k, v in attributes.items() %}{{ k | title }}: {{ v }}; {% else %}none{% endfor %}",
        "{% set who = {'a': 1}.get('b', about) %}{{ [who, age] | select | join(', ') }}",
        "{{ liked | replace('Film', 'x') }}{{ liked[2:5] | map('upper') | join('-') }}",
        "{% for n in range(3) %}{{ n * 2+age%7 }}{% if not loop.last %},{% endif %}{% endfor %}",
        "{{ about.title().split(' ') | last }} {{ liked | first | length }} {{ -age // 2 }}",
        "{{ liked | reject('equalto', 'Film 3') | list | count }}{{ 'a' if age > 30 else 'b' }}",
        "{% for a in liked if a.startswith('Film 4') %}{{ loop.cycle('x', 'y') }}{% endfor %}",
        "{{ (liked + [about]) | length }}{{ about is defined }}{{ 'quiet' in about }}{{ nothing }}",
    ],
)
def test_the_subset_computes_what_jinja_does(source):
    assert render(source) == PLAIN.from_string(source).render(VALUES)


ENDLESS = {
    "nested loops": "{% for a in liked %}" * 8 + "x" + "{% endfor %}" * 8,
    "loops that show nothing": "{% for a in range(999) %}" * 5 + "{% endfor %}" * 5,
    "a range of millions": "{% for a in range(10000000) %}x{% endfor %}",
    "a text times a number": "{{ about * 1000000000 }}",
    "a constant text times a number": "{{ 'x' * 10000000000 }}",
    "a power": "{{ 10 ** 10 ** 10 }}",
    "doubling by +": "{% set a = about %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "doubling by ~": "{% set a = about %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "doubling lists": "{% set a = liked %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "doubling by join": "{% set a = about %}" + "{% set a = [a, a] | join(a) %}" * 20 + "{{ a }}",
    "doubling by replace": "{% set a = about %}"
    + "{% set a = a | replace('', a) %}" * 9
    + "{{ a }}",
    "a constant that is replaced": "{{ 'x' | replace('', 'y' | replace('', 'z')) }}" + "{{ 1 }}",
    "multiplied numbers": "{% set a = 9999 %}" + "{% set a = a * a %}" * 30 + "{{ a }}",
    "a format": "{{ '%01000000000d' % 3 }}",
    "a format method": "{{ '{:1000000000}'.format(3) }}",
    "padding": "{{ about.ljust(10000000000) }}",
    "a centred text": "{{ about | center(10000000000) }}",
    "indentation": "{{ about | indent(10000000000) }}",
    "a macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a recursive loop": "{% for a in [[1]] recursive %}{{ loop(a) }}{% endfor %}",
    "a namespace": "{% set n = namespace(a='x') %}{% set n.a = n.a ~ n.a %}",
    "dummy text": "{{ lipsum(n=100000000) }}",
    "an include": "{% include 'x' %}",
    "deep brackets": "{{ " + "(" * 30000 + "1" + ")" * 30000 + " }}",
    "deep conditions": "{% if age %}" * 300 + "x" + "{% endif %}" * 300,
    "many loops within loops": "{% for a in liked %}" * 30 + "x" + "{% endfor %}" * 30,
    "a long template": "x" * 100_000,
    "an attribute of Python": "{{ about.__class__.__mro__ }}",
    "a call of a value": "{{ about() }}",
    "mapping by a forbidden filter": "{{ liked | map('center', 100000000) | list }}",
    "a round of a power": "{{ 1.5 | round(1000000000, 'ceil') }}",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_does_not_end_is_stopped(name):
    if name == "a constant that is replaced":
        assert render(ENDLESS[name]) == "zyzxzyz1"  # short: it may
        return
    with pytest.raises(PromptError, match=r"\w") as e:
        render(ENDLESS[name])
    assert "\n" not in e.value.message
    assert len(e.value.message) < 300


def test_the_budget_grows_with_the_values():
    source = "{% for t in liked %}{{ t }}\n{% endfor %}"
    many = {"liked": ["A film of an ordinary name"] * 100_000}
    assert len(render(source, many)) == 100_000 * 27
    with pytest.raises(PromptError, match="loops too often for a prompt of these values"):
        render("{% for a in liked %}{% for b in liked %}{% endfor %}{% endfor %}", many)
    with pytest.raises(PromptError, match="makes too much text"):
        render("{{ liked | join(', ') }}" * 60, many)


def test_a_budget_is_of_one_rendering():
    inner = "{% for b in range(20) %}{% endfor %}"
    template = ENV.compile_bounded("{% for a in range(900) %}" + inner + "{% endfor %}")
    assert [template.render({}) for _ in range(20)] == [""] * 20


@pytest.mark.parametrize("name", prompts.available())
def test_packaged_templates_are_within_the_subset(name):
    source = prompts.load(name).source
    assert ENV.compile_bounded(source).variables <= prompts.VARIABLES


def test_errors_say_what_there_is():
    with pytest.raises(PromptError, match="line 2: it uses the method 'format'") as e:
        render("a\n{{ about.format(1) }}")
    assert "strftime" in e.value.hint
    assert all(name in e.value.hint for name in ("join", "select"))


def test_filters_are_jinjas_own_but_for_two():
    names = set(ENV.filters) - {bounded_jinja._CHARGE, bounded_jinja._JOIN}
    assert names < set(PLAIN.filters)
