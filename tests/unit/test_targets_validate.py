"""Files that people wrote: every fault at once, with its line and what to do."""

import pytest

from targets.lines import Broken, line_of, places, read
from targets.loader import CatalogueError, load_canaries, load_catalogue
from targets.validate import check_files

GOOD = """\
id = "good"
category = "NEWS"
names = { en = "Good" }

[services.web]
rule = "all-of"
endpoints = ["https://good.example/"]
"""


def faults(tmp_path, text, name="own.toml"):
    """The faults of *text* as ``line: message``."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    checked = check_files([path])
    assert bool(checked.values) != bool(checked.problems)
    return [f"{problem.line}: {problem.message}" for problem in checked.problems]


def test_a_right_file_has_no_fault(tmp_path):
    """The least that a platform needs."""
    assert faults(tmp_path, GOOD) == []


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_right(tmp_path):
    """Notepad writes both."""
    assert faults(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()) == []
    assert [p.id for p in load_catalogue(tmp_path).platforms if p.id == "good"] == ["good"]


def test_a_broken_file_with_windows_lines_is_told_the_same(tmp_path):
    """The line ends must not hide where a table begins."""
    text = 'category = "NEWS"\nid = "x\n[services.web]\nrule = 1\n'
    expected = [
        "2: a quote is opened and not closed on the same line.",
        "4: services.web.rule: '1' is not one of 'any-of', 'all-of' or 'each'.",
    ]
    assert faults(tmp_path, text) == expected
    assert faults(tmp_path, text.replace("\n", "\r\n")) == expected


def test_every_fault_of_a_file_is_told_at_once(tmp_path):
    """In order of line, each with what to do."""
    text = """\
id = "Bad ID"
category = "NWS"
lists = ["default", "mine", "mine"]
networks = [0, "12"]
sevices = 3
retired = "2021-13"

[names]
en = ""
de = "Y"

[services.web]
rule = "any"
endpoints = ["https://a.example/", "ftp://x",
   "a.example",
   "https://пример.рф/", "https://a.example:0/"]
loopback_answers = ["192.0.2.1"]
own_rot = true

[services.w]
vendor_sign = true
rule = "each"
endpoints = []
"""
    assert faults(tmp_path, text) == [
        "1: id: 'Bad ID' must be of small letters a-z, digits and single hyphens.",
        (
            "2: category: 'NWS' is no category code. One of: ALDR, ANON, COMM, COMT, CTRL, CULTR, DATE, ECON, ENV, FILE, "
            "GAME, GMB, GOVT, GRP, HACK, HATE, HOST, HUMR, IGO, LGBT, MILX, MISC, MMED, NEWS, POLR, PORN, PROV, PUBH, REL, "
            "SRCH, XED."
        ),
        "3: lists[0]: the list 'default' is worked out and cannot be joined by hand: leave it out.",
        "3: lists[2]: 'mine' is there twice.",
        "4: networks[0]: is too small.",
        "4: networks[1]: must be a whole number, without quotes.",
        "5: sevices: there is no such key. Did you mean services?",
        '6: retired: is no date: write 2021-03-31, or "2021-03", "2021" or "date unknown".',
        "9: names.en: must not be empty.",
        "10: names.de: 'de' is not one of 'en', 'ru' or 'kk'.",
        "13: services.web.rule: 'any' is not one of 'any-of', 'all-of' or 'each'.",
        (
            "14: services.web.endpoints[1]: 'ftp://x' starts with 'ftp://', which cannot be measured. Use https://, "
            "http:// or tcp://host:port."
        ),
        "15: services.web.endpoints[2]: 'a.example' needs its scheme here: https://, http:// or tcp://host:port.",
        "16: services.web.endpoints[4]: 'https://a.example:0/' has port 0: a port is a number from 1 to 65535.",
        "17: services.web.loopback_answers[0]: '192.0.2.1' is no loopback address such as 127.0.0.2.",
        "18: services.web.own_rot: there is no such key. Did you mean own_root?",
        "21: services.w.vendor_sign: needs loopback_answers: the addresses that the vendor's sign is given with.",
        "23: services.w.endpoints: must not be empty.",
    ]


def test_broken_toml_is_told_line_by_line_together_with_what_can_still_be_read(tmp_path):
    """One open quote does not hide the next fault."""
    text = """\
