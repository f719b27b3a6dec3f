from pathlib import Path

import pytest

from hsfusion_baselines import METHODS
from hsfusion_baselines.cards import CARDS
from hsfusion_bench import registry
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import Method, NetworkMethod
from hsfusion_bench.methods.weights import cached_path


def test_shipped_methods_are_there_with_their_origin() -> None:
    entries = registry.entries()
    assert {"bicubic", "feinfn", "mossfuse"} <= set(entries)
    assert str(entries["bicubic"].origin).startswith("hsfusion-bench ")


@pytest.mark.parametrize(("typo", "meant"), [("feinf", "feinfn"), ("MossFuse2", "mossfuse"), ("bicubik", "bicubic")])
def test_unknown_name_is_answered_with_the_nearest(typo: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean {meant}"):
        registry.find(typo)


def test_cards_that_are_known_without_an_import_are_those_of_the_classes() -> None:
    shipped = {name: entry for name, entry in registry.entries().items() if entry.origin.kind == "shipped"}
    assert set(shipped) == set(METHODS) == set(CARDS)
    for name, entry in shipped.items():
        assert entry.card is not None
        assert entry.card.name == name
        assert entry.load().card == entry.card


def test_a_colon_of_a_variant_stays_out_of_file_names() -> None:
    assert registry.find("ssrnet:overwrite").name == "ssrnet:overwrite"
    method = registry.find("ssrnet:overwrite").load()
    assert isinstance(method, NetworkMethod)
    assert cached_path("ssrnet:overwrite", method, "cave-x4-uestc").parent.name == "ssrnet-overwrite"


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_class_and_function_of_a_file(tmp_path: Path) -> None:
    file = write(
        tmp_path / "mine.py",
        "from hsfusion_bench.methods import Card, Method\n"
        "class Mine(Method):\n"
        "    card = Card('mine', 'Mine', 'classical')\n"
        "    def fuse(self, observation): return observation.hr_msi\n"
        "def plain(observation): return observation.lr_hsi\n",
    )
    found = registry.find(f"{file}:Mine")
    assert isinstance(found.load(), Method)
    assert found.load().card.title == "Mine"
    assert registry.find(f"{file}:plain").load().card.name == "plain"
    assert found.origin.kind == "file"
    assert len(found.origin.version) == 12


@pytest.mark.parametrize(
    ("content", "attribute", "words"),
    [
        ("x = 1\ndef other(o): ...\n", "Mine", "it defines other"),
        ("raise ValueError('boom')\n", "Mine", "ValueError: boom"),
        ("Mine = 3\n", "Mine", "neither a subclass"),
        ("def f(:\n", "f", "SyntaxError"),
    ],
)
def test_bad_files_are_explained(tmp_path: Path, content: str, attribute: str, words: str) -> None:
    file = write(tmp_path / "mine.py", content)
    with pytest.raises(HsbenchError) as caught:
        registry.find(f"{file}:{attribute}").load()
    assert words in str(caught.value)


@pytest.mark.parametrize("spec", ["nowhere.py:Mine", "mine.py", "mine.py:", "mine.py:a-b"])
def test_bad_file_specs_are_usage_errors(spec: str) -> None:
    with pytest.raises(UsageError):
        registry.find(spec)


def test_a_distribution_that_is_installed_meanwhile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    assert "meanwhile" not in registry.entries()
    about = tmp_path / "meanwhile-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: meanwhile\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[hsfusion_bench.methods]\nmeanwhile = meanwhile:Method\n")
    assert str(registry.entries()["meanwhile"].origin) == "meanwhile 1.0"
