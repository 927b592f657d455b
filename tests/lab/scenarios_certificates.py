"""Certificates made on the way: by a state, a stranger, a company, an antivirus, and by the site itself."""

from __future__ import annotations

import dataclasses

from tests.lab import forgers, prove
from tests.lab.greetings import (
    ANTIVIRUS,
    BROKEN,
    COMPANY,
    LOGIN_PAGE,
    NATIONAL,
    NEUTRAL,
    PLAIN,
    STRANGER,
    at,
    forged,
    signed_by,
    world_with,
)
from tests.lab.prove import Proof
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words


def _opened(name: str, words: str, *others: str) -> tuple[Proof, ...]:
    """The name shows this issuer at its own address and at one that is not its."""
    return (signed_by(name, name, words), signed_by(NEUTRAL, name, words), *(signed_by(o, o, words) for o in others))


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="national_ca_some_names",
        tells="a state's box opens connections for one platform with its known authority",
        rules=forged(NATIONAL, "facebook.com", FACEBOOK),
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.certificate_error(FACEBOOK_URL, "certificate"),
            *_opened(FACEBOOK, "ISCA"),
            prove.page(OTHER),
        ),
        in_slice=True,
    ),
    Scenario(
        name="national_ca_all_names",
        tells="a state's box opens every connection with its known authority",
        check=(FACEBOOK_URL, OTHER),
        rules=forged(NATIONAL),
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        network=(Words("ok"), Words("inconclusive")),
        exit_codes=(1,),
        proofs=_opened(FACEBOOK, "ISCA", PLAIN, "www.kernel.org"),
    ),
    Scenario(
        name="national_ca_expired",
        tells="the state's box goes on with certificates that have run out",
        rules=forged(NATIONAL, "facebook.com", FACEBOOK, expired=True),
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(*_opened(FACEBOOK, "ISCA"), prove.page(OTHER)),
    ),
    Scenario(
        name="national_ca_trusted_here",
        tells="a citizen has put the state's root into his store as he was told: pages come, and somebody reads along",
        world=lambda world: world_with(world, trusted=forgers.root(NATIONAL)),
        rules=forged(NATIONAL, "facebook.com", FACEBOOK, page=LOGIN_PAGE),
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(*_opened(FACEBOOK, "ISCA"), prove.page(FACEBOOK_URL), prove.page(OTHER)),
    ),
    Scenario(
        name="stranger_ca_some_names",
        tells="somebody on the way opens one platform with an authority that nobody knows, wherever it is asked for",
        rules=forged(STRANGER, "facebook.com", FACEBOOK),
        acceptable=(Words("blocked", "mitm", "tls.mitm.unknown_ca"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.certificate_error(FACEBOOK_URL, "certificate"),
            *_opened(FACEBOOK, "Web Security Services"),
            prove.page(OTHER),
        ),
    ),
    Scenario(
        name="stranger_ca_all_names",
        tells="everything is opened by an authority that nobody knows: a company whose root is not installed here, or a state",
        check=(FACEBOOK_URL, OTHER),
        rules=forged(STRANGER),
        acceptable=(Words("inconclusive"), Words("no_network", "filter")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network", "filter")),
        exit_codes=(3,),
        proofs=_opened(FACEBOOK, "Web Security Services", PLAIN, "www.kernel.org"),
    ),
    Scenario(
        name="company_gateway_not_installed",
        tells="a company's gateway opens every connection, and its root is not in this computer's store",
        check=(FACEBOOK_URL, OTHER),
        rules=forged(COMPANY),
        acceptable=(Words("inconclusive"), Words("no_network", "filter")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network", "filter")),
        exit_codes=(3,),
        proofs=_opened(FACEBOOK, "Fortinet", PLAIN, "www.kernel.org"),
    ),
    Scenario(
        name="company_gateway_social_only",
        tells="a company's gateway opens social networks only, and its root is not in this computer's store",
        rules=forged(COMPANY, FACEBOOK),
        acceptable=(Words("inconclusive"), Words("no_network", "filter")),
        exit_codes=(3,),
        sound=(OTHER,),
        proofs=(*_opened(FACEBOOK, "Fortinet"), prove.page(OTHER)),
        in_slice=True,
    ),
    Scenario(
        name="antivirus_opens_everything",
        tells="an antivirus opens every connection, and its root is in this computer's store: pages come",
        check=(FACEBOOK_URL, OTHER),
        world=lambda world: world_with(world, trusted=forgers.root(ANTIVIRUS)),
        rules=forged(ANTIVIRUS, page=LOGIN_PAGE),
        acceptable=(Words("no_network", "filter"), Words("inconclusive"), Words("accessible")),
        network=(Words("no_network", "filter"), Words("ok")),
        exit_codes=(0, 3),
        proofs=(*_opened(FACEBOOK, "Kaspersky", PLAIN, "www.kernel.org"), prove.page(FACEBOOK_URL)),
    ),
    Scenario(
        name="trusted_stranger_some_names",
        tells="a root that this computer was told to trust opens one platform and not others, without a product's name",
        world=lambda world: world_with(world, trusted=forgers.root(STRANGER)),
        rules=forged(STRANGER, FACEBOOK, page=LOGIN_PAGE),
        acceptable=(Words("no_network", "filter"), Words("inconclusive")),
        exit_codes=(3,),
        sound=(OTHER,),
        proofs=(*_opened(FACEBOOK, "Web Security Services"), prove.page(FACEBOOK_URL), prove.page(OTHER)),
    ),
    Scenario(
        name="forged_at_own_address_only",
        tells="a certificate by an authority that nobody knows, at the site's own address only: the site's new private issuer "
        "would look the same",
        rules=lambda world: tuple(
            dataclasses.replace(rule, when=at(world)) for rule in forged(STRANGER, FACEBOOK)(world)
        ),
        acceptable=(Words("blocked", "mitm"), *BROKEN),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            signed_by(FACEBOOK, FACEBOOK, "Web Security Services"),
            signed_by(NEUTRAL, FACEBOOK, "Lab Trust Services"),
        ),
    ),
)
