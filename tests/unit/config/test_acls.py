"""The ACLs that follow from the declarations."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from authbus_service.cluster.acl_findings import compare
from authbus_service.cluster.acls import Acl, acls
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


@pytest.mark.parametrize(
    ("denial", "first", "more"),
    [
        (Acl("User:web", "topic", "auth.replies.web", "READ"), "User:web READ on topic", 0),
        (Acl("User:web", "topic", "auth.replies.web", "DESCRIBE"), "User:web READ on topic", 0),
        (Acl("User:billing", "group", "billing", "ALL"), "User:billing READ on group", 0),
        (
            Acl("User:authbus-relay", "transactional_id", "auth.", "DESCRIBE", prefixed=True),
            "User:authbus-relay WRITE on transactional_id auth.relay",
            0,
        ),
        (
            Acl("User:authbus-operator", "topic", "auth.audit.v1", "READ"),
            "User:authbus-operator READ on topic auth.*",
            0,
        ),
        (Acl("User:*", "topic", "auth.state.", "WRITE", prefixed=True), "authbus-relay WRITE", 1),
        (Acl("User:*", "cluster", "kafka-cluster", "ALL"), "User:authbus-operator DESCRIBE", 0),
    ],
)
def test_what_is_denied_to_who_needs_it_is_one_fatal_finding_with_its_cure(
    denial: Acl, first: str, more: int
) -> None:
    wanted = acls("auth", DECLARED, groups_of("auth"))
    denial = replace(denial, denies=True, host="10.9.8.7")

    (found,) = compare({*wanted, denial}, wanted, "auth")

    told, _, by = found.problem.partition(", by ")
    assert (by, found.fatal) == (str(denial), True)
    assert told.startswith("denied: ")
    assert first in told
    assert told.endswith(f" and {more} more") is bool(more)
    assert f"--deny-principal '{denial.principal}' --deny-host 10.9.8.7" in found.cure


@pytest.mark.parametrize(
    "denial",
    [
        Acl("User:web", "topic", "auth.events.v1", "READ"),
        Acl("User:web", "topic", "auth.replies.web", "WRITE"),
        Acl("User:stranger", "topic", "*", "ALL"),
        Acl("User:*", "topic", "orders.", "ALL", prefixed=True),
        Acl("User:*", "group", "auth", "READ"),
    ],
)
def test_what_is_denied_to_who_does_not_need_it_is_well(denial: Acl) -> None:
    wanted = acls("auth", DECLARED, groups_of("auth"))

    assert compare({*wanted, replace(denial, denies=True)}, wanted, "auth") == []
