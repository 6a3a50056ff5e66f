"""The HTTP API: what it answers, and everything it refuses."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # comes with altair
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from rootcause import load_model, shipped_cases
from rootcause.care import KINDS
from rootcause.case import parse_case
from rootcause.errors import RootcauseError
from rootcause.sensitivity.credal import credal_bounds
from rootcause_app import api, long_requests, queries, reporting, sensitivity, settings
from rootcause_app.cli import main
from rootcause_app.problems import ProblemError
from rootcause_app.sensitivity import LEAST_DRAWS, LONG, METHODS, MOST_DRAWS, NUMBERS_NEEDED, With
from rootcause_app.sensitivity_schemas import NAMES
from rootcause_app.strict_json import LONGEST_BODY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from httpx2 import Response
    from starlette.types import Message

JSON = {"content-type": "application/json"}
PATIENT = "patient-Doe-1961"
POSTS = ("diagnose", "explain", "next", "compare", "report", "network", "sensitivity")
NEEDED = {"sensitivity": {"cause": "epidural_hematoma"}}
"""Parameters that a question cannot do without."""
SEED: dict[str, Any] = dict(next(case for case in shipped_cases() if case.id == "post_microdiscectomy_l5").findings)
SERIAL: dict[str, Any] = {
    "examinations": [
        {"findings": {**SEED, "toe_dorsiflexion": 3}},
        {"examination_day": 9, "toe_dorsiflexion": 1, "saddle_anesthesia": "absent"},
    ]
}
NUMBERS = ("rate.nerve_root_edema.microdiscectomy", "motor.nerve_root_edema")
TWO = "?cause=nerve_root_edema&method=two-way&number={}&number={}"
CLASHING = {"saddle_anesthesia": "present", "leg_weakness": "absent", "toe_dorsiflexion": 1}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """A client of the API as the server mounts it."""
    routes = [Route("/healthz", api.health), Route("/api", api.unknown), Mount("/api", app=api.application())]
    with TestClient(Starlette(routes=routes), raise_server_exceptions=True) as started:
        yield started


def post(client: TestClient, body: str | bytes, query: str = "", path: str = "diagnose") -> Response:
    """Send a body as JSON, to be diagnosed where nothing else is said."""
    return client.post(f"/api/v1/{path}{query}" if query else address(path), content=body, headers=JSON)


def address(path: str) -> str:
    """Return where a question is asked, with what it cannot do without."""
    return f"/api/v1/{path}" + (f"?{urlencode(NEEDED[path])}" if path in NEEDED else "")


def ask(client: TestClient, path: str, case: object, query: str = "") -> Response:
    """Ask about a case, and of a comparison about the seed's patient before it."""
    return post(client, json.dumps({"before": SEED, "after": case} if path == "compare" else case), query, path)


def asked(client: TestClient, path: str, case: object, query: str = "") -> Any:  # noqa: ANN401 - JSON is anything
    """Return the answer to a question, without what stands before every answer."""
    response = ask(client, path, case, query)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    model = settings.current_model()
    assert answer.pop("model") == {"version": model.version, "digest": model.digest, "rates": model.rates}
    assert answer.pop("disclaimer") == model.rulebook.disclaimer
    return answer


