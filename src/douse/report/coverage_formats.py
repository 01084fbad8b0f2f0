"""The formats a survey can be written in: word -> what makes its bytes. `table` is drawn by cli/show_coverage.py.

Without logs `json` is an array of techniques, as other programs want the matrix; with logs it is one SurveyDocument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from douse.hunt.coverage_result import CoverageResult
from douse.report.coverage import survey_document, technique_documents


def _json(result: CoverageResult) -> Iterator[bytes]:
    from douse.report.machine import json_document

    yield json_document(survey_document(result)) if result.surveyed else json_document(technique_documents(result))


def _html(result: CoverageResult) -> Iterator[bytes]:
    from douse.report.coverage_html import render

    yield render(survey_document(result)).encode("utf-8")


def _navigator(result: CoverageResult) -> Iterator[bytes]:
    from douse.report.coverage_navigator import layer
    from douse.report.machine import json_document

    yield json_document(layer(survey_document(result)))


FORMATS: dict[str, Callable[[CoverageResult], Iterator[bytes]]] = {
    "json": _json, "html": _html, "navigator": _navigator}
