"""Every constraint of every parameter, broken once: the models are botocore's own, so this does not
share the server's reading of them. Each is refused with the words that AWS has for it.
"""

import copy
import re

import botocore.exceptions
import pytest
from test_operations_all import ANALYZER, IAM, STS

# A character each that some pattern does not take.
ODD = ["\u0001", "!", "é", "\U0001f511", " ", "-", "/", "a"]
# Longer bodies are refused before they are read.
MAX_TEXT = 500_000


# Classes of Java's that Python writes otherwise; near enough for the odd characters above.
CLASSES = {r"\p{L}": r"\w", r"\p{Z}": " ", r"\p{N}": r"\d", r"\p{M}": ""}


def matches(pattern, text):
    """Whether a text fits a pattern of the models, which are Java's."""
    for java, python in CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.fullmatch(pattern, text) is not None


def sample(shape):
    """A value that fits a shape."""
    if shape.type_name == "structure":
        # An empty structure would not be sent.
        return {name: sample(shape.members[name]) for name in shape.required_members or shape.members}
    if shape.type_name == "list":
        return [sample(shape.member)] * max(shape.metadata.get("min", 0), 1)
    if shape.type_name == "map":
        return {sample(shape.key): sample(shape.value)}
    if shape.type_name == "string":
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 1 << 20)
        if shape.enum:
            return shape.enum[0]
        pattern = shape.metadata.get("pattern")
        for text in ("a", "1", "/a/", "/", "v1", "aaa", "123456", "arn:aws:iam::123456789012:role/a", "AKIAIOSFODNN7EXAMPLE"):
            # Padded in the middle, where patterns are kindest.
            padded = text[: len(text) - 1] + text[-1] * max(1, low - len(text) + 1)
            for fitting in (text, padded):
                if low <= len(fitting) <= high and (not pattern or matches(pattern, fitting)):
                    return fitting
        pytest.fail(f"no sample for {shape} {shape.metadata}")
    return {"integer": max(shape.metadata.get("min", 1), 1), "long": 1, "boolean": True, "timestamp": 0}[shape.type_name]


def breaches(shape):
    """Values that break one constraint of the shape itself, each with the rule in AWS's words."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    kind = shape.type_name
    if kind == "string":
        if shape.enum:
            yield "Bogus", "Member must satisfy enum value set"
            return
        fitting = sample(shape)
        if low:
            yield fitting[:low - 1], f"Member must have length greater than or equal to {low}"
        if high is not None and high < MAX_TEXT:
            yield fitting + fitting[-1] * (high + 1 - len(fitting)), f"Member must have length less than or equal to {high}"
        pattern = shape.metadata.get("pattern")
        wrong = [odd * max(low or 1, 1) for odd in ODD]
        wrong = [text for text in wrong if pattern and not matches(pattern, text)]
        if wrong:
            yield wrong[0], f"Member must satisfy regular expression pattern: {pattern}"
    if kind in ("integer", "long"):
        if low is not None:
            yield low - 1, f"Member must have value greater than or equal to {low}"
        if high is not None:
            yield high + 1, f"Member must have value less than or equal to {high}"
    if kind == "list":
        item = sample(shape.member)
        if low:
            yield [item] * (low - 1), f"Member must have length greater than or equal to {low}"
        if high is not None:
            yield [item] * (high + 1), f"Member must have length less than or equal to {high}"


def walk(shape, path=()):
    """The place of every shape below a structure, and the shape."""
    for name, member in shape.members.items():
        yield from inside(member, (*path, name))


def inside(shape, path):
    yield path, shape
    if shape.type_name == "structure":
        yield from walk(shape, path)
    if shape.type_name == "list":
        yield from inside(shape.member, (*path, 0))


def fill(value, shape, path, wrong):
    """The value with `wrong` at the place; what is missing on the way there is made to fit."""
    if not path:
        return wrong
    step, rest = path[0], path[1:]
    if shape.type_name == "list":
        items = copy.deepcopy(value) if value else sample(shape)
        items[0] = fill(items[0], shape.member, rest, wrong)
        return items
    made = copy.deepcopy(value) if value is not None else sample(shape)
    member = shape.members[step]
    if wrong is None and not rest:
        made.pop(step, None)
    else:
        made[step] = fill(made.get(step), member, rest, wrong)
    return made


def wire_path(path):
    """A place as messages name it."""
    parts = [f"{step + 1}.member" if isinstance(step, int) else step[0].lower() + step[1:] for step in path]
    return ".".join(parts).replace(".member.member", ".member")


def cases(client, service, table):
    """Every broken request of a service: operation, place, rule, parameters."""
    model = client.meta.service_model
    for operation, parameters in table.items():
        shape = model.operation_model(operation).input_shape
        if shape is None:
            continue
        for path, found in walk(shape):
            for wrong, rule in breaches(found):
                yield operation, path, rule, fill(parameters, shape, path, wrong)
        for path, found in [((), shape), *walk(shape)]:
            if found.type_name == "structure":
                for name in found.required_members:
                    yield operation, (*path, name), "Member must not be null", fill(parameters, shape, (*path, name), None)


@pytest.mark.parametrize("service, table, least", [("iam", IAM, 800), ("sts", STS, 60), ("accessanalyzer", ANALYZER, 15)])
def test_tm_g02_every_constraint_is_held(world, service, table, least):
    client = world.admin.client(service)
    names = {wire: method for method, wire in client.meta.method_to_api_mapping.items()}
    seen, wrong = 0, []
    for operation, path, rule, parameters in cases(client, service, table):
        place = f"{service}:{operation} {wire_path(path)}"
        seen += 1
        try:
            getattr(client, names[operation])(**parameters)
        except botocore.exceptions.ClientError as error:
            answer = error.response
            status, told = answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]
            head = re.match(r"(\d+) validation errors? detected: ", told["Message"])
            code = "ValidationException" if service == "accessanalyzer" else "ValidationError"
            if (status, told["Code"]) != (400, code) or not head:
                wrong.append(f"{place}: {status} {told} for: {rule}")
                continue
            items = told["Message"][head.end():].split("; Value ")
            # What is wrong with an item of a list of texts is told of the list.
            of_item = isinstance(path[-1], int)
            at = re.escape(wire_path(path[:-1] if of_item else path))
            expected = re.compile(
                rf"(Value )?(null )?('.*' )?at '{at}' failed to satisfy constraint: (.*)", re.DOTALL)
            found = [match[4] for match in map(expected.fullmatch, items) if match]
            if of_item:
                head_of_items = "Member must satisfy constraint: ["
                is_told = any(text.startswith(head_of_items) and rule in text for text in found)
            else:
                is_told = any(text.startswith(rule) for text in found)
            if int(head[1]) != len(items) or not is_told:
                wrong.append(f"{place}: {told['Message'][:300]} for: {rule}")
        else:
            wrong.append(f"{place}: taken, for: {rule}")
    assert not wrong, f"{len(wrong)} of {seen}:\n" + "\n".join(wrong[:60])
    assert seen > least
    print(f"{service}: {seen} constraints")
