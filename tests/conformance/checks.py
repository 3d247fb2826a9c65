"""What schemathesis cannot tell of Pulse by the document alone."""

import json
import re

import schemathesis
from schemathesis.specs.openapi.checks import is_unexpected_http_status_case

# The parameters by which a request chooses among fields. Names of fields of fields follow from the types that the answer
# names; the document does not repeat those in each of its parameters.
CHOOSING = {"fields", "include"}


@schemathesis.check
def refused_by_rules_alone(ctx, response, case):
    """What the document allows is read, and refused by rules of the domain alone.

    `positive_data_acceptance` takes 400 as an answer to what the document allows (schemathesis.toml says why). This
    check says which of them may be: those of a subgraph that has understood all of its input.
    """
    is_positive = case.meta is not None and case.meta.generation.mode.is_positive
    if response.status_code != 400 or not is_positive or is_unexpected_http_status_case(case):
        return None
    if not is_as_declared(case):
        return None
    problem = response.json()
    if problem.get("field") in CHOOSING:
        return None
    # Some parameters are fields of one input: who gives one of them has to give another one. OpenAPI has no words for that.
    if re.match(r"variable `\$\w+\.[\w.]+` of the required type `\S+` was not given", problem["detail"]):
        return None
    errors = problem.get("errors", [])
    is_of_subgraph = bool(errors) and all("subgraph" in error for error in errors)
    if is_of_subgraph and not problem["detail"].startswith("Failed to parse"):
        return None
    raise AssertionError(f"the document allows what is not understood: {problem['detail']}")


def is_as_declared(case):
    """Whether the request is what the document allows. Values that schemathesis takes out of earlier answers are not always:
    a version without its quotes, or a text where a parameter is JSON.
    """
    for parameter in case.operation.iter_parameters():
        definition = parameter.definition
        sent = (case.headers if definition["in"] == "header" else case.query) or {}
        value = sent.get(definition["name"])
        if not isinstance(value, str):
            continue
        pattern = definition.get("schema", {}).get("pattern")
        if pattern is not None and not re.search(pattern, value):
            return False
        if "content" in definition and is_text(value):
            return False
    return True


def is_text(value):
    """Whether a JSON text is a string."""
    try:
        return isinstance(json.loads(value), str)
    except ValueError:
        return True
