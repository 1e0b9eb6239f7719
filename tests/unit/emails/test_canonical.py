import pytest
from hypothesis import given
from hypothesis import strategies as st

from authbus.addresses import canonical

LOOK_ALIKES = [
    ("paypal@example.com", "p\N{CYRILLIC SMALL LETTER A}ypal@example.com"),
    ("kate@example.com", "\N{KELVIN SIGN}ate@example.com"),
    ("sam@example.com", "\N{LATIN SMALL LETTER LONG S}am@example.com"),
    ("office@example.com", "o\N{LATIN SMALL LIGATURE FFI}ce@example.com"),
    ("ivan@example.com", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}van@example.com"),
    ("xii@example.com", "\N{SMALL ROMAN NUMERAL TWELVE}@example.com"),
    ("ana@example.com", "\N{FULLWIDTH LATIN SMALL LETTER A}na@example.com"),
    ("ana@example.com", "ana\N{COMBINING DOT BELOW}@example.com"),
    ("ana@example.com", "ana@\N{CYRILLIC SMALL LETTER IE}xample.com"),
    ("ana@strasse.example", "ana@stra\N{LATIN SMALL LETTER SHARP S}e.example"),
    ("ana@example.com", "an\N{ZERO WIDTH SPACE}a@example.com"),
    ("ana@example.com", "ana\N{ZERO WIDTH JOINER}@example.com"),
    ("ana@example.com", "\N{RIGHT-TO-LEFT OVERRIDE}ana@example.com"),
    ("ana@example.com", "ana@exam\N{SOFT HYPHEN}ple.com"),
    ("ana@example.com", "ana@example\N{IDEOGRAPHIC FULL STOP}com"),
    ("ana@example.com", "ana\N{FULLWIDTH COMMERCIAL AT}example.com"),
]


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("ana@example.com", "ana@example.com"),
        ("ANA@Example.COM", "ana@example.com"),
        ("a.b+tag@mail.example.co", "a.b+tag@mail.example.co"),
        ("o'neill_1@xn--bcher-kva.example", "o'neill_1@xn--bcher-kva.example"),
        ("ana@shop--one.example", "ana@shop--one.example"),
        ("ana@XN--A--EKA.example", "ana@xn--a--eka.example"),
        (f"{'a' * 64}@{'b' * 63}.example", f"{'a' * 64}@{'b' * 63}.example"),
    ],
)
def test_an_address_has_one_form(written: str, form: str) -> None:
    assert canonical(written) == form


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@localhost",
        "ana@example.com.",
        "ana@.example.com",
        "ana@example..com",
        "ana@-example.com",
        "ana@example-.com",
        "ana@ex--ample.com",
        "ana@xn--.com",
        "ana@xn---a.com",
        "ana@exa_mple.com",
        "ana@127.0.0.1",
        "ana@[127.0.0.1]",
        "ana@bob@example.com",
        '"ana b"@example.com',
        ".ana@example.com",
        "ana.@example.com",
        "a..na@example.com",
        " ana@example.com",
        "ana@example.com\n",
        "ana@example.com\0",
        "ana\r\nbcc@example.com",
        "ana <ana@example.com>",
        f"{'a' * 65}@example.com",
        f"ana@{'a' * 64}.com",
        f"ana@{'a.' * 130}com",
        "anä@example.com",
        "ana@bücher.example",
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    assert canonical(written) is None


@pytest.mark.parametrize(("address", "look_alike"), LOOK_ALIKES)
def test_a_look_alike_never_becomes_an_account(address: str, look_alike: str) -> None:
    assert canonical(address) == address
    assert canonical(look_alike) is None


@given(st.text(max_size=40) | st.emails())
def test_the_form_of_a_form_is_the_form(written: str) -> None:
    form = canonical(written)

    assert form is None or canonical(form) == form
