"""`hsbench report`: what stands in the page, read by Python's parser; test_html_report_browser has what it does."""

from __future__ import annotations

import base64
import csv
import functools
import io
import json
import re
import shlex
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from scipy.stats import wilcoxon

from hsfusion_bench.cli import main
from hsfusion_bench.report.html.page import MOST_ROWS, gather_page
from hsfusion_bench.report.html.pictures import MOST_BYTES, Embedding
from hsfusion_bench.report.html.places import Places
from hsfusion_bench.report.html.render import render
from hsfusion_bench.report.html.safe import plain, script_json
from hsfusion_bench.report.leaderboard import leaderboards
from hsfusion_bench.report.sources import Entry
from hsfusion_bench.runs.recorded import recorded_root
from support import verbs
from support.html import Element, data_of, faults, parse
from support.records import make_record

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>'\"`{{7*7}}&amp;\u202eevil\u2028\x00" + "A" * 10_000
)
DEMO = ("--dataset", "demo", "--scale", "4")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def hsbench(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments])


@functools.cache
def text_of(*arguments: str) -> str:
    """Return the page of the recorded rows alone, which several tests look at."""
    done = hsbench("report", *arguments)
    assert done.exit_code == 0, done.output
    return Path("report.html").read_text(encoding="utf-8")


def report_of_recorded(*arguments: str) -> Element:
    Path("report.html").write_text(text_of(*arguments), encoding="utf-8")
    return parse(Path("report.html").read_text(encoding="utf-8"))


def report(*arguments: str) -> Element:
    done = hsbench("report", *arguments)
    assert done.exit_code == 0, done.output
    return parse(Path("report.html").read_text(encoding="utf-8"))


def recorded(task: str = "cave-x4-uestc") -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in (recorded_root() / task).glob("*.json")}


def rows(page: Element, place: int = 0) -> list[Element]:
    (body,) = page.all("table", class_="ranking")[place].all("tbody", class_="measured")
    return body.all("tr")


def cell(row: Element, column: str) -> Element:
    (found,) = row.all("td", data_column=column)
    return found


def test_the_values_are_those_of_the_records() -> None:
    page = report_of_recorded("--dataset", "cave", "--scale", "4")
    held = {record["method"]["title"]: record for record in recorded().values() if not record["method"]["changed"]}
    found = {row.all("bdi")[0].text.split(" = ")[0]: row for row in rows(page)}
    assert held.keys() - found.keys() == {"MTF-GLP-HS"}  # it has GSA's values
    for title in held.keys() & found.keys():
        for index, digits in (("psnr", 2), ("sam", 2), ("ergas", 2), ("ssim", 4), ("q2n", 4)):
            mean, std = (f"{held[title]['summary'][index][what]:.{digits}f}" for what in ("mean", "std"))
            assert cell(found[title], index).text.rstrip(" ≈") == f"{mean} ±{std}"
    scene = {
        row.all("bdi")[0].text: [each.text for each in row.all("td")]
        for row in page.all("table", class_="map")[0].all("tr")[1:]
    }
    assert scene["FeINFN"] == [f"{each['psnr']:.2f}" for each in held["FeINFN"]["scenes"]]


def test_ties_are_those_of_scipys_test_with_holms_correction() -> None:
    page = report_of_recorded("--dataset", "cave", "--scale", "4")
    shown = [row.all("bdi")[0].text for row in rows(page)]
    told = {
        each["title"]: [float(value) for value in each["scenes"]["psnr"]] for each in data_of(page)["boards"][0]["rows"]
    }
    exact = {record["method"]["title"]: record for record in recorded().values()}
    p = {}
    for title in shown[1:]:
        key = next(
            name
            for name, record in recorded().items()
            if [round(scene["psnr"], 2) for scene in record["scenes"]] == pytest.approx(told[title], abs=0.006)
        )
        gain = [
            best["psnr"] - other["psnr"]
            for best, other in zip(exact[shown[0]]["scenes"], recorded()[key]["scenes"], strict=True)
        ]
        p[title] = wilcoxon(gain, method="exact").pvalue
    corrected, so_far = {}, 0.0
    for number, title in enumerate(sorted(p, key=lambda each: p[each])):
        so_far = max(so_far, min(1.0, (len(p) - number) * p[title]))
        corrected[title] = so_far
    marked = {row.all("bdi")[0].text for row in rows(page) if cell(row, "psnr").all("span", class_="alike")}
    assert marked == {title for title, value in corrected.items() if value >= 0.05}
    assert 0 < len(marked) < len(p)