def plain(content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON is anything
    """Return plain data as JSON gives it back."""
    return json.loads(json.dumps(content))


def refused(response: Response, status: int) -> str:
    """Check that a refusal is a problem document and return its sentence."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert "Traceback" not in response.text
    return str(problem["detail"])


def validator(client: TestClient, schema: str) -> Draft202012Validator:
    """A validator for one schema of the API's own document."""
    document = client.get("/api/v1/openapi.json").json()
    return Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": document["components"]})


@pytest.mark.parametrize("case", shipped_cases(), ids=lambda case: case.id)
@pytest.mark.parametrize("rates", ["seed", "literature"])
def test_an_answer_is_the_command_lines_json(client: TestClient, case: object, rates: str) -> None:
    """What is sent is what the library says, number for number."""
    findings = dict(next(known for known in shipped_cases() if known == case).findings)
    response = post(client, json.dumps({"findings": findings}), f"?rates={rates}")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == json.loads(json.dumps(load_model(rates=rates).diagnose(findings).to_dict()))


def test_a_flat_table_is_a_case_too(client: TestClient) -> None:
    """The findings may be the whole body."""
    flat, wrapped = post(client, '{"procedure": "fusion"}'), post(client, '{"findings": {"procedure": "fusion"}}')
    assert flat.status_code == 200
    assert flat.json() == wrapped.json()


@pytest.mark.parametrize("case", shipped_cases(), ids=lambda case: case.id)
def test_the_document_is_true_to_cases_and_answers(client: TestClient, case: object) -> None:
    """Each shipped case and its answer fit the schemas that the API publishes."""
    findings = dict(next(known for known in shipped_cases() if known == case).findings)
    validator(client, "Case").validate({"findings": findings})
    validator(client, "Answer").validate(post(client, json.dumps({"findings": findings})).json())


def test_the_document_is_true_to_the_model_and_to_health(client: TestClient) -> None:
    """The other answers fit their schemas as well."""
    validator(client, "Model").validate(client.get("/api/v1/model").json())
    validator(client, "Health").validate(client.get("/healthz").json())
    assert client.get("/api/v1/openapi.json").json()["openapi"] == "3.1.0"


def test_the_model_is_handed_out_whole(client: TestClient) -> None:
    """Every variable, every parameter and every source is there."""
    model = load_model(rates="literature")
    sent = client.get("/api/v1/model?rates=literature").json()
    assert (sent["version"], sent["digest"], sent["rates"]) == (model.version, model.digest, "literature")
    assert sent["vocabulary"]["findings"].keys() == model.vocabulary.findings.keys()
    assert sent["vocabulary"]["contexts"].keys() == model.vocabulary.contexts.keys()
    assert sent["vocabulary"]["causes"].keys() == model.vocabulary.causes.keys()
    assert sent["sources"].keys() == model.priors.sources.keys()
    points = {key: parameter["point"] for key, parameter in sent["parameters"].items()}
    assert points == {key: parameter.point for key, parameter in model.priors.parameters.items()}


def test_the_stakes_and_the_care_are_handed_out(client: TestClient) -> None:
    """As data: each number with its range and basis, each text with its sources, as they stand in the files."""
    model = settings.current_model()
    sent = client.get("/api/v1/model").json()
    stakes, care = sent["stakes"], sent["care"]
    for cause, stake in model.stakes.causes.items():
        told = stakes["causes"][cause]
        assert (told["act"], told["harm"]["value"], told["hours"]["basis"]) == (
            stake.act,
            stake.harm.value,
            stake.hours.basis,
        )
        assert told["threshold"]["value"] == stake.threshold.value
        assert [text["id"] for kind in KINDS for text in care["causes"][cause][kind]] == [
            item.id for kind in KINDS for item in getattr(model.care.causes[cause], kind)
        ]
    assert stakes["examinations"].keys() == model.stakes.examinations.keys()
    assert stakes["examinations"]["mri"]["findings"] == list(model.stakes.examinations["mri"].findings)
    assert care["show_from"] == model.care.show_from


# ---- questions at the bedside -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "cause"), [(SEED, None), (SERIAL, "none")], ids=["seed", "serial"])
def test_explain_answers_as_the_library(client: TestClient, case: dict[str, Any], cause: str | None) -> None:
    """Explanation, fit and causes together; without a cause named, for the most probable one."""
    model = settings.current_model()
    assert asked(client, "explain", case, f"?cause={cause}" if cause else "") == plain(
        {
            "explanation": model.explain(case, cause).to_dict(),
            "fit": model.coherence(case).to_dict(),
            "together": model.together(case).to_dict(),
        }
    )


def test_next_answers_as_the_library(client: TestClient) -> None:
    """One step ahead where nothing else is asked, with the red flags of the diagnosis."""
    model = settings.current_model()
    answer = asked(client, "next", SEED)
    assert answer.pop("red_flags") == plain(model.diagnose(SEED, intervals=False).to_dict())["red_flags"]
    assert answer == plain(model.next(SEED).to_dict())


def test_next_looks_two_ahead(client: TestClient) -> None:
    """There are pairs then; and what is answered fits the schema that the API publishes."""
    answer = ask(client, "next", SERIAL, "?ahead=2").json()
    assert answer["pairs"]
    validator(client, "WhatNext").validate(answer)


@pytest.mark.parametrize("cause", [None, "nerve_root_injury"])
def test_compare_answers_as_the_library(client: TestClient, cause: str | None) -> None:
    """For the cause that was named, else for the one that leads afterwards."""
    model = settings.current_model()
    compared = model.compare(SEED, SERIAL)
    told = cause or max(compared.causes, key=lambda name: compared.causes[name].after)
    assert asked(client, "compare", SERIAL, f"?cause={cause}" if cause else "") == plain(
        {"comparison": compared.to_dict(), "attribution": model.attribute(SEED, SERIAL, told).to_dict()}
    )


@pytest.mark.parametrize("focus", [None, "root_L5"])
def test_the_network_is_drawn_as_in_the_library(client: TestClient, focus: str | None) -> None:
    """All of it, or around one node."""
    drawn = settings.current_model().view(SEED, focus).to_dict()
    assert asked(client, "network", SEED, f"?focus={focus}" if focus else "") == plain(drawn)


def test_a_report_is_sent_as_a_file(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same that the command line writes; no cache keeps it, and its name names nobody."""
    made = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

    class Clock:
        @staticmethod
        def now() -> datetime:
            return made

    monkeypatch.setattr(api, "datetime", Clock)
    page = ask(client, "report", SEED)
    report = reporting.full_report(settings.current_model(), SEED, made.astimezone())
    monkeypatch.setattr(reporting, "full_report", lambda *_: report)
    sheet = ask(client, "report", SEED, "?format=pdf")
    for response, kind, media_type in ((page, "html", "text/html; charset=utf-8"), (sheet, "pdf", "application/pdf")):
        assert response.status_code == 200
        assert response.headers["content-type"] == media_type
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-disposition"] == f'inline; filename="rootcause-report.{kind}"'
        assert response.content == reporting.render(report, kind)


@pytest.mark.parametrize("path", ["explain", "next", "network"])
def test_the_rate_set_can_be_chosen_for_every_question(client: TestClient, path: str) -> None:
    """The answer is from the other numbers, and says so."""
    case = {"procedure": "microdiscectomy", "symptom_onset": 7}
    answers = [ask(client, path, case, f"?rates={rates}").json() for rates in ("seed", "literature")]
    assert [answer.pop("model")["rates"] for answer in answers] == ["seed", "literature"]
    assert answers[0] != answers[1]


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("explain", "Why"),
        ("next", "WhatNext"),
        ("compare", "Difference"),
        ("network", "Network"),
        ("diagnose", "Answer"),
    ],
)
def test_the_document_is_true_to_every_question(client: TestClient, path: str, schema: str) -> None:
    """What is sent and what is answered fit the schemas that the API publishes."""
    case = shipped_cases()[0].findings if path == "network" else SERIAL
    body = {"before": SEED, "after": case} if path == "compare" else case
    validator(client, "TwoCases" if path == "compare" else "Case").validate(plain(dict(body)))
    validator(client, schema).validate(ask(client, path, dict(case)).json())


def test_the_document_names_every_path_and_its_parameters(client: TestClient) -> None:
    """A client can be written from it alone: what it lists is answered, and what is answered is listed."""
    document = client.get("/api/v1/openapi.json").json()
    posts = {path for path, methods in document["paths"].items() if "post" in methods}
    assert posts == {f"/api/v1/{name}" for name in POSTS}
    for path in posts:
        question = document["paths"][path]["post"]
        listed = {parameter["name"]: parameter["schema"] for parameter in question["parameters"]}
        needed = {parameter["name"] for parameter in question["parameters"] if parameter["required"]}
        assert needed == NEEDED.get(path.removeprefix("/api/v1/"), {}).keys()
        least = {name: known(listed[name])[0] for name in needed}
        for name, schema in listed.items():
            if schema["type"] != "array":  # what numbers a question takes hangs on its method
                assert refused(client.post(f"{path}?{urlencode(least | {name: 'x'})}", content="{", headers=JSON), 400)
                good = urlencode(least | {name: known(schema)[-1]})
                assert "body: " in refused(client.post(f"{path}?{good}", content="{", headers=JSON), 400)
        assert {"400", "405", "413", "415", "422", "500"} <= question["responses"].keys()
    assert document["paths"]["/api/v1/report"]["post"]["responses"]["200"]["content"].keys() == {
        "text/html",
        "application/pdf",
    }


def known(schema: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return values that a schema of a parameter allows: all, or the ends of a range."""
    return tuple(schema["enum"]) if "enum" in schema else (schema["minimum"], schema["minimum"] + 1)


def test_health_names_the_numbers_in_use(client: TestClient) -> None:
    """A watchdog sees that the process lives and what it answers from."""
    model = load_model()
    assert client.get("/healthz").json() == {"status": "ok", "version": model.version, "digest": model.digest}


# ---- the modeler's questions ----------------------------------------------------------------------------------------


def modelers_query(method: str, draws: int | None = None) -> str:
    """Return the query of a method, with the numbers that it needs."""
    parts = [("cause", "nerve_root_edema"), ("method", method)]
    parts += [("number", id_) for id_ in NUMBERS[: NUMBERS_NEEDED.get(method, 0)]]
    parts += [] if draws is None else [("draws", str(draws))]
    return f"?{urlencode(parts)}"


@pytest.mark.parametrize("method", [method for method in METHODS if method != "credal"])
def test_every_method_answers_as_the_command_line(
    client: TestClient, method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same JSON, which fits the schema of its method and none of the others."""
    draws = LEAST_DRAWS.get(method)
    file = tmp_path / "case.json"
    file.write_text(json.dumps(SEED), "utf-8")
    words = ["sensitivity", str(file), "--cause", "nerve_root_edema", "--method", method, "--format", "json"]
    for id_ in NUMBERS[: NUMBERS_NEEDED.get(method, 0)]:
        words += ["--number", id_]
    assert main(words + (["--draws", str(draws)] if draws else [])) == 0
    response = ask(client, "sensitivity", SEED, modelers_query(method, draws))
    assert response.status_code == 200
    assert response.json() == json.loads(capsys.readouterr().out)
    for schema in (NAMES[method], "Sensitivity"):
        validator(client, schema).validate(response.json())


def test_credal_bounds_fit_their_schema(client: TestClient) -> None:
    """Over three numbers and without a finding: all twenty take too long for a test."""
    model = settings.current_model()
    answer = With(model, credal_bounds(model, {"procedure": "fusion"}, "nerve_root_edema", most=3)).to_dict()
    for schema in ("Credal", "Sensitivity"):
        validator(client, schema).validate(plain(answer))


def test_every_method_has_a_schema(client: TestClient) -> None:
    """And every number of the model is a value that the document lists."""
    document = client.get("/api/v1/openapi.json").json()
    assert NAMES.keys() == set(METHODS)
    parameters = document["paths"]["/api/v1/sensitivity"]["post"]["parameters"]
    listed = {parameter["name"]: parameter["schema"] for parameter in parameters}
    assert listed["number"]["items"]["enum"] == list(settings.current_model().priors.parameters)
    assert listed["method"]["default"] == "tornado"
    assert set(MOST_DRAWS) <= set(LONG)


def test_two_numbers_keep_their_order(client: TestClient) -> None:
    """The first is x, the second y."""
    for x, y in (NUMBERS, NUMBERS[::-1]):
        answer = ask(client, "sensitivity", SEED, TWO.format(x, y)).json()
        assert (answer["x"], answer["y"]) == (x, y)


def test_work_that_takes_too_long_is_given_up(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal says so; nothing of the answer is sent."""
    monkeypatch.setattr(long_requests, "LONGEST_WORK", -1.0)
    response = ask(client, "sensitivity", SEED, modelers_query("monte-carlo", 64))
    assert "an answer may take -1 s of work over HTTP, got 100% of it by then" in refused(response, 503)
    validator(client, "Problem").validate(response.json())


async def sent_by_a_client_that_leaves(left: anyio.Event) -> list[Message]:
    """Ask for draws, close the connection once told to, and return what was sent back."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/sensitivity",
        "root_path": "/api",
        "query_string": modelers_query("monte-carlo", 64)[1:].encode(),
        "headers": [(b"content-type", b"application/json")],
    }
    incoming: list[Message] = [{"type": "http.request", "body": json.dumps(SEED).encode(), "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if incoming:
            return incoming.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await api.application()(scope, receive, send)
    return sent


def test_work_for_a_client_that_went_away_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """At its next report: work that never ends by itself comes to an end."""
    reports: list[float] = []

    async def leave() -> list[Message]:
        left = anyio.Event()
        token = anyio.lowlevel.current_token()

        def endless(*_: object, progress: Callable[[float], object]) -> None:
            anyio.from_thread.run_sync(left.set, token=token)
            while len(reports) < 10_000:
                reports.append(0.5)
                progress(0.5)
                time.sleep(0.001)

        monkeypatch.setattr(sensitivity, "sensitivity", endless)
        return await sent_by_a_client_that_leaves(left)

    sent = anyio.run(leave)
    assert [message.get("status") for message in sent] == [503, None]
    assert 1 <= len(reports) < 10_000


def test_a_client_that_leaves_the_line_leaves_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many wait already, nothing is started for it."""
    monkeypatch.setattr(sensitivity, "sensitivity", pytest.fail)

    async def leave() -> list[Message]:
        full = anyio.CapacityLimiter(1)
        full.acquire_on_behalf_of_nowait("somebody else")
        monkeypatch.setattr(long_requests, "_waiting", lambda: full)
        left = anyio.Event()
        left.set()
        return await sent_by_a_client_that_leaves(left)

    assert [message.get("status") for message in anyio.run(leave)] == [503, None]


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("explain", "?cause=epidural_hematom", "must be a known cause or none, got 'epidural_hematom' (did you mean"),
        ("explain", "?cause=", "cause: must be a known cause or none, got ''"),
        ("compare", "?cause=none", "cause: must be a known cause, got 'none'"),
        ("next", "?ahead=3", "ahead: must be 1 or 2, got '3'"),
        ("next", "?ahead=2&ahead=1", "query: ahead may stand once, got it more often"),
        ("next", "?cause=csf_leak", "query: the only parameters are ahead and rates, got 'cause'"),
        ("report", "?format=docx", "format: must be html or pdf, got 'docx'"),
        ("network", "?focus=symptom_onset", "focus: must be a cause, a lesion or a finding, got 'symptom_onset'"),
        ("diagnose", "?cause=csf_leak", "query: the only parameter is rates, got 'cause'"),
        ("sensitivity", "?method=tornado", "cause: must be a known cause, got none"),
        ("sensitivity", "?cause=csf_leak&method=tornados", "method: must be a method, got 'tornados' (did you mean"),
        ("sensitivity", "?cause=csf_leak&draws=1e3", "draws: must be a whole number from 2 to 20,000, got '1e3'"),
        ("sensitivity", f"?cause=csf_leak&draws={'9' * 5000}", "draws: must be a whole number from 2 to 20,000"),
        ("sensitivity", "?cause=csf_leak&draws=²", "draws: must be a whole number from 2 to 20,000, got '²'"),
        ("sensitivity", "?cause=csf_leak&method=sobol&draws=1025", "draws: must be at most 1,024 for sobol over HTTP"),
        ("sensitivity", "?cause=csf_leak&method=value&draws=99", "draws: must be 100 or more for value, got 99"),
        ("sensitivity", "?cause=csf_leak&method=one-way", "number: one-way needs 1 of the model's numbers, got 0"),
        ("sensitivity", "?cause=csf_leak&number=rate.x", "number: tornado takes no number, got 1"),
        ("sensitivity", "?cause=csf_leak&method=tipping&number=x", "number: must be one of the model's, got 'x'"),
        ("sensitivity", TWO.format(NUMBERS[0], NUMBERS[0]), "number: two-way needs two different numbers"),
        ("sensitivity", f"{TWO}&number=x", "query: number may stand twice, got it more often"),
        ("sensitivity", "?focus=root_L5", "query: the only parameters are method, cause, number, draws and rates, got"),
    ],
)
def test_a_query_that_is_not_known_is_a_bad_request(client: TestClient, path: str, query: str, said: str) -> None:
    """One sentence, before the body is read."""
    assert said in refused(post(client, "{", query, path), 400)


@given(
    st.sampled_from(["cause", "ahead", "format", "focus", "rates"]) | st.text(min_size=1),
    st.sampled_from(["none", "csf_leak", "2", "pdf", "root_L5", "seed"]) | st.text(),
)
def test_what_a_query_says_is_known_or_refused(name: str, value: str) -> None:
    """Whatever is sent, the value of a parameter is one of its own, and a refusal is one short sentence."""
    known = (queries.CAUSE_OR_NONE, queries.AHEAD, queries.FORMAT, queries.FOCUS, queries.RATES)
    request = Request({"type": "http", "query_string": urlencode({name: value}).encode(), "headers": []})
    if value in {parameter.name: parameter.values or () for parameter in known}.get(name, ()):
        query = queries.read_query(request, *known)
        assert (query[name], query.every(name)) == (value, (value,))
        return
    with pytest.raises(ProblemError) as refusal:
        queries.read_query(request, *known)
    assert refusal.value.status == 400
    assert len(refusal.value.detail) < 300
    assert "\n" not in refusal.value.detail


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "body: must hold a case named before, got none"),
        ({"before": {}}, "body: must hold a case named after, got none"),
        ({"before": {}, "after": {}, "patient": PATIENT}, "body: must hold before and after alone, got 'patient'"),
        ({"before": [], "after": {}}, "before: case: must be a table of findings"),
        ({"before": {}, "after": {"fever": "high"}}, "after: fever: must be one of"),
        ({"before": {"examinations": []}, "after": {}}, "before: case: 'examinations' must hold 1 to 20 examinations"),
    ],
)
def test_what_is_not_two_cases_is_unprocessable(client: TestClient, body: object, said: str) -> None:
    """The sentence says which of the two it means, and echoes no value beside them."""
    response = post(client, json.dumps(body), path="compare")
    assert said in refused(response, 422)
    assert PATIENT not in response.text


