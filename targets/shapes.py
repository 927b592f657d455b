"""What a file of targets may hold, key by key. The faults of one value are told here, in words for who wrote it.

Imported only where there is something to look at: pydantic costs more than the rest of a start-up.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from targets.address import host_name, parse_endpoint, shown
from targets.categories import CATEGORIES
from targets.loader import COMPUTED
from targets.model import Rule, TargetError

T = TypeVar("T")


def _fault(message: str) -> PydanticCustomError:
    # Braces would be read as a template.
    return PydanticCustomError("plain", "{message}", {"message": message})


def _endpoint(url: str) -> str:
    try:
        parse_endpoint(url)
    except TargetError as fault:
        raise _fault(str(fault)) from None
    if "://" not in url:
        raise _fault(f"{shown(url)} needs its scheme here: https://, http:// or tcp://host:port.")
    return url


def _host(name: str) -> str:
    try:
        return host_name(name)
    except TargetError as fault:
        raise _fault(str(fault)) from None


def _loopback(address: str) -> str:
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise _fault(f"{shown(address)} is no loopback address such as 127.0.0.2.")


_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?|date unknown", re.ASCII)


def _date(value: Any) -> Any:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, str) and _DATE.fullmatch(value) and _exists(value):
        return value
    raise _fault('is no date: write 2021-03-31, or "2021-03", "2021" or "date unknown".')


def _exists(date: str) -> bool:
    try:
        dt.date.fromisoformat((date + "-01-01")[:10] if date[0].isdigit() else "2000-01-01")
    except ValueError:
        return False
    return True


def _category(code: str) -> str:
    if code not in CATEGORIES:
        raise _fault(f"{shown(code)} is no category code. One of: {', '.join(sorted(CATEGORIES))}.")
    return code


def _list_name(name: str) -> str:
    if name in COMPUTED:
        raise _fault(f"the list '{name}' is worked out and cannot be joined by hand: leave it out.")
    return name


_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Name = Annotated[str, Field(pattern=_NAME, max_length=40)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Url = Annotated[str, AfterValidator(_endpoint)]
Date = Annotated[str, BeforeValidator(_date)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ServiceFile(Strict):
    """``[services.NAME]``."""

    rule: Rule
    endpoints: Annotated[list[Url], Field(min_length=1)]
    main: bool = False
    own_root: bool = False
    any_status: bool = False
    handshake_only: list[Url] = []
    loopback_answers: list[Annotated[str, AfterValidator(_loopback)]] = []
    outage_answers: list[Annotated[str, AfterValidator(_loopback)]] = []
    vendor_sign: bool = False
    retired: Date | None = None

    @field_validator("handshake_only")
    @classmethod
    def _are_its_own(cls, value: list[str], info: ValidationInfo) -> list[str]:
        for url in value:
            if url not in info.data.get("endpoints", ()) or not url.startswith("https://"):
                raise _fault(f"{shown(url)} is none of this service's https:// endpoints.")
        return value

    @field_validator("outage_answers")
    @classmethod
    def _are_answers(cls, value: list[str], info: ValidationInfo) -> list[str]:
        for answer in value:
            if answer not in info.data.get("loopback_answers", ()):
                raise _fault(f"{shown(answer)} is none of loopback_answers.")
        return value

    @field_validator("vendor_sign")
    @classmethod
    def _has_answers(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("loopback_answers") == []:
            raise _fault("needs loopback_answers: the addresses that the vendor's sign is given with.")
        return value


class PlatformFile(Strict):
    """A platform."""

    id: Name
    names: Annotated[dict[Literal["en", "ru", "kk"], Text], Field(min_length=1)]
    category: Annotated[str, AfterValidator(_category)]
    services: Annotated[dict[Name, ServiceFile], Field(min_length=1)]
    lists: list[Annotated[Name, AfterValidator(_list_name)]] = []
    networks: list[Annotated[int, Field(ge=1, lt=2**32)]] = []
    domestic_cdn: bool = False
    aliases: list[Text] = []
    retired: Date | None = None
    why: str = ""
    sources: list[Text] = []
    notes: str = ""

    @field_validator("services")
    @classmethod
    def _one_main(cls, value: dict[str, ServiceFile]) -> dict[str, ServiceFile]:
        mains = [name for name, service in value.items() if service.main]
        if len(mains) > 1:
            raise _fault(f"only one service can be the main one, and {' and '.join(mains)} say that they are.")
        if any(value[name].vendor_sign or value[name].retired is not None for name in mains):
            raise _fault(f"{mains[0]} cannot be the main service: it is not measured.")
        return value


class ListHead(Strict):
    """``[list]``: what was imported, and when."""

    name: Annotated[Name, AfterValidator(_list_name)]
    origin: Text
    imported: Date


class SiteFile(Strict):
    """``[[site]]``: one row of what was imported."""

    url: Url
    category: str = ""
    added: str = ""
    source: str = ""
    notes: str = ""
    line: Annotated[int, Field(ge=0)] = 0


class ListFile(Strict):
    """A list that was imported."""

    head: Annotated[ListHead, Field(alias="list")]
    site: Annotated[list[SiteFile], Field(min_length=1)]


def _host_and_port(where: str) -> str:
    try:
        parse_endpoint(f"tcp://{where}")
    except TargetError:
        raise _fault(f"{shown(where)} is no host with a port, such as stun.example.org:3478.") from None
    return where


class HostCanary(Strict):
    """A canary that is a host name."""

    where: Annotated[str, AfterValidator(_host)]
    operator: Text


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise _fault(f"{shown(text)} is no IP address.") from None
    return text


class AddressCanary(Strict):
    """A canary that is an address."""

    where: Annotated[str, AfterValidator(_address)]
    operator: Text


def _plain_http(url: str) -> str:
    if not url.startswith("http://"):
        raise _fault(f"{shown(url)} must start with http://: a captive portal cannot answer for https.")
    return _endpoint(url)


class PortalCanary(Strict):
    """A page over plain HTTP whose answer is known beforehand."""

    where: Annotated[str, AfterValidator(_plain_http)]
    operator: Text
    status: Annotated[int, Field(ge=100, le=599)]
    expect: str


def _two_operators(members: list[T]) -> list[T]:
    if len({getattr(member, "operator", None) for member in members}) < 2:
        raise _fault("a family needs two members of different operators: one alone can never be said to have failed.")
    return members


HostFamily = Annotated[list[HostCanary], AfterValidator(_two_operators)]
AddressFamily = Annotated[list[AddressCanary], AfterValidator(_two_operators)]


class CanariesFile(Strict):
    """``canaries.toml``; only the families that are in it take the place of the shipped ones."""

    version: str = ""
    ad_domains: list[Annotated[str, AfterValidator(_host)]] = []
    http3: list[Annotated[str, AfterValidator(_host)]] = []
    stun: list[Annotated[str, AfterValidator(_host_and_port)]] = []
    domestic: HostFamily | None = None
    foreign: HostFamily | None = None
    literal: AddressFamily | None = None
    portal: Annotated[list[PortalCanary], AfterValidator(_two_operators)] | None = None
    resolver: AddressFamily | None = None
    clock: HostFamily | None = None
    innocuous: dict[str, list[Annotated[str, AfterValidator(_host)]]] = {}
