"""The HTTP API: what it answers, and everything it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # comes with altair
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from rootcause import load_model, shipped_cases
from rootcause.errors import RootcauseError
from rootcause_app import api
from rootcause_app.strict_json import LONGEST_BODY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

JSON = {"content-type": "application/json"}
PATIENT = "patient-Doe-1961"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """A client of the API as the server mounts it."""
    routes = [Route("/healthz", api.health), Route("/api", api.unknown), Mount("/api", app=api.application())]
    with TestClient(Starlette(routes=routes), raise_server_exceptions=True) as started:
        yield started


def post(client: TestClient, body: str | bytes, query: str = "") -> Response:
    """Send a body as JSON to be diagnosed."""
    return client.post(f"/api/v1/diagnose{query}", content=body, headers=JSON)


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


def test_health_names_the_numbers_in_use(client: TestClient) -> None:
    """A watchdog sees that the process lives and what it answers from."""
    model = load_model()
    assert client.get("/healthz").json() == {"status": "ok", "version": model.version, "digest": model.digest}


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


def test_findings_that_clash_are_named(client: TestClient) -> None:
    """Impossible evidence says which findings cannot be true together."""
    response = post(client, '{"findings": {"leg_weakness": "absent", "toe_dorsiflexion": 1}}')
    refused(response, 422)
    assert {clashing.split(" = ")[0] for clashing in response.json()["findings"]} == {
        "leg_weakness",
        "toe_dorsiflexion",
    }


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

    def broken(model: object, case: object) -> dict[str, object]:
        del model, case
        raise RootcauseError(PATIENT)

    monkeypatch.setattr(api, "_diagnosed", broken)
    response = post(client, "{}")
    refused(response, 500)
    assert PATIENT not in response.text
