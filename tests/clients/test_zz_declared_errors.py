"""What boto3 was told in the whole run, against what the models declare: each operation has succeeded
and has answered each of its errors, or stands in `corpus/unprovoked.txt` with the reason. It runs last,
and only when all the others run too.
"""

import boto3
import conftest
import pytest

KEPT = conftest.ROOT / "corpus/unprovoked.txt"


def declared(service):
    """What every operation can end with by code, as botocore's model has it: success, and its errors."""
    model = boto3.client(service, region_name="us-east-1").meta.service_model
    for operation in model.operation_names:
        yield operation, "success"
        for shape in model.operation_model(operation).error_shapes:
            yield operation, shape.metadata.get("error", {}).get("code", shape.name)


def listed():
    """The list: lines `service:Operation Code`, below lines `# reason`."""
    lines = [line.split() for line in KEPT.read_text().splitlines() if line and not line.startswith("#")]
    return {(*name.split(":"), code) for name, code in lines}


def test_every_declared_error_was_met_or_is_excused(request):
    folder = {path.name for path in (conftest.ROOT / "tests/clients").glob("test_*.py")}
    ran = {item.path.name for item in request.session.items}
    if folder - ran or request.config.getoption("keyword"):
        pytest.skip("only a part of the tests runs")
    lines = (conftest.ROOT / "corpus/unimplemented.txt").read_text().splitlines()
    unbuilt = {line.split(": ")[0] for line in lines}
    wanted = {
        (service, operation, code)
        for service in ("accessanalyzer", "iam", "sts")
        for operation, code in declared(service)
        if f"{service}:{operation}" not in unbuilt
    }
    met = {(service, operation, code or "success") for service, operation, code in conftest.TOLD}
    excused = listed()
    new = sorted(wanted - met - excused)
    assert not new, "not met:\n" + "\n".join(f"{s}:{o} {c}" for s, o, c in new)
    stale = sorted(excused & met | excused - wanted)
    assert not stale, f"can leave the list: {stale}"
    print(f"{len(wanted & met)} of {len(wanted)} declared outcomes met")
