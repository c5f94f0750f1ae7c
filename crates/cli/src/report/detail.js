// One finding, and one check.

const facts = list => h("dl", { class: "facts" }, list.filter(([, value]) => value !== null && value !== "" && value !== undefined)
  .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

/** The controls that a check serves, each a link to what else serves it. */
function mappings(check) {
  const lines = [...check.standards].map(([standard, controls]) => [standard,
    h("div", { class: "chips" }, controls.map(control => h("a", { class: "chip", href: link("compliance", { control }, standard) }, control)))]);
  if (check.controls.length) lines.push(["Security Hub, AWS Config", h("div", { class: "chips" }, check.controls.map(name => h("span", { class: "chip" }, name)))]);
  if (check.practices.length) lines.push(["Practices", h("div", { class: "chips" }, check.practices.map(name => h("span", { class: "chip" }, name)))]);
  return lines.length ? facts(lines) : h("p", { class: "muted" }, "No control of a standard asks for it.");
}

/** A text of TOML in quotes. */
const quoted = text => JSON.stringify(text).replace(/[\u007f-\uffff]/g, letter => "\\u" + letter.charCodeAt(0).toString(16).padStart(4, "0"));

function finding(app, main, at, shown) {
  const { text, f, checks, idAt, bySubject, held } = app;
  const n = idAt.get(at.argument);
  const back = (shown && shown.hash) || link("findings");
  if (n === undefined) {
    main.append(h("h1", {}, "No such finding"), h("p", {}, "This report has no finding ", h("code", {}, at.argument), ". ", h("a", { href: back }, "All findings")));
    return {};
  }
  const check = checks[f.check[n]];
  const subject = text[f.subject[n]];
  const about = named(subject);
  const excepted = text[f.excepted[n]];
  main.append(h("p", { class: "crumb" }, h("a", { href: back, id: "back" }, "← Findings")));
  main.append(h("div", { class: "lead" }, h("h1", {}, check.title),
    h("div", { class: "chips" }, severity(check.severity), stateBadge(excepted ? "suppressed" : "fail"), f.new[n] === 1 ? h("span", { class: "badge new" }, "New") : null)));

  const why = h("section", { class: "card stack" }, h("h2", {}, "Why"),
    h("p", { class: "pre break" }, ticks(capital(text[f.why[n]])), /[.!?\n]$/.test(text[f.why[n]]) ? "" : "."),
    facts([
      [about.kind ? capital(about.kind) : "About", h("b", { class: "break" }, about.name)],
      ["ARN", subject.startsWith("arn:") ? h("span", { class: "mono break" }, subject) : null],
      ["Exception", excepted || null],
    ]));
  const policy = text[f.policy[n]];
  const statement = f.statement[n] ? `statement ${f.statement[n] - 1}, counted from 0` : null;
  const proof = h("section", { class: "card stack" }, h("h2", {}, "Evidence"));
  if (policy) {
    proof.append(facts([
      ["Policy", h("span", { class: "mono break" }, policy)],
      ["Version", text[f.version[n]] || null],
      ["Statement", statement],
      ["Sid", text[f.sid[n]] || null],
    ]));
  }
  proof.append(facts([["As of", instant(text[f.time[n]]) || instant(held.collected) || `${instant(held.asOf)} (when the report was made)`]]));
  if (f.text[n]) proof.append(code(pretty(text[f.text[n]]), "Statement as it stands"));

  const act = h("section", { class: "card stack" }, h("h2", {}, "What to do"), h("p", { class: "break" }, ticks(capital(text[f.fix[n]])), "."));
  const commands = text[f.commands[n]].split("\n").filter(Boolean);
  if (commands.length) act.append(h("div", {}, h("h3", {}, "With the AWS CLI"), commands.map(command => code(command, "Command"))));
  if (f.diff[n]) act.append(h("div", {}, h("h3", {}, "Change of the policy"), code(text[f.diff[n]], "Change of the policy", true)));
  if (held.details !== null && !commands.length && !f.diff[n]) act.append(h("p", { class: "muted small" }, "Commands and the change of the policy may be left out here to keep the file small: see --format json."));
  const soon = `${Number(held.asOf.slice(0, 4))}-12-31`;
  act.append(h("details", {}, h("summary", {}, "Accept it for a time"),
    h("p", { class: "small muted" }, "In the settings of the audit, with your reason and its last day:"),
    code(`[[exceptions]]\nfinding = ${quoted(at.argument)}\nreason = "..."\nuntil = "${soon}"`, "Exception")));

  const same = (bySubject.get(f.subject[n]) || []).filter(row => row.at !== n);
  const kinds = new Map();
  for (const row of same) kinds.set(row.check, [...(kinds.get(row.check) || []), row]);
  const others = h("section", { class: "card stack" }, h("h2", {}, "About the same"),
    same.length ? [h("ul", { class: "plain stack small" }, [...kinds].slice(0, 8).map(([check, list]) => h("li", {}, severity(check.severity), " ",
      h("a", { href: list.length > 1 ? link("findings", { subject, check: check.id, state: "all" }) : app.hrefOf(list[0]) }, check.title), list.length > 1 ? ` × ${list.length}` : ""))),
      same.length > 1 ? h("p", { class: "small" }, h("a", { href: link("findings", { subject, state: "all" }) }, `All ${number.format(same.length + 1)}`)) : null]
      : h("p", { class: "muted" }, "Nothing else was found about it."));
  const meta = h("section", { class: "card stack" }, h("h2", {}, "Check and controls"),
    facts([["Check", h("a", { href: link("check", {}, check.id) }, check.id)], ["Finding", h("span", { class: "mono break" }, at.argument)], ["Section", app.sections.get(app.sectionOf(check))]]), mappings(check));
  main.append(h("div", { class: "cols side" }, h("div", { class: "stack" }, why, act, proof), h("div", { class: "stack" }, others, meta)));
  return {};
}

function oneCheck(app, main, at) {
  const { text, f, checks, byId, findings } = app;
  const check = checks[byId.get(at.argument)];
  if (!check) {
    main.append(h("h1", {}, "No such check"), h("p", {}, h("a", { href: link("checks") }, "All checks")));
    return {};
  }
  main.append(h("p", { class: "crumb" }, h("a", { href: link("checks", { section: app.sectionOf(check) }) }, `← ${app.sections.get(app.sectionOf(check))}`)),
    h("div", { class: "lead" }, h("h1", {}, check.title), h("div", { class: "chips" }, severity(check.severity), stateBadge(check.outcome))));
  const shares = [["fail", check.failed], ["suppressed", check.excepted], ["not-assessed", check.gapCount], ["pass", check.passed], ["not-applicable", check.notApplicable]];
  const result = h("section", { class: "card stack" }, h("h2", {}, "Result"),
    shares.some(([, n]) => n) ? bar(shares, true) : null,
    facts([["Check", h("span", { class: "mono" }, check.id)], ...shares.filter(([, n]) => n).map(([state, n]) => [STATES[state][0], count(n, "subject")])]),
    check.failed ? h("p", {}, h("a", { class: "button", href: link("findings", { check: check.id }) }, `Show ${count(check.failed, "finding")}`)) : null,
    check.excepted ? h("p", {}, h("a", { href: link("findings", { check: check.id, state: "suppressed" }) }, `${count(check.excepted, "finding")} covered by exceptions`)) : null,
    check.notes.map(note => h("p", { class: "small muted break" }, note)));
  const side = h("section", { class: "card stack" }, h("h2", {}, "Controls"), mappings(check));
  const left = h("div", { class: "stack" }, result);
  const own = byId.get(check.id);
  const first = findings.find(row => f.check[row.at] === own);
  if (first) left.append(h("section", { class: "card stack" }, h("h2", {}, "What to do"), h("p", {}, ticks(capital(text[f.fix[first.at]])), ".")));
  if (check.gaps.length) {
    const whole = check.outcome === "not-built";
    left.append(h("section", { class: "card stack" }, h("h2", {}, whole ? "Not built" : "Not assessed"),
      whole ? h("p", {}, capital(text[check.gaps[0][1]]), ".")
        : table({ label: "Not assessed", view: { sort: "", down: false, page: 0, size: 25 }, rows: check.gaps, columns: [
          { key: "subject", label: "About", first: true, compare: (a, b) => order(text[a[0]], text[b[0]]), cell: gap => app.subjectCell(gap[0]) },
          { key: "missing", label: "What is missing", bare: true, compare: (a, b) => order(text[a[1]], text[b[1]]), cell: gap => h("span", { class: "break" }, text[gap[1]]) },
        ] }),
      check.gapCount > check.gaps.length ? h("p", { class: "small muted" }, `The first ${number.format(check.gaps.length)} of ${number.format(check.gapCount)}; --format json tells all.`) : null));
  }
  main.append(h("div", { class: "cols side" }, left, h("div", { class: "stack" }, side)));
  return {};
}
