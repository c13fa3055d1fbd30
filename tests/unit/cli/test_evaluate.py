"""`gradeline evaluate`: logs of many shapes are read, bad lines named, figures told."""

import gzip
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from cli.answer_log import Doubt, read_log
from cli.main import main
from cli.ndjson import BadLine
from pipeline.errors import EnvironmentFault
from pipeline.learning.replay import UNTIMED, LoggedAnswer

LOG = "user,item,skill,correct\nu,a,s,1\nu,b,s,0\nv,a,s,1\n"


def evaluate(*arguments: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)], input=given)


def read(text: str, **named: str) -> list[LoggedAnswer | BadLine | Doubt]:
    return list(read_log(text.splitlines(keepends=True), named))


@pytest.mark.parametrize(
    "text",
    [
        "user,item,skill,correct\nu,a,s,1\n",
        "Student ID,problem_id,skill_name,Is-Correct\nu,a,s,TRUE\n",
        'correct\tuserId\tquestionId\tKC\n1.0\t"u"\ta\ts\n',
        "user;item;skill;correct;time\nu;a;s;1;\n",
    ],
)
def test_headers_of_many_kinds_name_the_same_columns(text: str) -> None:
    assert read(text) == [LoggedAnswer("u", "a", True, ("s",))]


def test_a_named_header_goes_before_the_usual_ones() -> None:
    assert read("user,item,Step,correct\nu,a,b,0\n", item="step") == [LoggedAnswer("u", "b", False)]


def test_a_log_without_a_needed_column_is_refused_by_name() -> None:
    with pytest.raises(EnvironmentFault, match="no column 'user'"):
        read("item,correct\na,1\n")
    with pytest.raises(EnvironmentFault, match="no column 'step'"):
        read("user,item,correct\nu,a,1\n", item="step")


def test_all_columns_that_lack_are_named_with_the_ways_they_may_be_called() -> None:
    with pytest.raises(EnvironmentFault) as refused:
        read("who,problem_id,ok\na,b,1\n")
    said = str(refused.value)
    assert "no column 'user' (nor user_id," in said
    assert "no column 'correct' (nor is_correct," in said
    assert "no column 'item'" not in said
    assert "--column user=HEADER" in said
    assert said.endswith("Its header is: who, problem_id, ok")


@pytest.mark.parametrize(
    "raw",
    [LOG.encode("utf-16"), gzip.compress(LOG.encode(), mtime=0), b"PK\x03\x04\x14\x00user,item"],
    ids=["UTF-16", "gzip", "zip"],
)
def test_a_file_that_is_no_text_is_refused_in_one_sentence(raw: bytes) -> None:
    done = CliRunner().invoke(main, ["evaluate", "skills", "-"], input=raw)
    assert done.exit_code == 1
    assert done.stderr == "Error: the file is no CSV in UTF-8 or Latin-1; unpack it, or save it as CSV\n"


def test_a_log_as_windows_saves_it_is_read_as_any_other(tmp_path: Path) -> None:
    """A byte order mark, ends of lines with a carriage return, quotes, and letters of Latin-1 in header and cells."""
    log = tmp_path / "log.csv"
    log.write_bytes(
        b'\xef\xbb\xbf"user_id";"problem_id";"correct";"ma\xdf"\r\n"Jos\xe9";"p";1.0;x\r\n"Jos\xe9";"q";True;x\r\n'
        b'"x";"p";0.00;"y"\r\n'
    )
    done = evaluate("skills", log)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "3 answers, 0 lines left out" in done.stdout


UNSORTED = """\
order_id,user_id,problem_id,skill_name,correct,start_time
30,u,b,loops,0,2026-01-03
10,u,a,loops,1,2026-01-01
20,v,a,,1.0,2026-01-02 10:00:00.5
10,u,a,lists,1,2026-01-01
20,v,a,lists,1,2026-01-02 10:00:00.5
10,u,a,loops,0,2026-01-01
"""