@pytest.mark.parametrize("path", POSTS)
def test_every_question_refuses_alike(client: TestClient, path: str) -> None:
    """Another content type, too long a body, what is no object, a case that does not fit, another method."""
    refused(client.post(address(path), content="{}", headers={"content-type": "text/plain"}), 415)
    refused(post(client, b" " * (LONGEST_BODY + 1), path=path), 413)
    refused(post(client, "[]", path=path), 400)
    assert "did you mean 'fever'" in refused(ask(client, path, {"fevre": "present"}), 422)
    assert "examination 2: " in refused(ask(client, path, {"examinations": [{}, {"findings": {"fever": 1}}]}), 422)
    refused(client.get(f"/api/v1/{path}"), 405)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '"text"',
        '{"procedure": "fusion", "procedure": "fusion"}',
        '{"findings": {"level": "L4-L5", "level": "L5-S1"}}',
        '{"back_pain": {"expected": NaN, "severe": 1}}',
        '{"examination_day": Infinity}',
        '{"fever": {"absent": 1e400, "present": 1}}',
        '{"examination_day": -Infinity}',
        '{"examination_day": ' + "9" * 5000 + "}",
        "[" * 30_000,
        b"\xff\xfe{}",
        "\ufeff{}",
    ],
)
def test_what_is_not_one_strict_object_is_a_bad_request(client: TestClient, body: str | bytes) -> None:
    """Duplicate keys, NaN, other bytes and other shapes are refused before the model sees them."""
    refused(post(client, body), 400)