id = "good
category = "NEWS"
networks = [1 2]
whyy = "x"
retired = soon
this is nothing
"""
    assert faults(tmp_path, text) == [
        "1: a quote is opened and not closed on the same line.",
        "3: a [ is opened and never closed, or a comma is missing between two values.",
        "4: whyy: there is no such key. Did you mean why?",
        '5: what stands after the = is no value: text goes in "double quotes", dates are 2026-11-21.',
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = 1\nb\n", "2: there is no = after the key."),
        ("a = 1 2\n", "1: something is left over at the end of the line."),
        ('a = "x\nb = 1\n', "1: a quote is opened and not closed on the same line."),
        ('# why\n\na = """x\n', "3: a quote is opened and never closed."),
        ("a = [1,\n  2\n", "1: a [ is opened and never closed, or a comma is missing between two values."),
        ('a = "\\q"\n', "1: a backslash inside double quotes must be written twice, or use 'single quotes'."),
        ("a = 1\nb = 2\na = 3\n", "3: this key is already set further up."),
        ("[a]\n[b]\n[a]\n", "3: this table is already there further up."),
        ("a = 1\n= 2\n", "2: this is neither a [table], nor key = value, nor a # comment."),
        ("[a\nb = 1\n", "1: a table's name is not closed with ]."),
    ],
)
def test_each_kind_of_broken_toml_in_plain_words(tmp_path, text, fault):
    """People who write a file by hand do not know the parser's words."""
    assert faults(tmp_path, text)[0] == fault


def test_text_in_another_encoding_is_told_with_its_line(tmp_path):
    """Old editors still write Windows-1251."""
    text = GOOD.replace('"Good"', '"Медуза"').encode("cp1251")
    assert faults(tmp_path, text) == ["3: is not UTF-8 text: save the file as UTF-8."]


def test_what_is_missing_is_told_with_an_example(tmp_path):
    """Everything that an empty file lacks."""
    assert faults(tmp_path, "") == [
        '1: id: is missing. Add for example id = "my-platform".',
        '1: names: is missing. Add a table [names] with en = "…" (and ru, kk).',
        '1: category: is missing. Add a Citizen Lab category code, for example category = "NEWS".',
        "1: services: is missing. Add a table [services.web] with a rule and endpoints.",
    ]


def test_a_fault_in_a_long_array_has_the_line_of_the_element(tmp_path):
    """Not of the key that the array belongs to."""
    rows = "\n".join(f'  "https://e{n}.example/",' for n in range(20))
    text = GOOD.replace('["https://good.example/"]', f'[\n{rows}\n  "https://e3.example/",\n]')
    assert faults(tmp_path, text) == ["28: services.web.endpoints[20]: 'https://e3.example/' is there twice."]


def test_a_family_of_canaries_with_one_operator_is_a_fault(tmp_path):
    """Two sites of one operator fail together."""
    text = """\
[[domestic]]
where = "a.example"
operator = "One"
[[domestic]]
where = "b.example"
operator = "One"
[[portal]]
where = "https://c.example/"
operator = "Two"
[[literal]]
where = "c.example"
operator = "Two"
"""
    assert faults(tmp_path, text, "canaries.toml") == [
        "1: domestic: a family needs two members of different operators: one alone can never be said to have failed.",
        "7: portal[0].status: is missing.",
        "7: portal[0].expect: is missing.",
        "8: portal[0].where: 'https://c.example/' must start with http://: a captive portal cannot answer for https.",
        "11: literal[0].where: 'c.example' is no IP address.",
    ]
    with pytest.raises(CatalogueError, match="a family needs two members"):
        load_canaries(tmp_path)


