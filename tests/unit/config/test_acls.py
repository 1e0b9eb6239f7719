"""The ACLs that follow from the declarations."""

from collections.abc import Iterable

import pytest

from authbus_service.cluster.acls import acls
from authbus_service.consumers.intakes import groups_of
from authbus_service.core.clients import Declared

DECLARED = Declared.model_validate(
    {
        "client": [{"id": "web", "principal": "User:web"}],
        "reader": [{"principal": "User:billing", "group": "billing"}],
    }
)


def test_two_namespaces_give_each_other_nothing() -> None:
    staging, production = (acls(each, DECLARED, groups_of(each)) for each in ("staging", "auth"))

    shared = {(each.resource, each.name) for each in staging & production}

    assert shared == {("group", "billing"), ("cluster", "kafka-cluster")}


def test_a_client_without_a_principal_is_given_nothing() -> None:
    open_one = Declared.model_validate({"client": [{"id": "web"}]})
    known: Iterable[str] = {each.principal for each in acls("auth", open_one, ())}

    assert set(known) == {"User:authbus", "User:authbus-relay", "User:authbus-operator"}


def test_a_principal_for_everybody_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="principal"):
        Declared.model_validate({"client": [{"id": "web", "principal": "User:*"}]})