@pytest.mark.parametrize(
    "body",
    [
        '{"findings": {"toe_lift": "weak"}}',
        '{"findings": {"toe_dorsiflexion": "week"}}',
        '{"findings": {"toe_dorsiflexion": true}}',
        '{"findings": {"toe_dorsiflexion": false}}',
        '{"findings": {"toe_dorsiflexion": 6}}',
        '{"findings": {"toe_dorsiflexion": null}}',
        '{"findings": {"fever": 0}}',
        '{"findings": {"fever": "1"}}',
        '{"findings": {"fever": []}}',
        '{"findings": {"fever": {}}}',
        '{"findings": {"fever": {"absent": 0, "present": 0}}}',
        '{"findings": {"fever": {"absent": -1, "present": 1}}}',
        '{"findings": {"fever": {"absent": "1", "present": 1}}}',
        '{"findings": {"examination_day": -1}}',
        '{"findings": {"epidural_hematoma": "present"}}',
        '{"findings": []}',
        '{"findings": {}, "patient": "x"}',
        '{"findings": {"fever": "\\ud800"}}',
    ],
)
def test_a_case_that_does_not_fit_is_unprocessable(client: TestClient, body: str) -> None:
    """Unknown names, unknown states and wrong types are one sentence each."""
    assert refused(post(client, body), 422)


