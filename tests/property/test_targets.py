"""Whatever is typed or written: an endpoint or a sentence, never another exception; and what is written is read back."""

import csv
import io
import tomllib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from targets.address import host_name, parse_endpoint
from targets.citizenlab import COLUMNS, read_csv, to_toml
from targets.lines import Broken, line_of, places, read
from targets.loader import CATALOGUE_DIR, SiteList, load_catalogue, site_list_from
from targets.model import Endpoint, TargetError
from targets.select import resolve
from targets.validate import check_files

CATALOGUE = load_catalogue()

PIECES = st.sampled_from(
    [
        "https://",
        "http://",
        "tcp://",
        "ftp://",
        "://",
        ":",
        ":0",
        ":443",
        ":99999",
        ":٣",
        "/",
        "//",
        "?",
        "#",
        "@",
        "@news",
        "@",
        "[",
        "]",
        "[::1]",
        "::1",
        "%",
        "%41",
        "%zz",
        ".",
        "..",
        "。",
        "-",
        "_",
        "xn--",
        "xn--a",
        "xn--e1afmkfd",
        "www",
        "a",
        "example.com",
        "пример",
        "рф",
        "ß",
        "ı",
        "İ",
        "℀",
        "½",
        "ﷺ",
        "\u200d",
        "\u202e",
        "\ud800",
        "\x00",
        "\t",
        "\\",
        "'",
        '"',
        "1",
        "127.1",
        "0x7f",
        "999",
        "①",
        "facebook",
        "фейсбук",
        "😀",
        "é",
    ]
)
WORDS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=6).map("".join))


@settings(max_examples=1500, deadline=None)
@given(st.lists(WORDS, max_size=3))
@example(["https://[::1"])
@example(["https://a\u2100b/"])
@example(["a" * 70 + ".рф"])
@example(["\udcff.example"])
@example(["PROTOCOL://WIREGUARD"])
def test_any_words_are_endpoints_or_a_sentence(words):
    """``TargetError`` and nothing else, on printable lines; or numbered endpoints that can be measured."""
    asked, fault = outcome(resolve, words, CATALOGUE)
    if asked is None:
        assert all(line.isprintable() and line for line in fault.split("\n"))
        return
    assert [item.number for item in asked] == list(range(len(asked)))
    for item in asked:
        assert_can_be_measured(item.endpoint)


def outcome(function, *arguments):
    """What *function* gives back, or what its ``TargetError`` says; any other exception fails the test."""
    try:
        return function(*arguments), ""
    except TargetError as fault:
        return None, str(fault)


def assert_can_be_measured(endpoint):
    assert endpoint.scheme in ("http", "https", "tcp") or (endpoint.app is not None and endpoint.app.ready)
    assert endpoint.url.isascii()
    assert endpoint.url.isprintable()
    assert " " not in endpoint.url
    assert endpoint.host
    assert endpoint.host == endpoint.host.lower()
    # A protocol is compared at a control, which says its own port.
    assert 1 <= endpoint.port <= 65_535 or (endpoint.scheme, endpoint.port) == ("protocol", 0)


@settings(max_examples=1500, deadline=None)
@given(WORDS)
def test_an_endpoint_is_its_own_word(word):
    """What comes out may be typed again and means the same."""
    endpoint, _fault = outcome(parse_endpoint, word)
    if endpoint is not None:
        assert parse_endpoint(endpoint.url) == endpoint


LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)
HOST = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABEL, min_size=1, max_size=3), st.just("kz"))


@given(HOST, st.integers(1, 65_535), st.sampled_from(["http", "https"]), LABEL)
def test_an_ordinary_url_stays_as_it_was_typed(host, port, scheme, path):
    """Letter by letter: the results name it as the user did."""
    for url in (f"{scheme}://{host}", f"{scheme}://{host}:{port}/{path}?{path}=1"):
        assert parse_endpoint(url) == Endpoint(url)
    assert parse_endpoint(f"tcp://{host}:{port}") == Endpoint(f"tcp://{host}:{port}")
    assert (parse_endpoint(host).host, parse_endpoint(host).port) == (host, 443)


