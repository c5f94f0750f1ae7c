"""Compares the answers of `bailiwick-symbolic` with Z3's.

Reads questions as JSON lines from standard input, as `cargo run --release -p bailiwick-symbolic
--example questions` writes them. Each pair of policies is translated here, from the rules of the
language alone, into one formula: is there a request that the new policy allows and the existing one
does not? Texts are strings with regular expressions, numbers and instants reals, addresses bit
vectors, presence Booleans, keys with several values lists of bounded length.

A question that cannot be put is counted as skipped, one that Z3 gives up as unanswered. One
disagreement makes the exit code 1. Needs the PyPI package z3-solver.
"""

import argparse
import ipaddress
import json
import multiprocessing
import re
import sys
import time
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import z3

ANY = z3.Full(z3.ReSort(z3.StringSort()))
ONE = z3.AllChar(z3.ReSort(z3.StringSort()))
NO_COLON = z3.Diff(ONE, z3.Re(":"))
VARIABLE = re.compile(r"\$\{([^{}$*?]+)\}")
NEGATED = re.compile(r"^.*Not")
CASES = {"k": "kK\u212a", "s": "sS\u017f"}


class Unsupported(Exception):
    """The question has something that is not translated."""


def concat(parts):
    parts = [part for part in parts if part is not None]
    if not parts:
        return z3.Re("")
    return parts[0] if len(parts) == 1 else z3.Concat(*parts)


def text(value):
    """A string constant, whatever letters it has."""
    return z3.StringVal("".join(c if 32 <= ord(c) < 127 and c != "\\" else f"\\u{{{ord(c):x}}}" for c in value))


def glob(pattern, star=ANY, one=ONE):
    """A pattern of `*` and `?` as a regular expression."""
    parts, literal = [], ""
    for c in pattern:
        if c in "*?":
            if literal:
                parts.append(z3.Re(text(literal)))
                literal = ""
            parts.append(star if c == "*" else one)
        else:
            literal += c
    if literal:
        parts.append(z3.Re(text(literal)))
    return concat(parts)


ARN = concat([z3.Re("arn:")] + [z3.Star(NO_COLON), z3.Re(":")] * 4 + [ANY])


def folded(value):
    """A text in any case."""
    parts = []
    for c in value:
        cases = CASES.get(c.lower(), c.lower() + c.upper() if c.isascii() else None)
        if cases is None:
            raise Unsupported("folding beyond ASCII")
        each = [z3.Re(text(other)) for other in sorted(set(cases))]
        parts.append(each[0] if len(each) == 1 else z3.Union(*each))
    return concat(parts)


def as_list(value):
    return value if isinstance(value, list) else [value]


def word(value):
    """CO-10"""
    return json.dumps(value) if isinstance(value, (bool, int, float)) else value


def decimal(value):
    """OP-N2"""
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        return None
    return Fraction(value)