def test_the_page_is_one_file_without_requests_and_its_policy_names_its_script() -> None:
    page = report_of_recorded()
    text = Path("report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 10_000_000
    (policy,) = (each.attributes["content"] for each in page.all("meta", http_equiv="Content-Security-Policy"))
    code = text.rsplit("<script>", 1)[1].split("</script>")[0]
    digest = base64.b64encode(sha256(code.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'; img-src data:;" in policy
    assert "unsafe-eval" not in policy
    assert not re.findall(
        r"""(?:src|href|action)\s*=\s*["']?(?!#)[^"'>\s]""", text.split("<script>")[0].split("</style>")[1]
    )
    assert "@import" not in text
    assert re.findall(r"url\((?!#)[^)]*\)", text.split("</style>")[0]) == []


@pytest.mark.parametrize(
    "arguments", [(), ("--dataset", "cave"), ("--methods", "gsa")], ids=["all", "cave", "one method"]
)
def test_the_page_can_be_read_without_seeing_it(arguments: tuple[str, ...]) -> None:
    page = report_of_recorded(*arguments)
    assert faults(page) == []
    assert page.all("html", lang="en")
    for table in page.all("table", class_="ranking"):
        assert [head.text for head in table.all("th") if "aria-sort" in head.attributes] == ["PSNR"]
    assert len(page.all("table", class_="ranking")) == len(data_of(page)["boards"])


def test_a_method_that_only_papers_have_is_shown_as_printed() -> None:
    page = report("--methods", "bdt", "--dataset", "cave", "--scale", "4")
    assert faults(page) == []
    (table,) = page.all("table", class_="ranking")
    assert [row.all("bdi")[0].text for row in table.all("tbody", class_="printed")[0].all("tr")[1:]] == ["BDT [1]"]
    assert "52.30 ±3.98" in table.text


def test_faults_are_found() -> None:
    page = parse("<h1 id=a>x</h1><h3 id=a>y</h3><img><select></select><table><tr><th>x</th></tr></table>")
    assert len(faults(page)) == 6


def test_every_command_on_the_page_exists_and_names_its_record() -> None:
    page = report_of_recorded("--dataset", "cave", "--scale", "4")
    found = [each.text for each in page.all("p", class_="again")]
    assert len(found) == len(rows(page))
    for line in found:
        words = shlex.split(line)
        assert words[:2] == ["hsbench", "reproduce"]
        assert verbs.wrong(words[1:], whole=True) == []
        assert (recorded_root() / "cave-x4-uestc" / f"{words[2]}.json").is_file()


def test_the_account_has_digests_and_budget() -> None:
    page = report_of_recorded("--dataset", "cave", "--scale", "4")
    (account,) = (each for each in page.all("details", class_="account") if each.all("summary")[0].text == "FeINFN")
    record = recorded()["feinfn"]
    assert record["weights"]["sha256"] in account.text
    assert "18000 steps after 36000 earlier ones" in account.text
    (section,) = page.all("section", class_="accounts")
    for digest in (
        record["dataset"]["protocol_digest"],
        record["dataset"]["split_digest"],
        record["scenes"][0]["digest"],
    ):
        assert digest in section.text


def test_latencies_are_the_recorded_costs_only_where_the_bands_are_theirs() -> None:
    page = report("--scale", "4", "--only", "recorded")
    costs = json.loads((recorded_root() / "speed/cost-x4-cpu.json").read_text())["rows"]
    told = {row["title"]: row["latency"]["median_ms"] for row in costs if row["latency"]}
    boards = {board.attributes["id"]: board for board in page.all("section", class_="board")}
    seen = 0
    for board in boards.values():
        cost_told = "as `hsbench cost` measured it" in board.all("ul", class_="remarks")[0].text
        assert cost_told == ("jasper" not in board.all("h2")[0].text)
        for row in board.all("tbody", class_="measured")[0].all("tr"):
            shown, title = cell(row, "latency").text, row.all("bdi")[0].text
            assert cost_told or shown == "-"
            if shown != "-" and " = " not in title:
                assert float(shown) == pytest.approx(told[title], rel=1e-2)
                seen += 1
    assert seen > 20


def test_courses_of_training_are_those_of_the_logs() -> None:
    board = data_of(report_of_recorded("--dataset", "cave", "--scale", "4"))["boards"][0]
    curves = {each["title"]: each for each in board["curves"]}
    assert curves.keys() == {"FeINFN", "MossFuse", "ConSSFCNN", "SSFCNN", "SSRNet", "EDACA-Net"}
    with (recorded_root() / "weights/feinfn/cave-x4-uestc.csv").open(encoding="utf-8") as lines:
        log = {int(row["step"]): row for row in csv.DictReader(lines)}
    feinfn = curves["FeINFN"]
    assert len(feinfn["steps"]) < 200
    assert (feinfn["steps"][0], feinfn["steps"][-1]) == (min(log), max(log))
    for step, psnr in zip(feinfn["steps"], feinfn["psnr"], strict=True):
        assert psnr == pytest.approx(float(log[step]["validation_psnr"]), rel=1e-4)
    assert curves["MossFuse"]["psnr"][-1] == pytest.approx(36.13, abs=0.01)


def test_a_log_of_other_weights_is_not_drawn() -> None:
    shutil.copytree(recorded_root() / "weights/ssfcnn", "mine/weights/ssfcnn")
    record = recorded()["ssfcnn"]
    record["weights"]["sha256"] = "0" * 64
    Path("mine/cave-x4-uestc").mkdir()
    Path("mine/cave-x4-uestc/ssfcnn.json").write_text(json.dumps(record))
    page = report("--only", "mine", "--results-dir", "mine")
    assert data_of(page)["boards"][0]["curves"] == []


def write_mine(folder: str = "results", **changes: Any) -> Path:
    record = recorded("demo-x4-uestc")["gsa"]
    record["method"] |= changes
    path = Path(folder, "demo-x4-uestc", f"{record['method']['name']}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    return path


def test_titles_of_strangers_are_texts() -> None:
    write_mine(name="evil", title=HOSTILE, family=HOSTILE, distribution=HOSTILE, version=HOSTILE, origin="plugin")
    page = report(*DEMO)
    assert faults(page) == []
    text = Path("report.html").read_text(encoding="utf-8")
    assert len(page.all("script")) == 2
    assert "<img src=x" not in text
    assert "\u202e" not in text
    assert "\x00" not in text
    assert "A" * 600 not in text
    (title,) = {row.all("bdi")[0].text for row in rows(page) if row.all("bdi")[0].text.startswith("</script>")}
    assert title.startswith("</script><script>alert(1)</script><img src=x onerror=alert(1)>'\"`{{7*7}}&amp;\\u202eevil")
    assert title in {each["title"] for each in data_of(page)["boards"][0]["rows"]}


def test_what_a_browser_would_obey_is_spelled() -> None:
    assert plain("a\u202eb\nc\x07") == "a\\u202eb c\\u0007"
    assert plain("x" * 10_000, 20) == "x" * 19 + "…"
    assert plain("é 漢 👩‍🔬") == "é 漢 👩‍🔬"
    text = script_json({"</script>": "<!-- & \u2028"})
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"</script>": "<!-- & \u2028"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("nan"))


def test_without_records_there_is_no_page() -> None:
    done = hsbench("report", "--dataset", "nothing")
    assert done.exit_code == 1
    assert "no records of dataset nothing in results and hsbench itself" in " ".join(done.output.split())
    assert hsbench("report", "--only", "mine").exit_code == 1
    assert hsbench("report", "--results-dir", "absent").exit_code == 2
    assert not Path("report.html").exists()


def test_a_damaged_record_is_named_and_the_others_are_shown() -> None:
    write_mine(name="good", title="Good", origin="plugin")
    Path("results/demo-x4-uestc/bad.json").write_text("{}")
    done = hsbench("report", *DEMO)
    assert done.exit_code == 1
    assert "bad.json" in done.output
    page = parse(Path("report.html").read_text(encoding="utf-8"))
    (section,) = page.all("section", class_="faults")
    assert "bad.json" in section.text
    assert "Good" in [row.all("bdi")[0].text for row in rows(page)]


def test_a_record_without_values_has_a_row_that_says_why() -> None:
    record = recorded("demo-x4-uestc")["gsa"]
    record["method"] |= {"name": "net", "title": "Net"}
    record |= {"status": "failed", "error": "it <b>broke</b>", "summary": None, "scenes": []}
    record["dataset"]["scenes"] = 0
    Path("results/demo-x4-uestc").mkdir(parents=True)
    Path("results/demo-x4-uestc/net.json").write_text(json.dumps(record))
    page = report(*DEMO)
    (row,) = (each for each in rows(page) if each.all("bdi")[0].text == "Net")
    assert "failed: it <b>broke</b>" in row.text
    assert cell(row, "psnr").text == "-"


def test_pictures_are_those_beside_the_records() -> None:
    assert hsbench("run", "--methods", "bicubic,sfim", *DEMO, "--no-timing", "--pictures").exit_code == 0
    page = report(*DEMO)
    album = data_of(page)["boards"][0]["pictures"]
    told = json.loads(Path("results/demo-x4-uestc/pictures/bicubic/pictures.json").read_text())
    assert [scene["name"] for scene in album["scenes"]] == list(told["scenes"])
    assert album["scale"] == told["error_scale"]
    assert album["wavelengths"] == told["wavelengths"]
    for scene in album["scenes"]:
        titles = [member["title"] for member in scene["members"]]
        assert titles[0] == "Reference"
        assert sorted(titles[1:]) == ["Bicubic", "SFIM"]
        bicubic = scene["members"][titles.index("Bicubic")]
        for kind in ("rgb", "error"):
            file = Path("results/demo-x4-uestc/pictures/bicubic", told["scenes"][scene["name"]][kind]["file"])
            with Image.open(file) as original, Image.open(decoded(bicubic[kind])) as shown:
                assert shown.size == original.size
                apart = np.asarray(original.convert("L"), float) - np.asarray(shown.convert("L"), float)
            assert np.abs(apart).mean() < 4
        kept = told["scenes"][scene["name"]]["spectra"][0]
        assert bicubic["spectra"][0][2] == pytest.approx(kept["values"], rel=1e-3, abs=1e-9)
    assert "hsbench run --pictures" in page.all("section", class_="pictures")[0].text  # of the recorded rows


def decoded(url: str) -> io.BytesIO:
    head, _, content = url.partition(",")
    assert head == "data:image/webp;base64"
    return io.BytesIO(base64.b64decode(content))


def test_a_picture_that_was_changed_is_not_shown() -> None:
    assert hsbench("run", "--methods", "bicubic,sfim", *DEMO, "--no-timing", "--pictures").exit_code == 0
    folder = Path("results/demo-x4-uestc/pictures")
    first = sorted(folder.glob("bicubic/*.rgb.png"))[0]
    Image.new("RGB", (8, 8)).save(first)
    done = hsbench("report", *DEMO)
    assert done.exit_code == 0
    page = parse(Path("report.html").read_text(encoding="utf-8"))
    assert first.name in page.all("section", class_="faults")[0].text
    members = [
        [each["title"] for each in scene["members"]] for scene in data_of(page)["boards"][0]["pictures"]["scenes"]
    ]
    assert sum("Bicubic" in each for each in members) == len(members) - 1
    with (folder / "sfim/pictures.json").open("a") as file:
        file.write(" ")
    report(*DEMO)
    assert "SFIM" not in str(data_of(parse(Path("report.html").read_text()))["boards"][0]["pictures"])


def test_without_pictures_a_line_names_the_command() -> None:
    page = report("--dataset", "cave", "--scale", "8")
    assert data_of(page)["boards"][0]["pictures"] is None
    assert "hsbench run --pictures" in page.all("section", class_="pictures")[0].text


def test_pictures_of_twelve_methods_on_eleven_scenes_fit_even_if_they_are_noise() -> None:
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (256, 256, 3), np.uint8) for _ in range(20)]
    alone = Embedding(pictures)
    assert alone.left_out == 0
    whole = len(alone.url(pictures[0]) or "")
    small = Embedding(pictures, most=MOST_BYTES * 20 // 275)
    total = sum(len(small.url(picture) or "") for picture in pictures)
    assert small.left_out == 0
    assert total <= MOST_BYTES * 20 // 275 < 20 * whole
    few = Embedding(pictures, most=10_000)
    assert few.left_out > 0
    assert sum(len(few.url(picture) or "") for picture in pictures) <= 10_000


def test_of_thousands_of_rows_the_best_are_shown_and_a_line_says_so() -> None:
    entries = [Entry(make_record(f"m{number}", {"a": 20 + number / 100, "b": 21})) for number in range(1500)]
    page = gather_page(leaderboards(entries), entries, Places(()), [], "hsbench report")
    (board,) = page.boards
    assert [line.title for line in board.lines[:2]] == ["M1499", "M1498"]
    assert len(board.lines) == MOST_ROWS
    assert any(f"the best {MOST_ROWS} of 1500 rows" in remark for remark in board.remarks)
    assert len(render(page)) < 2_000_000


def test_of_hundreds_of_tasks_the_first_are_shown_and_a_line_says_so() -> None:
    entries = []
    for number in range(300):
        record = make_record("mine", {"a": 20.0 + number, "b": 21.0})
        dataset = record.dataset.model_copy(update={"name": f"d{number:03}"})
        entries.append(Entry(record.model_copy(update={"dataset": dataset})))
    page = gather_page(leaderboards(entries), entries, Places(()), [], "hsbench report")
    assert len(page.boards) == 60
    assert page.faults == ["the first 60 of 300 tables are shown: --dataset, --scale, --protocol choose others"]


def test_the_end_of_a_run_tells_how_to_see_it() -> None:
    done = hsbench("run", "--methods", "bicubic", *DEMO, "--no-timing", "--results-dir", "my results")
    assert done.exit_code == 0, done.output
    (line,) = (each for each in done.output.splitlines() if "hsbench report" in each)
    words = shlex.split(line[line.index("hsbench") :])
    assert verbs.wrong(words[1:], whole=True) == []
    assert hsbench(*words[1:]).exit_code == 0
    assert "Bicubic" in Path("report.html").read_text()