@given(st.text("абвгдежзийклмнопрстуфхцчшщыэюяәғқңөұүһі", min_size=1, max_size=15))
def test_a_cyrillic_name_has_a_labels_that_mean_it(name):
    """Every Russian or Kazakh name can be asked for, and is the same name on the wire."""
    encoded = host_name(f"{name}.қаз")
    assert encoded.isascii()
    assert encoded.encode().decode("idna") == f"{name}.қаз"


@given(st.text(max_size=40))
def test_any_name_is_a_host_or_a_sentence(name):
    """International names, bad ones included."""
    host, fault = outcome(host_name, name)
    assert fault.isprintable() if host is None else host.isascii()


# ---------------------------------------------------------------------------------------------------------------------
# Citizen Lab lists

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
ROW = st.tuples(
    HOST.map(lambda host: f"http://{host}/"), st.sampled_from(["NEWS", "ANON", "GRP"]), CELL, CELL, CELL, CELL
)


def as_csv(rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *rows])
    return text.getvalue().encode()


def one_line(cell):
    return " ".join("".join(c if c.isprintable() else " " for c in cell).split())


@settings(deadline=None)
@given(st.lists(ROW, max_size=8, unique_by=lambda row: row[0]))
def test_a_list_comes_back_from_its_file(rows):
    """CSV in, TOML out, and the same rows from it, each with its origin."""
    imported = read_csv(as_csv(rows))
    assert imported.rejected == ()
    made = SiteList(name="mine", origin='a "b"\\.csv', imported="2026-11-21", sites=imported.sites)
    assert site_list_from(tomllib.loads(to_toml(made))) == made
    assert [(s.url, s.category, s.added, s.source, s.notes) for s in made.sites] == [
        (url, category, one_line(added), one_line(source), one_line(notes))
        for url, category, _description, added, source, notes in rows
    ]


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=8, unique_by=lambda row: row[0]))
def test_the_line_of_a_row_is_where_it_begins_in_the_csv(rows):
    """A cell may span lines; the row still begins where its URL stands."""
    content = as_csv(rows)
    lines = io.StringIO(content.decode(), newline="").readlines()
    for site in read_csv(content).sites:
        assert lines[site.line - 1].startswith(site.url + ",")


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(lambda tail: b"url,category_code\n" + tail)))
def test_any_bytes_are_a_list_or_a_sentence(content):
    """Never another exception, and every row that is not there has its line."""
    imported, fault = outcome(read_csv, content)
    if imported is None:
        assert fault.isprintable()
    else:
        assert all(row.line >= 2 for row in imported.rejected)


# ---------------------------------------------------------------------------------------------------------------------
# TOML that people write

SHIPPED = [path.read_text() for path in sorted(CATALOGUE_DIR.glob("*.toml"))]
STATEMENTS = st.sampled_from(
    [line for text in SHIPPED[:6] for line in text.splitlines()]
    + [
        "[names]",
        "[[site]]",
        "[list]",
        'id = "x',
        "a = [1 2]",
        "x",
        "a.b = 1",
        'a = """',
        "'",
        "]",
        "{",
        "a = {b = 1}",
        "#",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(STATEMENTS, max_size=12).map("\n".join))
def test_any_file_is_right_or_has_faults_with_lines(tmp_path_factory, text):
    """Whatever is in a user's file, the validator ends with faults inside the file and never raises."""
    path = tmp_path_factory.mktemp("own") / "own.toml"
    path.write_text(text)
    checked = check_files([path])
    for problem in checked.problems:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert str(problem).isprintable()
    assert bool(checked.values) != bool(checked.problems)


@settings(max_examples=400, deadline=None)
@given(st.lists(STATEMENTS, max_size=12).map("\n".join))
def test_every_key_of_a_readable_file_has_the_line_it_stands_on(text):
    """The places are those of the values, and each line holds its key."""
    values = read(text)
    if isinstance(values, Broken):
        assert values.faults
        return
    known = places(text)
    lines = text.split("\n")
    for place in walked(values):
        line = lines[line_of(known, place) - 1]
        if isinstance(place[-1], str):
            assert place[-1] in line


def walked(value, place=()):
    if place:
        yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walked(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walked(inner, (*place, index))