def instant(value):
    """OP-D2, OP-D4"""
    if re.fullmatch(r"[+-]\d+|\d{5,}", value):
        return Fraction(int(value))
    found = re.fullmatch(
        r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?)?)?)?", value
    )
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        at = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return None
    at = at.replace(tzinfo=timezone.utc)
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        at += -offset if zone[0] == "+" else offset
    seconds = Fraction(int((at - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds()))
    return seconds + (Fraction(int(fraction), 10 ** len(fraction)) if fraction else 0)


class Address:
    """An address of either family (OP-I3)."""

    def __init__(self, name):
        self.short = z3.Bool(name + ".four")
        self.four = z3.BitVec(name + ".4", 32)
        self.six = z3.BitVec(name + ".6", 128)

    def constraint(self):
        mapped = z3.Extract(127, 32, self.six) == z3.BitVecVal(0xFFFF, 96)
        return z3.Or(self.short, z3.Not(mapped))

    def within(self, value):
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            return z3.BoolVal(False)
        if network.version == 6:
            if network.prefixlen >= 96 and int(network.network_address) >> 32 == 0xFFFF:
                low = int(network.network_address) & 0xFFFFFFFF
                return self.in_four(low, network.prefixlen - 96)
            shift = 128 - network.prefixlen
            if shift == 128:
                return z3.Not(self.short)
            first = int(network.network_address) >> shift
            same = z3.Extract(127, shift, self.six) == z3.BitVecVal(first, 128 - shift)
            return z3.And(z3.Not(self.short), same)
        return self.in_four(int(network.network_address), network.prefixlen)

    def in_four(self, address, bits):
        if bits == 0:
            return self.short
        same = z3.Extract(31, 32 - bits, self.four) == z3.BitVecVal(address >> (32 - bits), bits)
        return z3.And(self.short, same)


def base_of(operator):
    operator = operator.split(":")[-1]
    return operator[:-8] if operator.endswith("IfExists") else operator


def family(operator):
    base = base_of(operator)
    for start in ("Numeric", "Date", "String", "Arn", "Bool", "Null"):
        if base.startswith(start):
            return start
    if base in ("IpAddress", "NotIpAddress"):
        return "Ip"
    raise Unsupported(operator)


class Question:
    """The formula of one question."""

    def __init__(self, question):
        self.question = question
        self.action = z3.String("action")
        self.resource = z3.String("resource")
        # An action has a service and a name, a resource is an ARN or `*`.
        self.constraints = [
            z3.InRe(self.action, concat([z3.Plus(ONE), z3.Re(":"), z3.Plus(ONE)])),
            z3.Or(z3.InRe(self.resource, ARN), self.resource == "*"),
        ]
        self.keys = {}
        self.uses = {}
        for side in ("existing", "new"):
            for statement in as_list(question[side]["Statement"]):
                for operator, block in (statement.get("Condition") or {}).items():
                    for key in block:
                        self.uses.setdefault(key.lower(), []).append(operator)

    def key(self, name):
        """What a key may be: its presence, and its values with how many there are."""
        if name in self.keys:
            return self.keys[name]
        operators = [operator for operator in self.uses.get(name, []) if base_of(operator) != "Null"]
        families = {family(operator) for operator in operators}
        declared = name in self.question["multivalued"]
        kind = self.question["kinds"].get(name)
        listed = any(":" in operator for operator in self.uses.get(name, []))
        several = declared or (kind is None and listed)
        typed = families & {"Numeric", "Date", "Ip"}
        if typed and (len(families) > 1 or kind not in (None, {"Ip": "IpAddress"}.get(*typed, *typed))):
            raise Unsupported("a key of two types")
        # As many values as there are conditions are enough: each needs one of its own at most.
        count = len(self.uses.get(name, [])) + 2 if several else 1
        values = []
        for at in range(count):
            own = f"{name}#{at}"
            if typed == {"Ip"}:
                value = Address(own)
                self.constraints.append(value.constraint())
            elif typed:
                value = z3.Real(own)
                if typed == {"Date"}:
                    self.constraints += [value >= -62135596800, value < 253402300800]
            else:
                value = z3.String(own)
                if kind == "Bool" or (kind is None and families == {"Bool"}):
                    self.constraints.append(z3.InRe(value, z3.Union(folded("true"), folded("false"))))
                elif kind == "Arn" or (kind is None and families == {"Arn"}):
                    self.constraints.append(z3.InRe(value, ARN))
            values.append(value)
        number = z3.Int(name + ".count")
        self.constraints += [number >= 1, number <= count]
        self.keys[name] = (z3.Bool(name + ".present"), values, number, declared)
        return self.keys[name]

    def variable(self, name):
        """The value of a variable, and whether it has one (VAR-1, VAR-3, VAR-6)."""
        found = re.fullmatch(r"([^,']+?)\s*(?:,\s*'(.*)')?", name)
        if not found:
            raise Unsupported("form of variable")
        key, default = found.group(1).strip().lower(), found.group(2)
        if key in self.question["multivalued"]:
            value, present = text(""), z3.BoolVal(False)
        else:
            held, values, number, _ = self.key(key)
            if not z3.is_string(values[0]):
                raise Unsupported("a variable of another type")
            value, present = values[0], z3.And(held, number == 1)
        if default is not None:
            return z3.If(present, value, text(default)), z3.BoolVal(True)
        return value, present

    def pieces(self, pattern, old):
        """Texts and variables by turns."""
        if old:
            return [pattern]
        if re.search(r"\$\{[*?$]\}", pattern):
            raise Unsupported("escaped wildcard")
        return VARIABLE.split(pattern)

    def matches(self, value, pattern, old, wild, compile_glob=glob):
        """Whether a text is one of a pattern, whose wildcards count or do not."""
        pieces = self.pieces(pattern, old)
        if len(pieces) == 1:
            return z3.InRe(value, compile_glob(pattern)) if wild else value == text(pattern)
        conditions, expression = [], []
        for at, piece in enumerate(pieces):
            if at % 2:
                own, present = self.variable(piece)
                conditions.append(present)
                expression.append(own)
            elif piece:
                expression.append(piece)
        last = expression[-1] if isinstance(expression[-1], str) else ""
        if wild and last.endswith("*") and not re.search(r"[*?]", last[:-1]):
            expression[-1] = last[:-1]
            tail = True
        else:
            tail = False
        plain = [piece for piece in expression if not isinstance(piece, str) or piece]
        if wild and any(isinstance(piece, str) and re.search(r"[*?]", piece) for piece in plain):
            parts = [glob(piece) if isinstance(piece, str) else z3.Re(piece) for piece in plain]
            conditions.append(z3.InRe(value, concat(parts + ([ANY] if tail else []))))
        else:
            parts = [text(piece) if isinstance(piece, str) else piece for piece in plain]
            whole = parts[0] if len(parts) == 1 else z3.Concat(*parts)
            conditions.append(z3.PrefixOf(whole, value) if tail else value == whole)
        return z3.And(*conditions)

    def resource_matches(self, pattern, old):
        """RES-1, RES-4, RES-5, RES-6, RES-11"""
        if pattern == "*":
            return z3.BoolVal(True)
        if not pattern.startswith("arn:"):
            return z3.BoolVal(False)
        fields = pattern.split(":", 5)
        if not old and any("${" in field for field in fields[:5]):
            raise Unsupported("a variable before the last field")
        forms = [pattern]
        if len(fields) < 6:
            forms.append(pattern + ":*" * (6 - len(fields)))

        def compiled(form):
            parts = []
            for at, field in enumerate(form.split(":", 5)):
                if at:
                    parts.append(z3.Re(":"))
                if at == 5:
                    parts.append(glob(field))
                    continue
                ends = field.endswith("*")
                inner = field[:-1] if ends else field
                parts.append(glob(inner, z3.Star(NO_COLON), NO_COLON))
                if ends:
                    parts.append(ANY)
            return concat(parts)

        if len(self.pieces(pattern, old)) > 1 and re.search(r"[*?]", ":".join(fields[:5])):
            raise Unsupported("wildcards before a variable")
        return z3.Or(*[self.matches(self.resource, form, old, True, compiled) for form in forms])

    def action_matches(self, pattern):
        """ACT-1, ACT-2"""
        return z3.InRe(self.action, glob(pattern.lower()))

    def satisfies(self, value, operator, listed, old):
        """Whether one value satisfies an operator against a list (CO-1, CO-7)."""
        base = base_of(operator)
        positive = base.replace("Not", "")
        each = []
        for item in map(word, listed):
            if positive in ("StringEquals", "StringLike"):
                each.append(self.matches(value, item, old, positive == "StringLike"))
            elif positive == "StringEqualsIgnoreCase":
                if len(self.pieces(item, old)) > 1:
                    raise Unsupported("a variable in any case")
                each.append(z3.InRe(value, folded(item)))
            elif positive in ("ArnEquals", "ArnLike"):
                each.append(self.arn_matches(value, item, old))
            elif positive == "Bool":
                if len(self.pieces(item, old)) > 1:
                    raise Unsupported("a variable as a truth value")
                true = item.lower() in ("true", "false")
                each.append(z3.InRe(value, folded(item)) if true else z3.BoolVal(False))
            elif positive == "IpAddress":
                each.append(value.within(item))
            elif positive.startswith(("Numeric", "Date")):
                bound = decimal(item) if positive.startswith("Numeric") else instant(item)
                if bound is None:
                    each.append(z3.BoolVal(False))
                    continue
                bound = z3.RealVal(str(bound))
                kind = positive.removeprefix("Numeric").removeprefix("Date")
                each.append({
                    "Equals": value == bound,
                    "LessThan": value < bound,
                    "LessThanEquals": value <= bound,
                    "GreaterThan": value > bound,
                    "GreaterThanEquals": value >= bound,
                }[kind])
            else:
                raise Unsupported(operator)
        one = z3.Or(*each) if each else z3.BoolVal(False)
        return z3.Not(one) if "Not" in base else one

    def arn_matches(self, value, pattern, old):
        """OP-A2, OP-A4"""
        if pattern == "*":
            return z3.InRe(value, ARN)
        fields = pattern.split(":", 5)
        if len(self.pieces(pattern, old)) > 1:
            raise Unsupported("a variable in an ARN")
        if len(fields) < 6 or fields[0] != "arn":
            return z3.BoolVal(False)
        parts = []
        for at, field in enumerate(fields):
            if at:
                parts.append(z3.Re(":"))
            parts.append(glob(field) if at == 5 else glob(field, z3.Star(NO_COLON), NO_COLON))
        return z3.InRe(value, concat(parts))

    def condition(self, operator, key, listed, deny, old):
        """CO-3 to CO-9"""
        present, values, number, declared = self.key(key)
        base = base_of(operator)
        if base == "Null":
            wanted = {word(value).lower() for value in listed}
            options = [z3.Not(present)] if "true" in wanted else []
            options += [present] if "false" in wanted else []
            return z3.Or(*options) if options else z3.BoolVal(False)
        prefix = operator.split(":")[0] if ":" in operator else ""
        negated = "Not" in base
        each = [self.satisfies(value, operator, listed, old) for value in values]
        counted = [number > at for at in range(len(values))]
        if prefix == "ForAllValues":
            empty = [value == "" if z3.is_string(value) else z3.BoolVal(False) for value in values]
            held = z3.And(*[z3.Implies(c, z3.Or(e, s)) for c, e, s in zip(counted, empty, each)])
            absent = True
        elif prefix == "ForAnyValue":
            held = z3.Or(*[z3.And(c, s) for c, s in zip(counted, each)])
            absent = False
        elif prefix:
            raise Unsupported(prefix)
        else:
            if deny and negated:
                many = z3.And(*[z3.Implies(c, s) for c, s in zip(counted, each)])
            else:
                many = z3.BoolVal(False)
            held = many if declared else z3.If(number == 1, each[0], many)
            absent = negated
        if operator.endswith("IfExists"):
            absent = True
        return z3.If(present, held, z3.BoolVal(absent))

    def allowed(self, policy):
        """ST-1, EV-2"""
        old = policy.get("Version") != "2012-10-17"
        allows, denies = [], []
        for statement in as_list(policy["Statement"]):
            deny = statement["Effect"] == "Deny"
            parts = []
            for element in ("Action", "NotAction"):
                if element in statement:
                    any_of = z3.Or(*[self.action_matches(p) for p in as_list(statement[element])])
                    parts.append(z3.Not(any_of) if element == "NotAction" else any_of)
            for element in ("Resource", "NotResource"):
                if element in statement:
                    patterns = as_list(statement[element])
                    any_of = z3.Or(*[self.resource_matches(p, old) for p in patterns])
                    parts.append(z3.Not(any_of) if element == "NotResource" else any_of)
            for operator, block in (statement.get("Condition") or {}).items():
                for key, listed in block.items():
                    parts.append(self.condition(operator, key.lower(), as_list(listed), deny, old))
            (denies if deny else allows).append(z3.And(*parts))
        return z3.And(z3.Or(*allows), z3.Not(z3.Or(*denies)))

    def is_request(self, witness):
        """What each unknown is in this request. What follows from the caller is left open."""
        out = [(self.action, text(witness["action"].lower())), (self.resource, text(witness["resource"]))]
        context = witness["context"]
        for name, (present, values, number, _) in self.keys.items():
            if name not in context:
                if not name.startswith(("aws:principal", "aws:user")):
                    out.append((present, z3.BoolVal(False)))
                continue
            held = context[name]
            if len(held) > len(values):
                raise Unsupported("a witness of many values")
            out += [(present, z3.BoolVal(True)), (number, z3.IntVal(len(held)))]
            for value, own in zip(values, held):
                if isinstance(value, Address):
                    address = ipaddress.ip_address(own)
                    short = address.version == 4
                    out.append((value.short, z3.BoolVal(short)))
                    bits = z3.BitVecVal(int(address), 32 if short else 128)
                    out.append((value.four if short else value.six, bits))
                elif z3.is_string(value):
                    out.append((value, text(own)))
                else:
                    numeric = any(family(operator) == "Numeric" for operator in self.uses[name])
                    out.append((value, z3.RealVal(str(decimal(own) if numeric else instant(own)))))
        return out

    def solve(self, milliseconds):
        formula = z3.And(self.allowed(self.question["new"]), z3.Not(self.allowed(self.question["existing"])))
        witness = self.question["witness"]
        if witness:
            # To find an example is harder than to confirm one.
            whole = z3.And(formula, *self.constraints)
            solver = z3.Solver()
            solver.set("timeout", milliseconds)
            solver.add(z3.simplify(z3.substitute(whole, *self.is_request(witness))))
            answer = solver.check()
            if answer == z3.sat:
                return "fails", solver.model()
            if answer == z3.unsat:
                return "refused", witness
        solver = z3.Solver()
        solver.set("timeout", milliseconds)
        solver.add(formula, *self.constraints)
        answer = solver.check()
        if answer == z3.sat:
            return "fails", solver.model()
        return ("holds" if answer == z3.unsat else "unanswered"), None


def ask(job):
    line, milliseconds = job
    question = json.loads(line)
    try:
        found, model = Question(question).solve(milliseconds)
    except Unsupported as reason:
        return question["id"], "skipped", question["answer"], str(reason)
    except z3.Z3Exception as reason:
        return question["id"], "skipped", question["answer"], f"z3: {str(reason)[:80]}"
    both = found in ("holds", "fails") and question["answer"] in ("holds", "fails")
    if found == "refused" or both and found != question["answer"]:
        return question["id"], "disagreement", question["answer"], f"{line.strip()}\n  model: {model}"
    return question["id"], found, question["answer"], ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timeout", type=int, default=1000, help="milliseconds for one question")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    begun = time.monotonic()
    tally, reasons, wrong = {}, {}, []
    jobs = ((line, options.timeout) for line in sys.stdin if line.strip())
    with multiprocessing.Pool(options.processes) as pool:
        for number, found, ours, detail in pool.imap_unordered(ask, jobs, chunksize=8):
            tally[(found, ours)] = tally.get((found, ours), 0) + 1
            if found == "skipped":
                reasons[detail] = reasons.get(detail, 0) + 1
            if found == "disagreement":
                wrong.append((number, ours, detail))
    answered = sum(count for (found, _), count in tally.items() if found in ("holds", "fails", "disagreement"))
    for (found, ours), count in sorted(tally.items()):
        print(f"z3 {found:12} ours {ours:10} {count}")
    for reason, count in sorted(reasons.items()):
        print(f"skipped, {reason}: {count}")
    total = sum(tally.values())
    print(f"{total} questions, {answered} answered by Z3, {len(wrong)} disagreements, {time.monotonic() - begun:.1f} s")
    for number, ours, detail in wrong[:10]:
        print(f"question {number}, ours: {ours}\n  {detail}", file=sys.stderr)
    # A run that compares next to nothing shows nothing.
    sys.exit(1 if wrong or answered * 2 < total else 0)


if __name__ == "__main__":
    main()
