import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from tests.e2e.server import finished
from tests.model_folder import model_id


@pytest.fixture(scope="module")
def document(server):
    with server.client(key="") as client:
        return client.get("/openapi.json").json()


def test_the_document_is_valid(document):
    validate(document)
    assert document["openapi"] == "3.1.0"


def test_each_model_has_one_submit_operation_with_its_published_schema_and_extra_inputs(document, client):
    for entry in client.get("/v1/models").json()["models"]:
        model = client.get(f"/v1/models/{entry['model_id']}").json()
        published = model["input_schema"]
        schema = document["paths"][f"/v1/models/{model['model_id']}"]["post"]["requestBody"]["content"][
            "application/json"
        ]["schema"]
        assert schema == {**published, "properties": {**published["properties"], **model["extra_inputs"]}}
        assert "loras" in schema["properties"]


def test_operation_ids_are_unique(document):
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_every_get_without_parameters_answers_as_documented(document, client):
    for path, operations in document["paths"].items():
        if "get" in operations and "{" not in path:
            reply = client.get(path)
            check(document, reply, operations["get"]["responses"])


def test_a_requests_replies_are_as_documented(document, client):
    submitted = client.post(f"/v1/models/{model_id('null')}", json={"prompt": "a"})
    check(document, submitted, document["paths"][f"/v1/models/{model_id('null')}"]["post"]["responses"])
    request_id = submitted.json()["request_id"]
    finished(client, request_id)
    assert {"preview", "eta_s"} <= document["components"]["schemas"]["StatusReply"]["properties"].keys()
    assert {"served_by", "engine"} <= document["components"]["schemas"]["ResultReply"]["properties"].keys()
    for verb, method in (("status", "get"), ("result", "get"), ("cancel", "post")):
        responses = document["paths"][f"/v1/requests/{{request_id}}/{verb}"][method]["responses"]
        check(document, client.request(method.upper(), f"/v1/requests/{request_id}/{verb}"), responses)


def check(document, reply, responses):
    schema = responses[str(reply.status_code)]["content"]["application/json"]["schema"]
    jsonschema_rs.validator_for({**schema, "components": document["components"]}).validate(reply.json())