def test_answers_are_put_in_the_order_of_a_column_and_their_skills_together() -> None:
    found = [one for one in read(UNSORTED, order="order_id") if isinstance(one, LoggedAnswer)]
    assert [(one.user, one.item, one.correct, one.skills) for one in found] == [
        ("u", "a", True, ("loops", "lists")),
        ("u", "a", False, ("loops",)),
        ("v", "a", True, ("lists",)),
        ("u", "b", False, ("loops",)),
    ]


def test_an_order_by_time_is_that_by_number() -> None:
    assert read(UNSORTED, order="start_time") == read(UNSORTED, order="order_id")


def test_a_line_without_a_place_in_the_order_is_a_bad_line() -> None:
    bad, answer = read("user,item,correct,n\nu,a,1,soon\nu,b,1,2\n", order="n")
    assert bad == BadLine(2, "order is 'soon', which is neither a number nor ISO 8601")
    assert answer == LoggedAnswer("u", "b", True)
    assert read("user,item,correct,n\nu,a,1,nan\n", order="n") == [
        BadLine(2, "order is 'nan', which is neither a number nor ISO 8601")
    ]


def test_times_that_run_backwards_are_told_until_an_order_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(UNSORTED)
    assert "3 answers come after later ones of the same learner" in evaluate("skills", log).stderr
    sorted_by_id = evaluate("skills", log, "--column", "order=order_id")
    assert (sorted_by_id.exit_code, sorted_by_id.stderr) == (0, "")
    assert "4 answers, 0 lines left out" in sorted_by_id.stdout
    told = msgspec.json.decode(evaluate("skills", log, "--json").stdout)
    assert (told["answers"], told["backwards"]) == (6, 3)


def test_a_first_attempt_that_asks_for_a_hint_is_wrong() -> None:
    log = "Anon Student Id\tProblem Name\tFirst Attempt\nu\ta\thint\nu\ta\tcorrect\n"
    answers = read(log, correct="First Attempt")
    assert [one.correct for one in answers if isinstance(one, LoggedAnswer)] == [False, True]


ASSISTMENTS_2009 = """\
order_id,assignment_id,user_id,assistment_id,problem_id,original,correct,attempt_count,ms_first_response,tutor_mode,\
answer_type,sequence_id,skill_id,skill_name,hint_count,opportunity
33022537,277618,64525,33139,51424,1,1,1,32454,tutor,algebra,5948,1,Box and Whisker,0,1
33022709,277618,64525,33150,51435,1,0,1,4922,tutor,choose_1,5948,1,Box and Whisker,2,2
35450204,220674,70363,33159,51444,0,0,2,42000,tutor,algebra,5948,,,0,1
35450295,220674,70363,33110,51395,1,1,1,,tutor,algebra,5948,,NA,0,2
"""
ASSISTMENTS_2017 = """\
studentId,MiddleSchoolId,NumActions,skill,problemId,problemType,startTime,endTime,timeTaken,correct,original,hint
8,2,1056,properties-of-geometric-figures,1066,textfieldquestion,1096470301,1096470350,49.000,0,1,0
8,2,1056,properties-of-geometric-figures,1066,textfieldquestion,1096470350,1096470353,3.000,1,1,0
9,2,17,noskill,107,radioquestion,1096470400,1096470404,4.000,1,1,0
"""
STATICS = """\
Row\tAnon Student Id\tProblem Hierarchy\tProblem Name\tProblem View\tStep Name\tStep Start Time\t\
First Transaction Time\tFirst Attempt\tIncorrects\tHints\tKC (F2011)\tOpportunity (F2011)\tKC (Single-KC)
1\tStu_1\tunit concentrated forces, module m1\tforces_1\t1\tq1_i1 UpdateComboBox\t2011-09-20 17:36:00\t\
2011-09-20 17:36:20\tcorrect\t0\t0\trepresent_interaction~~find_moment\t1~~1\tSingle-KC
2\tStu_1\tunit concentrated forces, module m1\tforces_1\t1\tq1_i2 UpdateComboBox\t.\t2011-09-20 17:36:41\t\
hint\t0\t1\t\t\tSingle-KC
3\tStu_2\tunit concentrated forces, module m1\tforces_1\t1\tq1_i1 UpdateComboBox\t.\t2011-09-20 18:00:02\t\
incorrect\t2\t0\tfind_moment\t1\tSingle-KC
"""


