// The audit: overview, findings, checks, exceptions, evidence.

boot(held => {
  const text = held.texts;
  const f = held.findings;
  const checks = held.checks;
  const byId = new Map(checks.map((check, at) => [check.id, at]));
  const sections = new Map(held.sections.map(([letters, name]) => [letters, name]));
  const sectionOf = check => check.id.split("-")[0];
  for (const check of checks) check.standards = standardsOf(check);
  const standards = [...new Set(checks.flatMap(check => [...check.standards.keys()]))].sort(orderStandards);

  // One row for each finding, each subject not assessed, and each check that passed.
  const rows = [];
  const findings = [];
  for (let at = 0; at < f.id.length; at += 1) {
    const row = { at, check: checks[f.check[at]], subject: f.subject[at], why: f.why[at], state: f.excepted[at] ? "suppressed" : "fail", fresh: f.new[at] };
    rows.push(row);
    findings.push(row);
  }
  for (const check of checks) {
    if (check.outcome === "not-built") rows.push({ at: -1, check, subject: 0, why: check.gaps[0] ? check.gaps[0][1] : 0, state: "not-assessed" });
    else for (const [subject, missing] of check.gaps) rows.push({ at: -1, check, subject, why: missing, state: "not-assessed" });
    if (check.passed) rows.push({ at: -1, check, subject: 0, why: 0, state: "pass" });
  }
  const idAt = new Map(f.id.map((id, at) => [id, at]));
  const bySubject = new Map();
  for (const row of findings) {
    if (!bySubject.has(row.subject)) bySubject.set(row.subject, []);
    bySubject.get(row.subject).push(row);
  }
  const kinds = new Map();
  const kindOf = subject => {
    if (!kinds.has(subject)) kinds.set(subject, subject ? named(text[subject]).kind || "other" : "");
    return kinds.get(subject);
  };

  const app = {
    text, f, checks, byId, sections, sectionOf, standards, rows, findings, idAt, bySubject, held,
    subjectCell(number) {
      if (!number) return h("span", { class: "muted" }, "All subjects");
      const { kind, name } = named(text[number]);
      const at = ["user", "role", "group", "policy"].includes(kind) ? name.lastIndexOf("/") + 1 : 0;
      return h("div", { class: "subject", title: text[number] }, h("b", {}, name.slice(at)),
        kind ? h("small", { class: "break" }, kind, at ? ` in /${name.slice(0, at)}` : "") : null);
    },
    hrefOf(row) {
      return row.at >= 0 ? link("finding", {}, f.id[row.at]) : link("check", {}, row.check.id);
    },
    tally(list) {
      const states = { "fail": 0, "not-assessed": 0, "pass": 0, "not-applicable": 0, "not-built": 0 };
      for (const check of list) states[check.outcome] += 1;
      return states;
    },
  };
  const all = app.tally(checks);
  const open = findings.filter(row => row.state === "fail");
  const bySeverity = LEVELS.map((_, level) => open.filter(row => row.check.severity === level).length);

  function overview(main) {
    main.append(h("div", { class: "lead" },
      h("h1", {}, `Account ${held.account}`),
      h("p", {}, `As of ${instant(held.asOf)}. `, held.collected ? `Gathered ${instant(held.collected)}. ` : "When it was gathered is not known. ",
        `${count(held.users, "user")}, ${count(held.roles, "role")}.`)));
    if (held.faults.length) {
      main.append(h("div", { class: "note fail", role: "note" }, h("h2", {}, `${count(held.faults.length, "file")} cannot be used`),
        h("p", {}, "What needs them is not assessed. ", h("a", { href: link("evidence") }, "Which, and why"))));
    }
    if (held.details !== null) {
      main.append(h("div", { class: "note", role: "note" }, h("h2", {}, "Not every finding has its details here"),
        h("p", {}, `Of each check the first ${number.format(held.details)} findings are told whole, to keep this file small. --format json tells all.`)));
    }
    const assessed = all.pass + all.fail;
    const missing = all["not-assessed"] + all["not-built"];
    const percent = assessed ? Math.round((all.pass / assessed) * 100) : 0;
    const legend = h("div", { class: "legend" }, Object.entries(all).filter(([, n]) => n).map(([state, n]) =>
      h("a", { href: link("checks", { outcome: state }), class: state }, h("i", { class: state }), h("span", {}, `${number.format(n)} ${STATES[state][0].toLowerCase()}`))));
    const score = h("section", { class: "card" }, h("h2", {}, "Checks"),
      h("div", { class: "figure" }, h("b", {}, assessed ? `${percent} %` : "–"),
        h("span", { class: "muted" }, `${all.pass} of ${assessed} assessed checks pass`)),
      bar(Object.entries(all), true), legend,
      missing ? h("p", { class: "small muted" }, h("br"), `${missing} of ${checks.length} checks could not be assessed. They are not counted as passed. `, h("a", { href: link("evidence") }, "What is missing")) : null);
    const tiles = h("div", { class: "tiles" }, LEVELS.map((name, level) =>
      h("a", { class: `tile ${name}${bySeverity[level] ? "" : " zero"}`, href: link("findings", { severity: name }) },
        h("b", {}, number.format(bySeverity[level])), h("span", {}, capital(name)))));
    const excepted = findings.length - open.length;
    const fresh = open.filter(row => row.fresh === 1).length;
    const found = h("section", { class: "card" }, h("h2", {}, "Findings"),
      h("p", {}, count(open.length, "finding"), " in ", count(all.fail, "check"), excepted ? [", and ", h("a", { href: link("findings", { state: "suppressed" }) }, `${number.format(excepted)} covered by exceptions`)] : ""), tiles,
      held.baseline ? h("p", { class: "small" }, h("br"), "Since the baseline: ", h("a", { href: link("changes") }, `${number.format(fresh)} new, ${number.format(held.fixed.length)} fixed`)) : null);
    main.append(h("div", { class: "cols two" }, score, found));
    main.append(h("div", { class: "cols side" }, todo(), h("div", { class: "stack" }, gaps())), bySection());
  }

  /** The worst checks, with what to do about them. */
  function todo() {
    const failed = checks.filter(check => check.outcome === "fail")
      .sort((a, b) => a.severity - b.severity || b.failed - a.failed || order(a.id, b.id));
    const list = h("ol", { class: "todo plain" });
    for (const check of failed.slice(0, 10)) {
      const of = byId.get(check.id);
      const mine = open.filter(row => f.check[row.at] === of);
      const first = mine.find(row => f.commands[row.at] || f.diff[row.at]) || mine[0];
      if (!first) continue;
      const commands = text[f.commands[first.at]].split("\n").filter(Boolean);
      const about = named(text[first.subject]);
      list.append(h("li", {},
        h("h3", {}, severity(check.severity), h("a", { class: "title", href: link("check", {}, check.id) }, check.title)),
        h("p", { class: "count" }, h("a", { href: link("findings", { check: check.id }) }, count(check.failed, "finding"))),
        h("p", { class: "act" }, ticks(capital(text[f.fix[first.at]])), "."),
        commands.length || f.diff[first.at] ? h("details", {},
          h("summary", {}, `For instance, ${about.kind} ${about.name}`),
          h("p", { class: "small muted break" }, text[first.why]),
          commands.slice(0, 2).map(command => code(command, `Command for ${check.id}`)),
          f.diff[first.at] ? code(text[f.diff[first.at]], `Change of the policy for ${check.id}`, true) : null,
          h("p", { class: "small" }, h("br"), h("a", { href: link("finding", {}, f.id[first.at]) }, "Open this finding"))) : null));
    }
    return h("section", { class: "card" }, h("h2", {}, "What to do first"),
      failed.length ? h("p", {}, failed.length > 10 ? `The ten gravest of ${failed.length} checks that fail.` : "The checks that fail, the gravest first.") : null,
      failed.length ? list : h("p", { class: "none" }, missingAny() ? "Nothing that was assessed fails." : "Nothing fails."));
  }
  const missingAny = () => all["not-assessed"] + all["not-built"] > 0;

  function gaps() {
    const lacking = held.evidence.filter(part => part.missing).sort((a, b) => b.checks.length - a.checks.length);
    const card = h("section", { class: "card" }, h("h2", {}, "Not assessed"));
    if (!lacking.length) {
      card.append(h("p", { class: "muted" }, "Every kind of data was there."));
      return card;
    }
    card.append(h("p", {}, `${count(lacking.length, "kind")} of data missing. What needs them is neither pass nor fail.`),
      h("ul", { class: "plain stack small" }, lacking.slice(0, 8).map(part => h("li", {},
        h("b", {}, capital(part.name)), h("br"), h("span", { class: "muted" }, `${count(part.checks.length, "check")} · ${part.missing}`)))),
      h("p", { class: "small" }, h("br"), h("a", { href: link("evidence") }, lacking.length > 8 ? `All ${lacking.length}, and how to gather them` : "What was read, and what was not")));
    return card;
  }

  function bySection() {
    const lines = held.sections.map(([letters, name]) => {
      const list = checks.filter(check => sectionOf(check) === letters);
      const states = app.tally(list);
      const done = states.pass + states.fail;
      const worst = Math.min(...list.filter(check => check.outcome === "fail").map(check => check.severity), 9);
      return [
        h("a", { class: "title", href: link("checks", { section: letters }) }, name),
        done ? `${Math.round((states.pass / done) * 100)} %` : h("span", { class: "muted" }, "–"),
        h("div", {}, bar(Object.entries(states)), h("small", { class: "muted" },
          Object.entries(states).filter(([, n]) => n).map(([state, n]) => `${n} ${STATES[state][0].toLowerCase()}`).join(", "))),
        worst < 9 ? severity(worst) : "",
      ];
    });
    return h("section", { class: "card" }, h("h2", {}, "By section"),
      h("p", {}, "The share that passes counts assessed checks alone."),
      plain("Score by section", ["Section", "Pass", "Checks", "Worst failure"], lines));
  }

  /* findings */
  const held0 = { severity: "", state: "fail", section: "", kind: "", standard: "", check: "", control: "", fresh: "", subject: "", q: "" };
  let shown = null;

  function chosen(filter) {
    const query = filter.q.toLowerCase();
    let fits = null;
    if (query) {
      fits = new Uint8Array(text.length);
      for (let at = 1; at < text.length; at += 1) if (text[at].toLowerCase().includes(query)) fits[at] = 1;
    }
    const level = LEVELS.indexOf(filter.severity);
    const good = new Set(checks.filter(check =>
      (level < 0 || check.severity === level) && (!filter.section || sectionOf(check) === filter.section)
      && (!filter.check || check.id === filter.check)
      && (!filter.standard || check.standards.has(filter.standard))
      && (!filter.control || (check.standards.get(filter.standard) || []).includes(filter.control))));
    const titled = new Set(query ? checks.filter(check => `${check.id} ${check.title}`.toLowerCase().includes(query)) : []);
    return rows.filter(row => good.has(row.check)
      && (filter.state === "all" || row.state === filter.state)
      && (!filter.kind || kindOf(row.subject) === filter.kind)
      && (!filter.fresh || String(row.fresh) === filter.fresh)
      && (!filter.subject || text[row.subject] === filter.subject)
      && (!fits || titled.has(row.check) || fits[row.subject] || fits[row.why]
        || (row.at >= 0 && (fits[f.policy[row.at]] || fits[f.sid[row.at]] || f.id[row.at] === query))));
  }

  function list(main, at, from) {
    const filter = { ...held0 };
    for (const key of Object.keys(filter)) if (at.query.has(key)) filter[key] = at.query.get(key);
    const view = {
      sort: at.query.get("sort") || "", down: at.query.get("down") === "1",
      page: Number(at.query.get("page") || 1) - 1 || 0, size: Number(at.query.get("rows")) || 50,
    };
    const total = h("p", { class: "small muted num", role: "status" });
    const clear = h("button", { type: "button", onclick: () => { location.hash = link("findings", {}); } }, "Clear filters");
    const keep = () => {
      const query = { ...filter, sort: view.sort, down: view.down ? 1 : "", page: view.page ? view.page + 1 : "", rows: view.size === 50 ? "" : view.size };
      if (query.state === "fail") query.state = "";
      remember("findings", query);
      shown = { hash: location.hash };
    };
    let grid = null;
    const again = () => {
      const picked = chosen(filter);
      view.page = 0;
      grid.update(picked);
      label(picked);
    };
    const label = picked => {
      const plainly = { "fail": "open finding", "suppressed": "suppressed finding", "not-assessed": "gap", "pass": "passed check", "all": "row" }[filter.state] || "row";
      total.textContent = count(picked.length, plainly, plainly === "passed check" ? "passed checks" : undefined);
      clear.hidden = Object.keys(held0).every(key => filter[key] === held0[key]);
    };
    const set = key => value => { filter[key] = value; if (key === "standard") filter.control = ""; again(); };
    const kindList = [...new Set(rows.map(row => kindOf(row.subject)))].filter(Boolean).sort();
    const filters = h("div", { class: "filters", role: "search", "aria-label": "Filters" },
      search("Search names, policies, reasons, ids", filter.q, set("q")),
      choice("Severity", filter.severity, [["", "Any"], ...LEVELS.map(name => [name, capital(name)])], set("severity")),
      choice("State", filter.state, [["fail", "Fail"], ["not-assessed", "Not assessed"], ["pass", "Pass"], ["suppressed", "Suppressed"], ["all", "All"]], set("state")),
      choice("Section", filter.section, [["", "All"], ...held.sections], set("section")),
      choice("About", filter.kind, [["", "Anything"], ...kindList.map(kind => [kind, capital(kind)])], set("kind")),
      choice("Standard", filter.standard, [["", "Any"], ...standards.map(name => [name, name])], set("standard")),
      choice("Check", filter.check, [["", "Any"], ...checks.map(check => [check.id, `${check.id} ${check.title}`])], set("check")),
      held.baseline ? choice("Since the baseline", filter.fresh, [["", "All"], ["1", "New"], ["2", "Held before"]], set("fresh")) : null);
    const picked = chosen(filter);
    grid = table({
      label: "Findings",
      view, rows: picked, changed: keep,
      empty: "Nothing fits these filters.",
      open: app.hrefOf,
      columns: [
        { key: "severity", label: "Severity", bare: true, compare: (a, b) => a.check.severity - b.check.severity, cell: row => severity(row.check.severity) },
        { key: "check", label: "Finding", first: true, compare: (a, b) => order(a.check.id, b.check.id),
          cell: row => [h("a", { class: "title", href: app.hrefOf(row) }, row.check.title), " ", h("span", { class: "small muted" }, row.check.id),
            h("p", { class: "why" }, row.state === "pass" ? count(row.check.passed, "subject") + (row.check.passed === 1 ? " passes" : " pass") : text[row.why])] },
        { key: "subject", label: "About", bare: true, compare: (a, b) => order(text[a.subject], text[b.subject]), cell: row => app.subjectCell(row.subject) },
        { key: "state", label: "State", bare: true, compare: (a, b) => order(a.state, b.state) || (a.fresh || 3) - (b.fresh || 3),
          cell: row => h("div", { class: "chips" }, stateBadge(row.state), row.fresh === 1 ? h("span", { class: "badge new" }, "New") : null) },
      ],
    });
    main.append(h("div", { class: "lead" }, h("h1", {}, "Findings"),
      h("p", {}, "What fails, what was not assessed, and what passes.")));
    const narrowed = filter.control || filter.subject;
    main.append(h("section", { class: "card" }, filters,
      narrowed ? h("p", { class: "small" }, h("br"), "Only ", filter.control ? `${filter.standard} ${filter.control}` : "", filter.subject ? h("span", { class: "break" }, filter.subject) : "") : null,
      h("br"), h("div", { class: "above" }, total, clear), grid));
    label(picked);
    const held1 = from.match(/^(finding|check)\/(.*)$/);
    const focus = held1 ? grid.focusOn(link(held1[1], {}, held1[2])) : null;
    return { focus };
  }

  /* checks */
  function catalogue(main, at, from) {
    const filter = { section: at.query.get("section") || "", outcome: at.query.get("outcome") || "", q: at.query.get("q") || "" };
    const view = { sort: "", down: false, page: 0, size: 250 };
    const picked = () => checks.filter(check => (!filter.section || sectionOf(check) === filter.section)
      && (!filter.outcome || check.outcome === filter.outcome)
      && `${check.id} ${check.title}`.toLowerCase().includes(filter.q.toLowerCase()));
    const total = h("p", { class: "small muted num", role: "status" });
    const again = () => { grid.update(picked()); total.textContent = count(picked().length, "check"); };
    const set = key => value => { filter[key] = value; again(); };
    const numbers = (key, label) => ({ key, label, n: true, compare: (a, b) => b[key] - a[key], cell: check => check[key] ? number.format(check[key]) : "" });
    const grid = table({
      label: "Checks", view, rows: picked(), open: check => link("check", {}, check.id),
      changed: () => remember("checks", filter),
      columns: [
        { key: "id", label: "Check", bare: true, compare: (a, b) => order(a.id, b.id), cell: check => h("span", { class: "mono" }, check.id) },
        { key: "title", label: "What holds when it passes", first: true, compare: (a, b) => order(a.title, b.title), cell: check => h("a", { class: "title", href: link("check", {}, check.id) }, check.title) },
        { key: "severity", label: "Severity", bare: true, compare: (a, b) => a.severity - b.severity, cell: check => severity(check.severity) },
        { key: "outcome", label: "Outcome", bare: true, compare: (a, b) => order(a.outcome, b.outcome), cell: check => stateBadge(check.outcome) },
        numbers("failed", "Fail"), numbers("passed", "Pass"), numbers("gapCount", "Not assessed"), numbers("excepted", "Suppressed"),
      ],
    });
    main.append(h("div", { class: "lead" }, h("h1", {}, "Checks"), h("p", {}, "Every check of the catalogue with its outcome. A failure outweighs a gap, and a gap all that passed.")),
      h("section", { class: "card" }, h("div", { class: "filters", role: "search", "aria-label": "Filters" },
        search("Search", filter.q, set("q")),
        choice("Section", filter.section, [["", "All"], ...held.sections], set("section")),
        choice("Outcome", filter.outcome, [["", "Any"], ...Object.entries(STATES).filter(([key]) => key !== "suppressed").map(([key, [label]]) => [key, label])], set("outcome"))),
      h("br"), h("div", { class: "above" }, total), grid));
    total.textContent = count(picked().length, "check");
    return { focus: from.startsWith("check/") ? grid.focusOn(link("check", {}, from.slice(6))) : null };
  }

  function exceptions(main) {
    const suppressed = findings.filter(row => row.state === "suppressed").length;
    main.append(h("div", { class: "lead" }, h("h1", {}, "Exceptions"), h("p", {}, "Findings that are accepted until a day, for a reason. After that day they count again.")));
    main.append(h("section", { class: "card" }, h("h2", {}, "From the settings"),
      h("p", {}, suppressed ? h("a", { href: link("findings", { state: "suppressed" }) }, `${count(suppressed, "finding")} covered`) : "No finding is covered."),
      held.exceptions.length ? plain("Exceptions", ["What", "Reason", "Last day", "Covers"], held.exceptions.map(one => [
        h("span", { class: "break" }, [one.check, one.subject, one.finding && `finding ${one.finding}`].filter(Boolean).join(" · ")),
        one.reason,
        h("span", { class: "num" }, one.until, " ", one.over ? h("span", { class: "badge fail ring" }, "Ended") : ""),
        h("span", { class: "num" }, number.format(one.covers)),
      ])) : h("p", { class: "none" }, "The settings name no exception.")));
    if (held.ended.length) {
      main.append(h("section", { class: "card" }, h("h2", {}, "Ended, and still true"), h("p", {}, "These count again."),
        h("ul", { class: "plain stack" }, held.ended.slice(0, 200).map(line => h("li", { class: "break" }, line))),
        held.ended.length > 200 ? h("p", { class: "small muted" }, `and ${number.format(held.ended.length - 200)} more`) : null));
    }
  }

  function changes(main) {
    const fresh = open.filter(row => row.fresh === 1);
    main.append(h("div", { class: "lead" }, h("h1", {}, "Since the baseline")));
    main.append(h("section", { class: "card" }, h("h2", {}, "New"), h("p", {}, count(fresh.length, "finding"), " that the baseline does not have."),
      table({ label: "New findings", view: { sort: "", down: false, page: 0, size: 25 }, rows: fresh, empty: "Nothing is new.", open: app.hrefOf, columns: [
        { key: "severity", label: "Severity", bare: true, compare: (a, b) => a.check.severity - b.check.severity, cell: row => severity(row.check.severity) },
        { key: "check", label: "Finding", first: true, compare: (a, b) => order(a.check.id, b.check.id), cell: row => [h("a", { class: "title", href: app.hrefOf(row) }, row.check.title), h("p", { class: "why" }, text[row.why])] },
        { key: "subject", label: "About", bare: true, compare: (a, b) => order(text[a.subject], text[b.subject]), cell: row => app.subjectCell(row.subject) },
      ] })));
    main.append(h("section", { class: "card" }, h("h2", {}, "Fixed"),
      h("p", {}, count(held.fixed.length, "finding"), " of the baseline that are no more. Only checks that were assessed whole count here."),
      table({ label: "Fixed findings", view: { sort: "", down: false, page: 0, size: 25 }, rows: held.fixed, empty: "Nothing was fixed.", columns: [
        { key: "check", label: "Check", first: true, compare: (a, b) => order(a[1], b[1]), cell: row => h("a", { class: "title", href: link("check", {}, row[1]) }, checks[byId.get(row[1])] ? checks[byId.get(row[1])].title : row[1]) },
        { key: "subject", label: "About", bare: true, compare: (a, b) => order(a[2], b[2]), cell: row => h("span", { class: "break" }, row[2] || "") },
        { key: "id", label: "Finding", bare: true, cell: row => h("span", { class: "mono small muted" }, row[0]) },
      ] })));
  }

  function evidence(main) {
    const lacking = held.evidence.filter(part => part.missing);
    main.append(h("div", { class: "lead" }, h("h1", {}, "Evidence"), h("p", {}, "What this report was made from. Where data are missing, the checks that need them say not assessed, and never pass.")));
    if (held.faults.length) {
      main.append(h("section", { class: "card" }, h("h2", {}, "Files that cannot be used"), h("ul", { class: "plain stack" }, held.faults.map(line => h("li", { class: "break pre mono" }, line)))));
    }
    main.append(h("section", { class: "card" }, h("h2", {}, "Kinds of data"),
      h("p", {}, `${held.evidence.length - lacking.length} of ${held.evidence.length} were read. `, lacking.length ? ["The rest can be gathered with ", h("code", {}, "bailiwick audit collect --script"), "."] : ""),
      plain("Kinds of data", ["Data", "State", "Checks that use them"], held.evidence.map(part => [
        capital(part.name),
        part.missing ? [h("span", { class: "badge not-assessed ring" }, "Missing"), h("p", { class: "small muted break" }, part.missing)] : h("span", { class: "badge pass" }, "Read"),
        h("div", { class: "chips" }, part.checks.map(id => h("a", { class: "chip", href: link("check", {}, id) }, id))),
      ]))));
    const partly = checks.filter(check => check.gapCount && check.passed + check.failed + check.excepted);
    if (partly.length) {
      main.append(h("section", { class: "card" }, h("h2", {}, "Assessed in part"), h("p", {}, "Some subjects of these checks could not be assessed."),
        plain("Assessed in part", ["Check", "Not assessed", "For want of"], partly.map(check => [
          h("a", { class: "title", href: link("check", {}, check.id) }, `${check.id} ${check.title}`), count(check.gapCount, "subject"), check.gaps[0] ? text[check.gaps[0][1]] : ""]))));
    }
    for (const [title, list, more] of [["Notes", held.notes, held.moreNotes], ["Notes on the authorization details", held.readerNotes, held.moreReaderNotes]]) {
      if (list.length) main.append(h("section", { class: "card" }, h("h2", {}, title), h("ul", { class: "plain stack small" }, list.map(line => h("li", { class: "break" }, line))), more ? h("p", { class: "muted small" }, `and ${number.format(more)} more`) : null));
    }
  }

  return {
    title: `Audit of account ${held.account}`,
    subtitle: `Audit · ${held.account} · ${held.asOf.slice(0, 10)}`,
    foot: `Made by bailiwick ${held.version} from files alone. This page asks nothing of any network and sends nothing anywhere.`,
    tabs: [["overview", "Overview"], ["findings", "Findings", open.length], ["checks", "Checks", checks.length], ["compliance", "Compliance"],
      ...(held.baseline ? [["changes", "Changes"]] : []), ["exceptions", "Exceptions", held.exceptions.length], ["evidence", "Evidence"]],
    under: { finding: "findings", check: "checks" },
    routes: {
      overview, findings: list, checks: catalogue, exceptions, changes, evidence,
      finding: (main, at) => finding(app, main, at, shown),
      check: (main, at) => oneCheck(app, main, at),
      compliance: (main, at) => compliance(app, main, at),
    },
  };
});
