"""Views of every kind, with the words that people may write: for each channel to draw."""

from __future__ import annotations

from hypothesis import strategies as st

from handlers import views
from handlers.views import (
    Block,
    Button,
    Card,
    Choice,
    DateField,
    Divider,
    Fact,
    Facts,
    Field,
    Figure,
    Line,
    Lines,
    Link,
    NumberField,
    Option,
    PersonField,
    Picture,
    Series,
    Table,
    Text,
    TextField,
    TimeField,
    Toggle,
)

HOSTILE = "<!channel> <@U1> <https://x|y> &lt;!here&gt; *bold* _it_ `code` https://evil.example"
MARKDOWN = "[x](http://e) {{{DATE(2027-01-01T10:00:00Z,SHORT)}} <at>Kim</at> **b** www.evil.example ![y](https://e.example/p.png)"

words = st.one_of(
    st.text(min_size=1, max_size=60),
    st.sampled_from(
        [HOSTILE, MARKDOWN, "x" * 10_000, "é" * 10_000, "🙂" * 5_000, "&" * 10_000, "a b " * 2_500, "\u202e\u200bx", "<" * 3_001]
    ),
)
buttons = st.builds(
    Button, label=words, action=st.just("ideas.open"), args=st.just({"idea": "1"}), style=st.sampled_from(["plain", "primary"])
)
tables = st.integers(1, 12).flatmap(
    lambda width: st.builds(
        Table,
        columns=st.lists(words, min_size=width, max_size=width).map(tuple),
        rows=st.lists(st.lists(words, min_size=width, max_size=width).map(tuple), max_size=40).map(tuple),
        caption=words,
    )
)
figures = st.just(Figure(axes=("a",), series=(Series(label="now", numbers=(1.0, None)),), top=5))
blocks: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, text=words, kind=st.sampled_from(["plain", "note", "heading"])),
    st.builds(Facts, facts=st.lists(st.builds(Fact, label=words, value=words), max_size=12).map(tuple)),
    tables,
    st.just(Divider()),
    st.builds(Lines, lines=st.lists(st.builds(Line, text=words, note=words, button=st.none() | buttons), max_size=60).map(tuple)),
    st.builds(Picture, figure=figures, alt=words, table=tables),
)
links = st.builds(Link, label=words, url=st.just("https://dih.example.org/x"))
cards = st.builds(
    Card,
    title=words,
    blocks=st.lists(blocks, max_size=8).map(tuple),
    buttons=st.lists(buttons | links, max_size=12).map(tuple),
)
options = st.lists(words, min_size=1, max_size=120).map(
    lambda labels: tuple(Option(value=str(number), label=label, detail=label) for number, label in enumerate(labels))
)


def fields() -> st.SearchStrategy[tuple[Field, ...]]:
    """Up to seven fields of any kind, with names of their own."""
    kinds: st.SearchStrategy[Field] = st.one_of(
        st.builds(TextField, name=st.just("n"), label=words, hint=words, lines=st.integers(1, 4)),
        st.builds(NumberField, name=st.just("n"), label=words, hint=words),
        st.builds(Choice, name=st.just("n"), label=words, options=options, many=st.booleans(), most=st.none() | st.integers(1, 5)),
        st.builds(Toggle, name=st.just("n"), label=words, hint=words),
        st.builds(DateField, name=st.just("n"), label=words),
        st.builds(TimeField, name=st.just("n"), label=words),
        st.builds(PersonField, name=st.just("n"), label=words, options=options),
    )
    return st.lists(kinds, max_size=7).map(
        lambda made: tuple(type(each)(**{**vars(each), "name": f"f{number}"}) for number, each in enumerate(made))
    )


def value_of(field: Field) -> views.Value:
    """Something that may stand in a field."""
    match field:
        case TextField():
            return "x" * 10_000
        case NumberField():
            return "twelve"
        case Choice(many=True):
            return ("0", "gone")
        case DateField():
            return "2027-03-28"
        case TimeField():
            return "09:30"
        case _:
            return "0"