def answers_in(log: str, **named: str) -> list[tuple[str, str, bool, tuple[str, ...]]]:
    found = read(log, **named)
    assert all(isinstance(one, LoggedAnswer) for one in found), found
    return [(one.user, one.item, one.correct, one.skills) for one in found if isinstance(one, LoggedAnswer)]


def test_a_log_in_the_shape_of_assistments_2009_is_read_as_it_is() -> None:
    assert answers_in(ASSISTMENTS_2009) == [
        ("64525", "51424", True, ("1",)),
        ("64525", "51435", False, ("1",)),
        ("70363", "51444", False, ("general",)),
        ("70363", "51395", True, ("general",)),
    ]
    assert answers_in(ASSISTMENTS_2009, skill="skill_name")[0][3] == ("Box and Whisker",)


def test_a_log_in_the_shape_of_assistments_2017_is_read_as_it_is() -> None:
    assert [one[:3] for one in answers_in(ASSISTMENTS_2017)] == [
        ("8", "1066", False),
        ("8", "1066", True),
        ("9", "107", True),
    ]
    (first, *_) = read(ASSISTMENTS_2017)
    assert isinstance(first, LoggedAnswer)
    assert first.at.year == 2004


def test_a_log_in_the_shape_of_statics_has_steps_for_items_and_models_of_skills() -> None:
    assert answers_in(STATICS) == [
        ("Stu_1", "forces_1 / q1_i1 UpdateComboBox", True, ("represent_interaction", "find_moment")),
        ("Stu_1", "forces_1 / q1_i2 UpdateComboBox", False, ("general",)),
        ("Stu_2", "forces_1 / q1_i1 UpdateComboBox", False, ("find_moment",)),
    ]
    assert answers_in(STATICS, item="Problem Name")[0][1] == "forces_1"
    assert answers_in(STATICS, skill="KC (Single-KC)")[0][3] == ("Single-KC",)


@pytest.mark.parametrize("log", [ASSISTMENTS_2009, ASSISTMENTS_2017, STATICS])
def test_logs_in_public_shapes_are_evaluated(tmp_path: Path, log: str) -> None:
    file = tmp_path / "log.csv"
    file.write_text(log)
    done = evaluate("skills", file, "--json")
    assert done.exit_code == 0, done.stderr
    told = msgspec.json.decode(done.stdout)
    assert (told["answers"], told["left_out"], told["doubted"]) == (len(log.splitlines()) - 1, 0, 0)


def test_several_skills_are_split_and_none_is_general() -> None:
    answers = read("user,item,skill,correct\nu,a,s~~t~~s,1\nu,a,,1\nu,a,NA,1\n")
    assert [one.skills for one in answers if isinstance(one, LoggedAnswer)] == [("s", "t"), ("general",), ("general",)]


@pytest.mark.parametrize("time", ["2026-03-09T12:00:00+00:00", "2026-03-09 12:00", "1773057600", "1773057600000"])
def test_times_are_read_as_iso_or_seconds_or_milliseconds(time: str) -> None:
    (answer,) = read(f"user,item,correct,time\nu,a,1,{time}\n")
    assert isinstance(answer, LoggedAnswer)
    assert answer.at.isoformat() == "2026-03-09T12:00:00+00:00"


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("u,a,s", "has only 3 columns"),
        ("u,a,s,0.5", "correct is '0.5', which is neither right (1) nor wrong (0)"),
        (",a,s,1", "user is empty"),
        ("u,NaN,s,1", "item is empty"),
    ],
)
def test_a_bad_line_is_named_and_the_next_one_read(line: str, detail: str) -> None:
    assert read(f"user,item,skill,correct\n{line}\nu,a,s,1\n") == [
        BadLine(2, detail),
        LoggedAnswer("u", "a", True, ("s",)),
    ]


def test_a_field_beyond_all_bounds_is_a_bad_line() -> None:
    found = read(f"user,item,correct\nu,{'a' * 200_000},1\nu,b,1\n")
    assert isinstance(found[0], BadLine)
    assert found[1] == LoggedAnswer("u", "b", True)


