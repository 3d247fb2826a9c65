"""Starts the demo platform, and asks it whether REST does what its descriptions say. `cargo xtask conformance` runs this."""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = ["3.1", "3.0"]
# What the key may not do, as requests that chance makes would end it, or those who may use it: keys, members, rights, and the
# organization itself.
NOT_FOR_CHANCE = {"access:manage", "api-key:manage", "member:manage", "organization:manage", "privacy:manage"}
CREATE_KEY = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pulse", required=True, help="the program")
    parser.add_argument("--tools", type=pathlib.Path, required=True, help="where the tools are installed")
    parser.add_argument("--phases", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--seed", required=True)
    options = parser.parse_args()
    with demo(options.pulse) as (origin, token):
        key = create_key(origin, token)
        checks = []
        for version in VERSIONS:
            checks += of_version(options, version, (origin, token, key))
        failed = [check[0] for check in checks if not succeeds(options.tools, *check)]
    for name in failed:
        print(f"FAILED: {name}")
    print(f"{len(checks) - len(failed)} of {len(checks)} checks of REST passed")
    return 1 if failed else 0


def of_version(options, version, platform):
    """What is run for a version of OpenAPI: names, commands, and the credentials that they send."""
    origin, token, key = platform
    url = f"{origin}/openapi.json?version={version}"
    document = options.tools / f"openapi-{version}.json"
    document.write_bytes(urllib.request.urlopen(url).read())
    python, redocly = options.tools / "python/bin", options.tools / "npm/node_modules/.bin/redocly"
    random = ["--seed", options.seed, "--max-examples", options.examples, "--generation-database", "none"]
    schemathesis = [python / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run", url, "--no-color", *random]
    # A key is nobody: what is a person's own is read by one. It only reads, since it would sign out sooner or later.
    reads = ["--include-method", "GET", "--mode", "positive", "--phases", "examples,fuzzing"]
    return [
        (f"{version}: it is valid", [python / "openapi-spec-validator", "--schema", version, document], None),
        (f"{version}: lint", [redocly, "lint", "--config", HERE / "redocly.yaml", document], None),
        (f"{version}: what a person reads", [*schemathesis, *reads], token),
        (f"{version}: what a key may do", [*schemathesis, "--phases", options.phases], key),
    ]


def succeeds(tools, name, command, credential):
    print(f"\n== {name}", flush=True)
    own = {
        "PULSE_CREDENTIAL": credential or "",
        "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        "REDOCLY_TELEMETRY": "off",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SCHEMATHESIS_HOOKS": str(HERE / "checks.py"),
    }
    # What they leave behind, they leave among the tools.
    return subprocess.run(command, env={**os.environ, **own}, cwd=tools).returncode == 0


@contextlib.contextmanager
def demo(pulse):
    """A platform with demo data, on a port of its own: where it is, and the token of its owner."""
    with tempfile.TemporaryDirectory(prefix="pulse-conformance-") as folder:
        command = [pulse, "dev", "--demo", "--data-dir", folder, "--listen", "127.0.0.1:0"]
        with open(f"{folder}/log", "w") as log:
            platform = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            said = ""
            for line in platform.stdout:
                said += line
                if line.startswith("Ctrl-C"):
                    break
            else:
                sys.exit(f"the platform did not start:\n{said}{pathlib.Path(folder, 'log').read_text()}")
            origin = re.search(r"ready at (http://\S+)/graphql", said).group(1)
            yield origin, re.search(r"Bearer ([\w.-]+)", said).group(1)
        finally:
            platform.terminate()
            platform.wait()


def create_key(origin, token):
    claims = token.split(".")[1]
    scopes = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["scope"].split()
    wanted = {"name": "conformance", "scopes": [scope for scope in scopes if scope not in NOT_FOR_CHANCE]}
    body = json.dumps({"query": CREATE_KEY, "variables": {"input": wanted}}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    answer = json.load(urllib.request.urlopen(urllib.request.Request(f"{origin}/graphql", body, headers)))
    return answer["data"]["createApiKey"]["secret"]


if __name__ == "__main__":
    sys.exit(main())
