import pytest
from hypothesis import given
from hypothesis import strategies as st

from authbus_service.auth.users.email import canonical

LOOK_ALIKES = [
    ("paypal@example.com", "pаypal@example.com"),  # Cyrillic a
    ("kate@example.com", "Kate@example.com"),  # Kelvin sign
    ("sam@example.com", "ſam@example.com"),  # long s
    ("office@example.com", "oﬃce@example.com"),  # ligature
    ("ivan@example.com", "İvan@example.com"),  # dotted capital i
    ("ana@example.com", "ana@еxample.com"),  # Cyrillic e in the domain
    ("ana@example.com", "an\u200ba@example.com"),  # zero width space
    ("ana@example.com", "ana@example\u3002com"),  # ideographic full stop
    ("ana@example.com", "ana\uff20example.com"),  # fullwidth at
]


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("ana@example.com", "ana@example.com"),
        ("ANA@Example.COM", "ana@example.com"),
        ("a.b+tag@mail.example.co", "a.b+tag@mail.example.co"),
        ("o'neill_1@xn--bcher-kva.example", "o'neill_1@xn--bcher-kva.example"),
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
def test_a_look_alike_never_becomes_a_second_account(address: str, look_alike: str) -> None:
    assert canonical(address) is not None
    assert canonical(look_alike) in {None, canonical(address)}


@given(st.text(max_size=40) | st.emails())
def test_the_form_of_a_form_is_the_form(written: str) -> None:
    form = canonical(written)

    assert form is None or canonical(form) == form