def test_two_files_cannot_claim_the_same_id_name_or_list(tmp_path):
    """A word means one thing; the shipped platforms' words are taken too."""
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(GOOD)
    (tmp_path / "c.toml").write_text(GOOD.replace('"good"', '"other"').replace('"Good"', '"Фейсбук"'))
    (tmp_path / "d.toml").write_text(GOOD.replace('"good"', '"more"'))
    site = '[list]\nname = "{}"\norigin = "x.csv"\nimported = 2026-11-21\n[[site]]\nurl = "https://a.example/"\n'
    (tmp_path / "e.toml").write_text(site.format("news"))
    with pytest.raises(CatalogueError) as fault:
        load_catalogue(tmp_path)
    assert str(fault.value).splitlines() == [
        f"{tmp_path}/b.toml:1: id: 'good' is already in {tmp_path}/a.toml.",
        f"{tmp_path}/c.toml:3: names.en: 'Фейсбук' already means 'facebook'.",
        f"{tmp_path}/d.toml:3: names.en: 'Good' already means 'good'.",
        f"{tmp_path}/e.toml:2: list.name: '@news' is already taken by a list of platforms.",
    ]


def test_the_place_of_a_shipped_platform_frees_its_names(tmp_path):
    """Where the user's own Facebook is called otherwise, another file may take its name."""
    (tmp_path / "a.toml").write_text(GOOD.replace('"good"', '"facebook"').replace('"Good"', '"Meta"'))
    (tmp_path / "b.toml").write_text(GOOD.replace('"Good"', '"Фейсбук"'))
    assert len(load_catalogue(tmp_path).platforms) == 40


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    """A directory by that name, for example."""
    (tmp_path / "own.toml").mkdir()
    with pytest.raises(CatalogueError, match=r"own\.toml:1: cannot be read: Is a directory\."):
        load_catalogue(tmp_path)


def test_a_targets_directory_that_is_a_file_is_told(tmp_path):
    """The setting may be wrong."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogueError, match="the target files cannot be read: Not a directory"):
        load_catalogue(tmp_path / "file")


def test_dates_may_be_written_without_quotes(tmp_path):
    """TOML has dates of its own."""
    (tmp_path / "own.toml").write_text("retired = 2020-01-02\n" + GOOD)
    (good,) = [platform for platform in load_catalogue(tmp_path).platforms if platform.id == "good"]
    assert good.retired == "2020-01-02"
    assert good.lists == ()


def test_places_know_the_line_of_every_form_that_toml_has():
    """Dotted keys, inline tables, nested arrays, strings over lines, arrays of tables, quoted keys."""
    text = '''# one
a.b = [ 1, # two ]
  "]", [2,
   3], { k = 1, "q r" = 2 } ]
"c d" = """
x = 1
"""
[[e]]
f = 1
[[e]]
f = 'it''s not two'
[e.g]
h = 1
'''.replace("'it''s not two'", "'#'")
    known = places(text)
    expected = {
        ("a", "b", 0): 2,
        ("a", "b", 1): 3,
        ("a", "b", 2, 1): 4,
        ("a", "b", 3, "q r"): 4,
        ("c d",): 5,
        ("e", 0, "f"): 9,
        ("e", 1): 10,
        ("e", 1, "f"): 11,
        ("e", 1, "g", "h"): 13,
    }
    assert {place: line_of(known, place) for place in expected} == expected
    assert line_of(known, ("e", 1, "nowhere", 3)) == 10
    assert line_of(known, ("nowhere",)) == 1


def test_a_deeply_nested_file_is_a_fault_and_no_crash():
    """Ten thousand brackets in a row end neither the parser nor us."""
    assert isinstance(read("a = " + "[" * 10_000), Broken)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("main = true\n[services.b]\nrule = 'each'\nendpoints = ['https://b.example/']\nmain = true",
         "5: services: only one service can be the main one, and web and b say that they are."),
        ("main = true\nretired = 2020-01-01", "5: services: web cannot be the main service: it is not measured."),
        ("handshake_only = ['https://other.example/']",
         "8: services.web.handshake_only: 'https://other.example/' is none of this service's https:// endpoints."),
        ("loopback_answers = ['127.0.0.1']\noutage_answers = ['127.0.0.2']",
         "9: services.web.outage_answers: '127.0.0.2' is none of loopback_answers."),
    ],
)  # fmt: skip
def test_what_carries_a_platform_is_one_part_that_is_measured(tmp_path, more, fault):
    """And what is said of single endpoints or answers is said of ones that there are."""
    assert faults(tmp_path, GOOD + more.replace("'", '"') + "\n") == [fault.replace('"', "'")]
