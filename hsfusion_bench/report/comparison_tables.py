"""Comparisons and rankings as tables, in words, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hsfusion_bench.report.cells import csv_text
from hsfusion_bench.report.comparison import (
    Comparison,
    Pair,
    Ranking,
    amount,
    count,
    index_title,
    p_text,
    words,
)
from hsfusion_bench.report.sheets import Sheet
from hsfusion_bench.spelling import spell

#: More pairs than these are a table without a sentence for each.
_SENTENCES: Final = 10


def sheets(comparison: Comparison) -> list[Sheet]:
    """Return the table of the pairs and, of three methods or more, that of their means and ranks."""
    several = len(comparison.pairs) > 1
    heads = ["first - second", "mean", "95 %\ninterval", "wins", "effect", "p", *(["p\n(Holm)"] if several else [])]
    rows = [_pair(pair, comparison.index, several) for pair in comparison.pairs]
    found = [Sheet(comparison.title, heads, rows, [*_sentences(comparison), *comparison.notes])]
    if several:
        rows = [[each.title, amount(each.mean, comparison.index), f"{each.rank:.2f}"] for each in comparison.standings]
        notes = _friedman(comparison)
        found.append(Sheet("Means and average ranks over the scenes", ["method", "mean", "rank"], rows, notes))
    return found


def rank_sheet(rankings: Sequence[Ranking]) -> Sheet:
    """Return the average ranks of the same methods on several tasks, by one index, and the average of those."""
    first = rankings[0]
    average = {
        each.name: sum(_by_name(ranking)[each.name].rank for ranking in rankings) / len(rankings)
        for each in first.standings
    }
    heads = ["method"]
    for ranking in rankings:
        dataset, scale, protocol = ranking.board
        heads.append(f"{dataset} ×{scale}\n{protocol}\n{count(len(ranking.scenes), 'scene')}")
    several = len(rankings) > 1
    rows = []
    for each in sorted(first.standings, key=lambda one: average[one.name]):
        ranks = [f"{_by_name(ranking)[each.name].rank:.2f}" for ranking in rankings]
        rows.append([each.title, *ranks, *([f"{average[each.name]:.2f}"] if several else [])])
    notes = [f"{_where(ranking)}{note}" for ranking in rankings for note in [*_friedman(ranking), *ranking.notes]]
    if several:
        notes.append("every task counts alike in the average, however many scenes it has; over tasks nothing is tested")
    return Sheet(
        f"Average ranks over the scenes: {index_title(first.index)}, 1 is the best",
        [*heads, *(["\n\naverage"] if several else [])],
        rows,
        notes,
    )


def pair_rows(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return a line for each pair and index, in full precision."""
    return [
        {
            **_task(comparison),
            "first": pair.names[0],
            "second": pair.names[1],
            "first_title": pair.first,
            "second_title": pair.second,
            "first_mean": _by_name(comparison)[pair.names[0]].mean,
            "second_mean": _by_name(comparison)[pair.names[1]].mean,
            "difference": pair.difference,
            "low": pair.interval[0] if pair.interval else None,
            "high": pair.interval[1] if pair.interval else None,
            "wins": pair.wins,
            "losses": pair.losses,
            "ties": pair.ties,
            "effect": pair.effect,
            "p": pair.p,
            "p_exact": pair.exact if pair.p is not None else None,
            "p_holm": pair.corrected,
            "significant": pair.significant,
            "words": words(pair, comparison.index),
        }
        for comparison in comparisons
        for pair in comparison.pairs
    ]


def rank_rows(rankings: Sequence[Ranking]) -> list[dict[str, Any]]:
    """Return a line for each task, index and method, in full precision."""
    return [
        {
            **_task(ranking),
            "method": each.name,
            "title": each.title,
            "mean": each.mean,
            "rank": each.rank,
            "friedman_p": ranking.friedman,
        }
        for ranking in rankings
        for each in ranking.standings
    ]


def csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return lines as the text of a CSV file; numbers that are not finite are NaN, Inf and -Inf, and None is empty."""
    return csv_text(list(rows[0]) if rows else [], map(_spelled, rows))


def document(rankings: Sequence[Ranking]) -> dict[str, Any]:
    """Return rankings, and comparisons with their pairs, as JSON holds them: a part for each task and index."""
    parts = []
    for ranking in rankings:
        part = {
            **_task(ranking),
            "scenes": list(ranking.scenes),
            "methods": [
                _spelled({"name": each.name, "title": each.title, "mean": each.mean, "rank": each.rank})
                for each in ranking.standings
            ],
            "friedman_p": ranking.friedman,
            "notes": ranking.notes,
        }
        if isinstance(ranking, Comparison):
            known = _task(ranking).keys()
            part["pairs"] = [
                {key: value for key, value in _spelled(row).items() if key not in known} for row in pair_rows([ranking])
            ]
        parts.append(part)
    return {"schema": "hsfusion-bench/comparison/1", "comparisons": parts}


def _pair(pair: Pair, index: str, several: bool) -> list[str]:
    interval = "-" if pair.interval is None else ", ".join(amount(end, index) for end in pair.interval)
    sign = "+" if pair.difference > 0 else ""
    p = ["-" if each is None else p_text(each) for each in (pair.p, *([pair.corrected] if several else []))]
    return [
        f"{pair.first} - {pair.second}",
        f"{sign}{amount(pair.difference, index)}",
        interval,
        f"{pair.wins}/{pair.scenes}",
        "-" if pair.effect is None else f"{pair.effect:+.2f}",
        *p,
    ]


def _sentences(comparison: Comparison) -> list[str]:
    """Return what is found of the pairs, and what kind of p it is."""
    pairs, index = comparison.pairs, comparison.index
    lines = [words(pair, index) for pair in pairs]
    if len(pairs) > _SENTENCES:
        found = sum(pair.significant for pair in pairs)
        equal = sum(pair.p is None for pair in pairs)
        lines = [f"{found} of {len(pairs)} pairs differ significantly"]
        lines += [f"{count(equal, 'pair')} equal on all scenes, not tested"] if equal else []
    lines += [
        f"{pair.first} - {pair.second}: {count(pair.ties, 'tie')}" for pair in pairs if pair.ties and pair.p is not None
    ]
    if any(pair.p is not None and not pair.exact for pair in pairs):
        lines.append("p of the normal approximation where scenes are many, or two differences equal in size")
    return lines


def _friedman(ranking: Ranking) -> list[str]:
    if ranking.friedman is None:
        return []
    p = f"p = {p_text(ranking.friedman)}".replace("= <", "< ")
    return [f"Friedman's test that all {len(ranking.standings)} are alike: {p}"]


def _where(ranking: Ranking) -> str:
    dataset, scale, protocol = ranking.board
    return f"{dataset} ×{scale} {protocol}: "


def _by_name(ranking: Ranking) -> dict[str, Any]:
    return {each.name: each for each in ranking.standings}


def _task(ranking: Ranking) -> dict[str, Any]:
    dataset, scale, protocol = ranking.board
    return {
        "dataset": dataset,
        "scale": scale,
        "protocol": protocol,
        "index": ranking.index,
        "scenes": len(ranking.scenes),
    }


def _spelled(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: spell(value) if isinstance(value, float) else value for key, value in row.items()}
