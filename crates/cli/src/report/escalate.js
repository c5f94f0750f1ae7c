// Ways to the goal: the graph, principals, what closes the most, administrators.

boot(held => {
  const text = held.texts;
  const places = held.places.map(([principal, label, words, changes]) => ({ principal, label, words, changed: changes > 0 }));
  const edges = held.edges.map(([from, to, paths, on]) => ({ from, to, paths, on }));
  const admin = held.to === "admin";
  const goal = admin ? "Administrators" : named(held.to).name;
  const findings = held.findings.map(one => ({ ...one, level: LEVELS.indexOf(one.severity), ways: one.ways.map(([certain, on, steps]) => ({ certain: certain === 1, on, steps })) }));
  const byId = new Map(findings.map(one => [one.id, one]));
  const byPrincipal = new Map(findings.map(one => [one.principal, one]));
  const CLASSES = {
    "self-escalation": "Gives itself policies, or takes a limit away",
    "principal-access": "Becomes another user or role",
    "new-passrole": "Hands a role to a service and runs code there",
    "existing-passrole": "Takes over what already runs under a role",
    "directory": "Changes permission sets of the directory",
  };
  const KINDS = {
    "self-escalation": "Changes its own rights",
    "principal-access": "Becomes somebody else",
    "new-passrole": "Hands a role to a service",
    "existing-passrole": "Takes over what runs",
    "directory": "Changes the directory",
  };
  // Keys that every request has, and that say nothing about a way.
  const USUAL = /^aws:(requestedregion|resourceaccount|principalisawsservice|principalservicename|principalservicenameslist|sourceaccount) = /;
  const brief = words => words.replace(/arn:aws[a-z-]*:iam::\d+:/g, "");
  const model = {
    places, edges, goal,
    label: at => at < 0 ? "Directory" : places[at].label,
    words: at => at < 0 ? "Roles that only the directory shows" : text[places[at].words],
    path(id) {
      const row = held.paths[id];
      if (!row) return { title: id, whole: id, kind: "Other" };
      const actions = row.actions.map(action => action.replace(/^iam:/, ""));
      const main = actions.length > 1 ? actions.filter(action => action !== "PassRole") : actions;
      return { title: (actions.includes("PassRole") && main.length < actions.length ? "PassRole + " : "") + (main[0] || id), whole: `${id}: ${row.actions.join(", ")}`, kind: KINDS[row.class] || "Other" };
    },
  };
  const sure = findings.filter(one => one.certain).length;
  const opened = new Map();
  const best = list => list.flatMap(one => one.ways.slice(0, 1));

  function ends(on) {
    return on.length ? on.map(n => text[n]).join(" and ") : "";
  }

  function pick(at) {
    if (at < 0) return;
    const own = byPrincipal.get(places[at].principal);
    location.hash = own && !places[at].changed ? link("principal", {}, own.id) : link("through", { place: at });
  }

  function overview(main) {
    main.append(h("div", { class: "lead" }, h("h1", {}, admin ? "Ways to administrator" : `Ways to ${goal}`),
      h("p", {}, `Account ${held.account}: ${count(held.principals, "user or role", "users and roles")}, ${count(held.administrators.length, "administrator")} as things are.`)));
    if (held.cutShort) main.append(h("div", { class: "note high", role: "note" }, h("h2", {}, "The search ended early"), h("p", {}, "Not everything was looked at: there may be more ways.")));
    const first = new Map();
    for (const one of findings) {
      const kind = model.path(edges[one.ways[0].steps[0][0]].paths[0]).kind;
      first.set(kind, (first.get(kind) || 0) + 1);
    }
    const tile = (name, label, n, state) => h("a", { class: `tile ${name}${n ? "" : " zero"}`, href: link("principals", { severity: state }) }, h("b", {}, number.format(n)), h("span", {}, label));
    const of = name => findings.filter(one => one.severity === name).length;
    const top = held.cuts.slice(0, 5);
    const closes = top.reduce((sum, cut) => sum + cut[1], 0);
    const ways = findings.reduce((sum, one) => sum + one.ways.length + one.more, 0);
    main.append(h("div", { class: "cols two" },
      h("section", { class: "card stack" }, h("h2", {}, "Principals that get there"),
        h("div", { class: "figure" }, h("b", {}, number.format(sure)), h("span", { class: "muted" }, `for certain, ${number.format(findings.length - sure)} under conditions`)),
        h("div", { class: "tiles" }, tile("critical", "Certain", of("critical"), "critical"), tile("high", "On conditions", of("high"), "high"), tile("medium", "If a thing exists", of("medium"), "medium")),
        first.size ? h("h3", {}, "By the first step of the best way") : null,
        h("dl", { class: "facts counts" }, [...first].sort((a, b) => b[1] - a[1]).map(([kind, n]) => [h("dt", {}, kind), h("dd", { class: "num" }, number.format(n))]))),
      h("section", { class: "card" }, h("h2", {}, "What closes the most"),
        top.length ? [h("p", {}, `These ${top.length} steps close ${number.format(closes)} of ${number.format(ways)} ways.`),
          h("ol", { class: "plain stack small" }, top.map(cut => h("li", { class: "break" }, h("a", { href: link("through", { edge: cut[0] }) }, `${model.label(edges[cut[0]].from)} → ${model.label(edges[cut[0]].to)}`), h("br"),
            h("span", { class: "muted" }, `${edges[cut[0]].paths.join(" + ")} · closes ${number.format(cut[1])}`)))),
          h("p", { class: "small" }, h("br"), h("a", { href: link("cuts") }, `All ${number.format(held.cuts.length)}`))] : h("p", { class: "none" }, "There is nothing to close."))));
    if (!findings.length) {
      main.append(h("section", { class: "card" }, h("p", { class: "none" }, "Nobody gets there, as far as the export shows.")));
      return {};
    }
    const graph = drawing(model, best(findings), opened, pick, "The best way of each principal");
    main.append(h("section", { class: "card" }, h("h2", {}, "Graph"), h("p", {}, "The best way of each principal, from left to right."), graph));
    graph.fit();
    return {};
  }

  const held0 = { severity: "", certain: "", path: "", q: "" };
  let back = link("principals");
  function principals(main, at, from) {
    const filter = { ...held0 };
    for (const key of Object.keys(filter)) if (at.query.has(key)) filter[key] = at.query.get(key);
    const view = { sort: at.query.get("sort") || "", down: at.query.get("down") === "1", page: Number(at.query.get("page") || 1) - 1 || 0, size: 50 };
    const picked = () => {
      const query = filter.q.toLowerCase();
      return findings.filter(one => (!filter.severity || one.severity === filter.severity)
        && (!filter.certain || String(one.certain) === filter.certain)
        && (!filter.path || one.ways.some(way => way.steps.some(([n]) => edges[n].paths.includes(filter.path))))
        && (!query || text[one.principal].toLowerCase().includes(query) || one.id === query || text[one.reaches].toLowerCase().includes(query)));
    };
    const total = h("p", { class: "small muted num", role: "status" });
    const again = () => { view.page = 0; grid.update(picked()); total.textContent = count(picked().length, "principal"); };
    const set = key => value => { filter[key] = value; again(); };
    const grid = table({
      label: "Principals", view, rows: picked(), empty: "Nobody fits these filters.", open: one => link("principal", {}, one.id),
      changed: () => { remember("principals", { ...filter, sort: view.sort, down: view.down ? 1 : "", page: view.page ? view.page + 1 : "" }); back = location.hash; },
      columns: [
        { key: "severity", label: "Severity", bare: true, compare: (a, b) => a.level - b.level, cell: one => severity(one.level) },
        { key: "principal", label: "Principal", first: true, compare: (a, b) => order(text[a.principal], text[b.principal]),
          cell: one => [h("a", { class: "title break", href: link("principal", {}, one.id) }, named(text[one.principal]).name), " ", h("span", { class: "small muted" }, named(text[one.principal]).kind)] },
        { key: "way", label: "Best way", bare: true, compare: (a, b) => a.ways[0].steps.length - b.ways[0].steps.length,
          cell: one => h("ol", { class: "plain small" }, one.ways[0].steps.slice(0, 4).map(([n, gain]) => h("li", { class: "break" }, h("b", {}, edges[n].paths.join(" + ")), " ", h("span", { class: "muted" }, brief(text[gain]))))) },
        { key: "on", label: "Only with", compare: (a, b) => order(ends(a.on), ends(b.on)), cell: one => one.on.length ? h("span", { class: "small break" }, ends(one.on)) : "" },
        { key: "ways", label: "Ways", n: true, compare: (a, b) => b.ways.length + b.more - a.ways.length - a.more, cell: one => number.format(one.ways.length + one.more) },
      ],
    });
    const used = Object.keys(held.paths).sort();
    main.append(h("div", { class: "lead" }, h("h1", {}, "Principals"), h("p", {}, "Everyone who gets there, with the best way. The same as the graph shows, for all.")),
      h("section", { class: "card" }, h("div", { class: "filters", role: "search", "aria-label": "Filters" },
        search("Search names and ids", filter.q, set("q")),
        choice("Severity", filter.severity, [["", "Any"], ["critical", "Critical"], ["high", "High"], ["medium", "Medium"]], set("severity")),
        choice("How sure", filter.certain, [["", "Any"], ["true", "Certain"], ["false", "Conditional"]], set("certain")),
        choice("Path", filter.path, [["", "Any"], ...used.map(id => [id, `${id} ${model.path(id).title}`])], set("path"))),
      h("br"), h("div", { class: "above" }, total), grid));
    total.textContent = count(picked().length, "principal");
    return { focus: from.startsWith("principal/") ? grid.focusOn(link("principal", {}, from.slice(10))) : null };
  }

  function steps(way) {
    return h("ol", { class: "steps" }, way.steps.map(([n, gain, asks]) => {
      const edge = edges[n];
      return h("li", {}, h("p", { class: "break" }, h("b", {}, capital(brief(text[gain])))),
        h("p", { class: "small muted break" }, edge.paths.map(id => model.path(id).whole).join("; ")),
        edge.on.length ? h("p", { class: "small break" }, h("span", { class: "badge medium ring" }, "Only with"), " ", ends(edge.on)) : null,
        h("ul", { class: "asks" }, asks.map(number => {
          const [[caller, action, resource, context], trust] = held.asks[number];
          const who = text[caller];
          const keys = text[context].split("\n").filter(line => line && !USUAL.test(line));
          return h("li", { class: "break" }, h("code", {}, text[action]), " on ", h("span", { class: "mono" }, text[resource]),
            who.startsWith("arn:") ? "" : h("span", { class: "muted" }, ` by ${who}`),
            keys.length ? h("span", { class: "muted" }, ` with ${keys.join(", ")}`) : null,
            trust ? h("details", {}, h("summary", {}, "Trust policy written before"), code(pretty(text[trust]), "Trust policy")) : null);
        })));
    }));
  }

  function principal(main, at) {
    const one = byId.get(at.argument);
    if (!one) {
      main.append(h("h1", {}, "No such finding"), h("p", {}, h("a", { href: back }, "All principals")));
      return {};
    }
    const about = named(text[one.principal]);
    main.append(h("p", { class: "crumb" }, h("a", { href: back, id: "back" }, "← Principals")),
      h("div", { class: "lead" }, h("h1", {}, about.name), h("div", { class: "chips" }, severity(one.level), h("span", { class: "badge bare info" }, one.certain ? "Certain" : "Conditional"))));
    const first = one.ways[0];
    const left = h("div", { class: "stack" },
      h("section", { class: "card stack" }, h("h2", {}, "Best way"), first.on.length ? h("p", {}, "Works only with ", h("b", { class: "break" }, ends(first.on)), ".") : h("p", { class: "muted" }, "It depends on nothing: the caller chooses all that it needs."), steps(first)));
    if (one.fix) {
      left.append(h("section", { class: "card stack" }, h("h2", {}, "What closes it"),
        h("p", { class: "break" }, `Statement ${one.fix.statement} (from 0) of `, h("b", {}, one.fix.policy), ` of ${one.fix.owner}.`),
        h("div", {}, h("h3", {}, "Change of the policy"), code(one.fix.diff, "Change of the policy", true)),
        h("div", {}, h("h3", {}, "With the AWS CLI"), code(one.fix.command, "Command"))));
    }
    const graph = drawing(model, one.ways, new Map(), pick, `All ways of ${about.name}`);
    const right = h("div", { class: "stack" }, h("section", { class: "card stack" }, h("h2", {}, "About"),
      h("dl", { class: "facts" }, [["ARN", h("span", { class: "mono break" }, text[one.principal])], ["Reaches", h("span", { class: "mono break" }, text[one.reaches])], ["Finding", h("span", { class: "mono" }, one.id)],
        ["Kind", held.paths[edges[first.steps[0][0]].paths[0]] ? CLASSES[held.paths[edges[first.steps[0][0]].paths[0]].class] : ""]].map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))),
    one.ways.length > 1 ? h("section", { class: "card stack" }, h("h2", {}, `${one.ways.length - 1 + one.more} other ways`), one.ways.slice(1).map(way => h("details", {},
      h("summary", {}, `${way.steps.map(([n]) => edges[n].paths.join(" + ")).join(" → ")}${way.certain ? "" : " (conditional)"}`), way.on.length ? h("p", { class: "small break" }, `Only with ${ends(way.on)}`) : null, steps(way))),
    one.more ? h("p", { class: "small muted" }, `${number.format(one.more)} are left out here: --format json tells all.`) : null) : null);
    main.append(h("section", { class: "card" }, h("h2", {}, one.ways.length > 1 ? "All ways" : "The way"), h("br"), graph), h("div", { class: "cols side" }, left, right));
    graph.fit();
    return {};
  }

  /** All ways that run over a place or a step. */
  function through(main, at) {
    const edge = at.query.has("edge") ? Number(at.query.get("edge")) : null;
    const place = at.query.has("place") ? Number(at.query.get("place")) : null;
    const fits = way => way.steps.some(([n]) => n === edge || (place !== null && (edges[n].from === place || edges[n].to === place)));
    const list = [];
    for (const one of findings) for (const way of one.ways) if (fits(way)) list.push({ ...way, one });
    const known = edge !== null ? edges[edge] : places[place];
    if (!known || !list.length) {
      main.append(h("h1", {}, "No way runs here"), h("p", {}, h("a", { href: link("graph") }, "The graph")));
      return {};
    }
    const title = edge !== null ? `${model.label(known.from)} → ${model.label(known.to)}` : model.label(place);
    const graph = drawing(model, list, new Map(), pick, `Ways over ${title}`);
    const who = [...new Set(list.map(way => way.one))];
    main.append(h("p", { class: "crumb" }, h("a", { href: edge !== null ? link("cuts") : link("graph") }, edge !== null ? "← What closes the most" : "← Graph")),
      h("div", { class: "lead" }, h("h1", {}, title), h("p", { class: "break" }, `${count(list.length, "way")} of ${count(who.length, "principal")} ${list.length === 1 ? "runs" : "run"} here. `,
        edge !== null ? known.paths.map(id => model.path(id).whole).join("; ") : model.words(place))),
      h("section", { class: "card" }, graph),
      h("section", { class: "card" }, h("h2", {}, "Principals"), h("br"), table({ label: "Principals", view: { sort: "", down: false, page: 0, size: 25 }, rows: who, open: one => link("principal", {}, one.id), columns: [
        { key: "severity", label: "Severity", bare: true, compare: (a, b) => a.level - b.level, cell: one => severity(one.level) },
        { key: "principal", label: "Principal", first: true, compare: (a, b) => order(text[a.principal], text[b.principal]), cell: one => h("a", { class: "title break", href: link("principal", {}, one.id) }, text[one.principal]) },
      ] })));
    graph.fit();
    return {};
  }

  function cuts(main) {
    let sum = 0;
    const rows = held.cuts.map(([edge, closes, of], at) => { sum += closes; return { at, edge, closes, of, sum }; });
    main.append(h("div", { class: "lead" }, h("h1", {}, "What closes the most"), h("p", {}, "Steps to take away, each the one that closes the most of what those above it leave open.")),
      h("section", { class: "card" }, table({ label: "Cuts", view: { sort: "", down: false, page: 0, size: 50 }, rows, empty: "There is nothing to close.", open: row => link("through", { edge: row.edge }), columns: [
        { key: "step", label: "Step", first: true, compare: (a, b) => order(model.label(edges[a.edge].from), model.label(edges[b.edge].from)), cell: row => h("a", { class: "title break", href: link("through", { edge: row.edge }) }, `${model.label(edges[row.edge].from)} → ${model.label(edges[row.edge].to)}`) },
        { key: "paths", label: "Path", bare: true, compare: (a, b) => order(edges[a.edge].paths.join(), edges[b.edge].paths.join()), cell: row => h("span", { class: "small" }, edges[row.edge].paths.map(id => `${id} ${model.path(id).title}`).join(", ")) },
        { key: "closes", label: "Closes", n: true, compare: (a, b) => b.closes - a.closes, cell: row => number.format(row.closes) },
        { key: "of", label: "Runs over it", n: true, compare: (a, b) => b.of - a.of, cell: row => number.format(row.of) },
        { key: "sum", label: "Closed so far", n: true, cell: row => number.format(row.sum) },
      ] })));
    return {};
  }

  function administrators(main) {
    main.append(h("div", { class: "lead" }, h("h1", {}, "Administrators"), h("p", {}, "Who is administrator as things are. They are no findings here.")),
      h("section", { class: "card" }, table({ label: "Administrators", view: { sort: "", down: false, page: 0, size: 100 }, rows: held.administrators, empty: "There is none.", columns: [
        { key: "name", label: "Name", first: true, compare: (a, b) => order(named(a).name, named(b).name), cell: arn => h("b", { class: "break" }, named(arn).name) },
        { key: "kind", label: "Kind", compare: (a, b) => order(named(a).kind, named(b).kind), cell: arn => named(arn).kind },
        { key: "arn", label: "ARN", bare: true, cell: arn => h("span", { class: "mono small break" }, arn) },
      ] })));
    return {};
  }

  return {
    title: admin ? `Ways to administrator, account ${held.account}` : `Ways to ${goal}, account ${held.account}`,
    subtitle: `Escalation · ${held.account}`,
    foot: `Made by bailiwick ${held.version} from files alone. This page asks nothing of any network and sends nothing anywhere.`,
    tabs: [["graph", "Graph"], ["principals", "Principals", findings.length], ["cuts", "What closes the most", held.cuts.length], ["administrators", "Administrators", held.administrators.length]],
    under: { principal: "principals", through: "graph" },
    routes: { graph: overview, principals, principal, through, cuts, administrators },
  };
});
