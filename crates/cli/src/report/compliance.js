// Standards: which control is met, by the outcomes of the checks that serve it.

/** The controls of a check by standard; each version of the CIS benchmark is one of its own. */
function standardsOf(check) {
  const all = new Map();
  const add = (standard, control) => {
    if (!all.has(standard)) all.set(standard, []);
    all.get(standard).push(control);
  };
  for (const entry of check.cis) {
    const [version, ...rest] = entry.split(" ");
    if (rest.length) add(`CIS AWS Foundations ${version}`, rest.join(" "));
    else add("CIS AWS Foundations", version);
  }
  for (const control of check.nist) add("NIST 800-53 r5", control);
  for (const control of check.pci) add("PCI DSS 4.0", control);
  for (const control of check.hipaa) add("HIPAA", control);
  return all;
}

/** The newest CIS benchmark first, then the others by name. */
function orderStandards(a, b) {
  const cis = name => name.startsWith("CIS");
  if (cis(a) && cis(b)) return order(b, a);
  return cis(b) - cis(a) || order(a, b);
}

/** A failure outweighs a gap, a gap outweighs a pass. */
function outcomeOf(list) {
  const has = state => list.some(check => check.outcome === state);
  if (has("fail")) return "fail";
  if (has("not-assessed") || has("not-built")) return "not-assessed";
  return has("pass") ? "pass" : "not-applicable";
}

const natural = new Intl.Collator("en", { numeric: true });

function controlsOf(app, standard) {
  const controls = new Map();
  for (const check of app.checks) {
    for (const control of check.standards.get(standard) || []) {
      if (!controls.has(control)) controls.set(control, []);
      controls.get(control).push(check);
    }
  }
  return [...controls].map(([name, list]) => ({ name, list, state: outcomeOf(list), failed: list.reduce((sum, check) => sum + check.failed, 0) }))
    .sort((a, b) => natural.compare(a.name, b.name));
}

function compliance(app, main, at) {
  const states = ["fail", "not-assessed", "pass", "not-applicable"];
  const tally = controls => states.map(state => [state, controls.filter(control => control.state === state).length]);
  if (!at.argument || !app.standards.includes(at.argument)) {
    main.append(h("div", { class: "lead" }, h("h1", {}, "Compliance"),
      h("p", {}, "A control is met here if every check that serves it passes. Only what the checks can see is judged: no control is met by this report alone.")));
    main.append(h("section", { class: "card" }, h("h2", {}, "Standards"), h("br"), plain("Standards", ["Standard", "Controls", "Outcome", "Fail", "Not assessed", "Pass"], app.standards.map(standard => {
      const controls = controlsOf(app, standard);
      const shares = tally(controls);
      const n = Object.fromEntries(shares);
      return [h("a", { class: "title", href: link("compliance", {}, standard) }, standard), number.format(controls.length), bar(shares),
        h("span", { class: "num" }, n.fail), h("span", { class: "num" }, n["not-assessed"]), h("span", { class: "num" }, n.pass)];
    }))));
    return {};
  }
  const standard = at.argument;
  const controls = controlsOf(app, standard);
  const shares = tally(controls);
  const filter = { state: at.query.get("state") || "", q: at.query.get("control") || "" };
  const picked = () => controls.filter(control => (!filter.state || control.state === filter.state)
    && (!filter.q || `${control.name} ${control.list.map(check => `${check.id} ${check.title}`).join(" ")}`.toLowerCase().includes(filter.q.toLowerCase())));
  const set = key => value => { filter[key] = value; grid.update(picked()); };
  const grid = table({
    label: `Controls of ${standard}`, view: { sort: "", down: false, page: 0, size: 100 }, rows: picked(), empty: "No control fits.",
    changed: () => remember(`compliance/${encodeURIComponent(standard)}`, { state: filter.state, control: filter.q }),
    columns: [
      { key: "name", label: "Control", first: true, compare: (a, b) => natural.compare(a.name, b.name), cell: control => h("b", { class: "break" }, control.name) },
      { key: "state", label: "Outcome", bare: true, compare: (a, b) => states.indexOf(a.state) - states.indexOf(b.state), cell: control => stateBadge(control.state) },
      { key: "checks", label: "Checks", bare: true, compare: (a, b) => b.list.length - a.list.length, cell: control => h("ul", { class: "plain small" }, control.list.map(check =>
        h("li", {}, stateBadge(check.outcome), " ", h("a", { href: link("check", {}, check.id) }, `${check.id} ${check.title}`)))) },
      { key: "failed", label: "Findings", n: true, compare: (a, b) => b.failed - a.failed,
        cell: control => control.failed ? h("a", { href: link("findings", { standard, control: control.name }) }, number.format(control.failed)) : "" },
    ],
  });
  main.append(h("p", { class: "crumb" }, h("a", { href: link("compliance") }, "← All standards")),
    h("div", { class: "lead" }, h("h1", {}, standard), h("p", {}, `${count(controls.length, "control")} that checks serve.`)),
    h("section", { class: "card" }, bar(shares, true),
      h("div", { class: "legend" }, shares.filter(([, n]) => n).map(([state, n]) => h("span", { class: state }, h("a", { href: link("compliance", { state }, standard) }, h("i", { class: state }), h("span", {}, `${n} ${STATES[state][0].toLowerCase()}`))))),
      h("br"), h("div", { class: "filters", role: "search", "aria-label": "Filters" },
        search("Search controls and checks", filter.q, set("q")),
        choice("Outcome", filter.state, [["", "Any"], ...states.map(state => [state, STATES[state][0]])], set("state"))),
      h("br"), grid));
  return {};
}