@pytest.mark.parametrize(
    ("cells", "at", "choices", "difficulty"),
    [
        ("soon,4,2", UNTIMED, 4, 2),
        ("99999999999999999999,4,2", UNTIMED, 4, 2),
        ("0,many,2", UNTIMED, 0, 2),
        ("0,4,6", UNTIMED, 4, 3),
        ("0,4,2.5", UNTIMED, 4, 3),
    ],
)
def test_an_extra_that_cannot_be_read_is_doubted_and_the_answer_kept(
    cells: str, at: datetime, choices: int, difficulty: int
) -> None:
    doubt, answer = read(f"user,item,correct,time,choices,difficulty\nu,a,1,{cells}\n")
    assert isinstance(doubt, Doubt)
    assert answer == LoggedAnswer("u", "a", True, at=at, choices=choices, difficulty=difficulty)


def test_the_figures_of_a_small_log_are_told(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(LOG + "u,c,s,maybe\n")
    done = evaluate("skills", log, "--json")
    told = msgspec.json.decode(done.stdout)
    assert done.exit_code == 0
    assert (told["answers"], told["left_out"]) == (3, 1)
    assert list(told["models"]) == ["gradeline", "elo", "item mean", "mean"]
    assert told["remarks"][0]["number"] == 5
    # Right, wrong, right were predicted .5, 1, .5 by the mean: the wrong one above both others.
    assert told["models"]["mean"]["auc"] == 0.0
    assert len(told["models"]["gradeline"]["calibration"]) == 10


def test_the_table_comes_with_a_chart_in_text_and_in_svg(tmp_path: Path) -> None:
    log, chart = tmp_path / "log.csv", tmp_path / "chart.svg"
    log.write_text(LOG)
    done = evaluate("skills", log, "--chart", chart)
    assert "3 answers, 0 lines left out" in done.stdout
    assert chart.read_text().count("<circle") == done.stdout.count("observed 0.") + done.stdout.count("observed 1.") > 0


def test_standard_input_is_read_and_bytes_that_are_no_utf8_do_no_harm() -> None:
    done = CliRunner().invoke(main, ["evaluate", "skills", "-"], input=LOG.encode() + b"\xff,\xfe,s,\xfd\nu,a,\xff,1\n")
    assert done.exit_code == 0, done.output
    assert "4 answers, 1 lines left out" in done.stdout


@pytest.mark.parametrize("text", ["", "user,item,correct\n", "user,item,correct\nu,a,x\n"])
def test_a_log_without_answers_is_an_error(tmp_path: Path, text: str) -> None:
    log = tmp_path / "log.csv"
    log.write_text(text)
    done = evaluate("skills", log)
    assert done.exit_code == 1
    assert "Error: " in done.stderr


def test_a_wrong_column_option_is_wrong_usage(tmp_path: Path) -> None:
    assert evaluate("skills", tmp_path / "x", "--column", "colour=red").exit_code == 2


def test_a_synthetic_log_is_read_back_without_a_remark(tmp_path: Path) -> None:
    log, truth = tmp_path / "log.csv", tmp_path / "items.csv"
    made = evaluate("synthesize", log, "--learners", "30", "--items", "8", "--topics", "2", "--truth", truth)
    assert made.exit_code == 0, made.output
    told = msgspec.json.decode(evaluate("skills", log, "--json", "--truth", truth).stdout)
    assert (told["answers"], told["left_out"], told["doubted"]) == (240, 0, 0)
    assert 0.5 < told["rank_correlation"]["gradeline"] <= 1.0
    assert "rank correlation of learnt and true difficulties 0." in evaluate("skills", log, "--truth", truth).stdout
    assert len(truth.read_text().splitlines()) == 9


def test_a_truth_without_difficulties_is_an_error(tmp_path: Path) -> None:
    log, truth = tmp_path / "log.csv", tmp_path / "items.csv"
    log.write_text(LOG)
    truth.write_text("item,difficulty\na,hard\n")
    assert "no CSV with the columns item and difficulty" in evaluate("skills", log, "--truth", truth).stderr
    truth.write_text("item,difficulty\nzzz,1\n")
    assert evaluate("skills", log, "--truth", truth).stdout.count("difficulties unknown") == 1