@pytest.mark.parametrize("path", POSTS)
def test_findings_that_clash_are_named_and_silence_no_red_flag(client: TestClient, path: str) -> None:
    """Impossible evidence says which findings cannot be true together; the rules hang on no probability."""
    response = ask(client, path, CLASHING)
    refused(response, 422)
    problem = response.json()
    assert {clashing.split(" = ")[0] for clashing in problem["findings"]} == {"leg_weakness", "toe_dorsiflexion"}
    flags = {flag["id"]: flag["level"] for flag in problem["red_flags"]}
    expected = settings.current_model().rulebook.red_flags(parse_case(CLASHING))
    assert flags.items() >= {flag.id: flag.level for flag in expected}.items()
    assert next(iter(flags.values())) == "emergency"
    validator(client, "Problem").validate(problem)


def test_too_long_a_body_is_refused_whatever_it_says_of_its_length(client: TestClient) -> None:
    """Sent at once or in pieces, the bytes are counted."""
    long = b" " * (LONGEST_BODY + 1)
    refused(post(client, long), 413)
    pieces = (long[at : at + 1000] for at in range(0, len(long), 1000))
    refused(client.post("/api/v1/diagnose", content=pieces, headers=JSON), 413)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/json; charset=latin-1", ""])
def test_another_content_type_is_refused(client: TestClient, kind: str) -> None:
    """Only JSON in UTF-8 is read, which also keeps plain HTML forms out."""
    response = client.post("/api/v1/diagnose", content="{}", headers={"content-type": kind})
    assert "application/json" in refused(response, 415)


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v2/diagnose", "/api/v1/diagnose/", "/api/v1/../x"])
def test_an_unknown_path_is_not_found_in_json(client: TestClient, path: str) -> None:
    """A client never gets a page where it asked for an answer."""
    refused(client.get(path, follow_redirects=False), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/diagnose", "POST"),
        ("PUT", "/api/v1/diagnose", "POST"),
        ("POST", "/api/v1/model", "GET"),
        ("DELETE", "/api/v1/openapi.json", "GET"),
    ],
)
def test_another_method_is_refused(client: TestClient, method: str, path: str, allowed: str) -> None:
    """The refusal says which method is allowed."""
    response = client.request(method, path)
    refused(response, 405)
    assert allowed in response.headers["allow"]


@pytest.mark.parametrize("query", ["?rates=guess", "?rate=seed", "?rates=seed&rates=seed", "?rates="])
def test_an_unknown_query_is_refused(client: TestClient, query: str) -> None:
    """A misspelt parameter is not silently ignored."""
    refused(post(client, "{}", query), 400)
    refused(client.get(f"/api/v1/model{query}"), 400)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"findings": {"fever": "present"}, "note": PATIENT}),
        json.dumps({"findings": {"fever": "present", "level": "L9"}, "comment": PATIENT}),
        '{"note": "' + PATIENT + '", ',
    ],
)
def test_a_refusal_does_not_echo_the_body(client: TestClient, body: str) -> None:
    """What else a body holds about a patient is not sent back."""
    assert PATIENT not in post(client, body).text


def test_a_fault_inside_says_nothing_about_itself(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """No message, no traceback: only that it failed."""

    def broken(*_: object) -> None:
        raise RootcauseError(PATIENT)

    monkeypatch.setattr(api, "_parsed", broken)
    for path in ("diagnose", "compare", "report"):
        response = ask(client, path, {})
        refused(response, 500)
        assert PATIENT not in response.text
