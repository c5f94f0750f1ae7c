// The graph: places in columns by how far they are from the goal, the goal at the right.
//
// Many places that take the same step stand as one box, which opens into its members.

const BOX = { wide: 252, high: 46, member: 30, gap: 12, between: 132, top: 34, edge: 16 };
/** Up to so many places all are drawn; past that the same steps are gathered in boxes. */
const ALONE = 26;
/** A column of more boxes than this gathers by kind of step, not by step. */
const TALL = 10;
/** Members that an opened box shows at first, and with each press of "more". */
const MEMBERS = 12;

const short = (text, most) => text.length <= most ? text : `${text.slice(0, Math.ceil(most * 0.62) - 1)}…${text.slice(-Math.floor(most * 0.38))}`;

/** Places and steps of these ways, each with how many principals' ways it carries. */
function gathered(model, ways) {
  const places = new Map();
  const steps = new Map();
  const touch = at => {
    if (!places.has(at)) places.set(at, { at, out: new Map(), far: 0, sure: false, ways: 0, step: null });
    return places.get(at);
  };
  for (const way of ways) {
    for (const [number] of way.steps) {
      const edge = model.edges[number];
      const from = touch(edge.from);
      touch(edge.to);
      from.ways += 1;
      from.sure = from.sure || way.certain;
      if (!from.step) from.step = edge;
      const key = `${edge.from}>${edge.to}`;
      if (!steps.has(key)) steps.set(key, { from: edge.from, to: edge.to, paths: new Set(), sure: false, ways: 0 });
      const step = steps.get(key);
      step.ways += 1;
      step.sure = step.sure || edge.on.length === 0;
      for (const path of edge.paths) step.paths.add(path);
      from.out.set(edge.to, step);
    }
  }
  // The longest way on, in rounds; a ring ends with the rounds.
  for (let round = 0; round < 12; round += 1) {
    let moved = false;
    for (const one of places.values()) {
      for (const to of one.out.keys()) {
        const far = places.get(to).far + 1;
        if (far > one.far && far <= 12) {
          one.far = far;
          moved = true;
        }
      }
    }
    if (!moved) break;
  }
  return { places, steps };
}

/** The boxes of a drawing: single places, or gathered ones with their members. */
function boxes(model, { places }, opened) {
  const alike = one => `${one.far} ${one.step.paths.join("+")} ${one.sure}`;
  const columns = new Map();
  for (const one of places.values()) {
    if (!one.out.size) continue;
    if (!columns.has(one.far)) columns.set(one.far, new Set());
    columns.get(one.far).add(alike(one));
  }
  const groups = new Map();
  for (const one of places.values()) {
    const end = one.out.size === 0;
    const tall = !end && columns.get(one.far).size > TALL;
    const kind = tall ? model.path(one.step.paths[0]).kind : null;
    const key = end
      ? (one.at < 0 ? "directory" : model.places[one.at].changed ? "changed" : "end")
      : tall ? `${one.far} ${kind} ${one.sure}` : alike(one);
    if (!groups.has(key)) groups.set(key, { key, end, kind, far: one.far, sure: one.sure, step: one.step, list: [] });
    groups.get(key).list.push(one);
  }
  const all = [];
  const alone = places.size <= ALONE;
  for (const group of groups.values()) {
    group.list.sort((a, b) => b.ways - a.ways || order(model.label(a.at), model.label(b.at)));
    if (alone || group.list.length === 1) {
      for (const one of group.list) all.push({ kind: "one", key: `p${one.at}`, far: one.far, end: group.end, sure: one.sure, place: one, rows: [] });
      continue;
    }
    const limit = opened.get(group.key) || 0;
    const rows = group.list.slice(0, limit).map(place => ({ kind: "member", key: `p${place.at}`, place, sure: group.sure, end: group.end }));
    if (limit && limit < group.list.length) rows.push({ kind: "more", key: `m${group.key}`, rest: group.list.length - limit, group });
    all.push({ kind: "group", key: group.key, far: group.far, end: group.end, sure: group.sure, group, open: limit > 0, rows });
  }
  return all;
}

/** Gives every box a column and a height, those that belong together near each other. */
function arranged(all, steps) {
  const owner = new Map();
  for (const box of all) {
    if (box.kind === "one") owner.set(box.place.at, box);
    else for (const one of box.group.list) owner.set(one.at, box);
  }
  const deepest = Math.max(...all.map(box => box.far), 0);
  const columns = Array.from({ length: deepest + 1 }, () => []);
  for (const box of all) columns[deepest - box.far].push(box);
  const weight = box => box.kind === "group" ? box.group.list.reduce((sum, one) => sum + Math.max(one.ways, 1), 0) : Math.max(box.place.ways, 1);
  for (const column of columns) column.sort((a, b) => Number(b.sure) - Number(a.sure) || weight(b) - weight(a) || order(a.key, b.key));
  const near = new Map(all.map(box => [box, []]));
  for (const step of steps.values()) {
    const a = owner.get(step.from);
    const b = owner.get(step.to);
    if (a !== b) {
      near.get(a).push(b);
      near.get(b).push(a);
    }
  }
  const rank = new Map();
  const number = () => columns.forEach(column => column.forEach((box, at) => rank.set(box, at / Math.max(1, column.length - 1 || 1))));
  number();
  for (let round = 0; round < 6; round += 1) {
    for (const column of round % 2 ? columns : columns.slice().reverse()) {
      const middle = new Map(column.map(box => {
        const list = near.get(box);
        return [box, list.length ? list.reduce((sum, other) => sum + rank.get(other), 0) / list.length : rank.get(box)];
      }));
      column.sort((a, b) => middle.get(a) - middle.get(b));
      number();
    }
  }
  const high = box => BOX.high + box.rows.length * (BOX.member + 3);
  const heights = columns.map(column => column.reduce((sum, box) => sum + high(box) + BOX.gap, -BOX.gap));
  const tallest = Math.max(...heights);
  columns.forEach((column, at) => {
    let y = BOX.top + BOX.edge + (tallest - heights[at]) / 2;
    for (const box of column) {
      Object.assign(box, { column: at, x: BOX.edge + at * (BOX.wide + BOX.between), y, wide: BOX.wide, high: BOX.high });
      let below = y + BOX.high + 3;
      for (const row of box.rows) {
        Object.assign(row, { column: at, x: box.x + 14, y: below, wide: BOX.wide - 14, high: BOX.member });
        below += BOX.member + 3;
      }
      y += high(box) + BOX.gap;
    }
  });
  return { columns, wide: columns.length * (BOX.wide + BOX.between) - BOX.between + 2 * BOX.edge, high: tallest + BOX.top + 2 * BOX.edge };
}

/**
 * Draws ways into a card. `model`: the places and edges; `ways`: [{certain, steps}]; `pick(place)` opens
 * what is known of a place; `opened` keeps which boxes are open.
 */
function drawing(model, ways, opened, pick, label) {
  const parts = gathered(model, ways);
  const holder = h("div", { class: "canvas", role: "group", "aria-label": label });
  const twin = h("details", {}, h("summary", {}, "The same as a table"));
  const node = h("div", {});
  let zoom = 1;
  let size = { wide: 1, high: 1 };
  let svg = null;
  const scale = to => {
    zoom = Math.min(2, Math.max(0.3, to));
    svg.setAttribute("width", Math.round(size.wide * zoom));
    svg.setAttribute("height", Math.round(size.high * zoom));
  };
  const fit = () => scale(Math.min(1, (holder.clientWidth - 4) / size.wide || 1));

  function render(focus) {
    const all = boxes(model, parts, opened);
    const plan = arranged(all, parts.steps);
    size = plan;
    const shown = all.flatMap(box => [box, ...box.rows]);
    const at = new Map();
    for (const box of all) {
      if (box.kind === "one") at.set(box.place.at, box);
      else {
        for (const one of box.group.list) at.set(one.at, box);
        for (const row of box.rows) if (row.kind === "member") at.set(row.place.at, row);
      }
    }
    const edges = new Map();
    for (const step of parts.steps.values()) {
      const from = at.get(step.from);
      const to = at.get(step.to);
      if (from === to) continue;
      const key = `${from.key}>${to.key}`;
      if (!edges.has(key)) edges.set(key, { from, to, paths: new Set(), sure: false, ways: 0 });
      const edge = edges.get(key);
      edge.ways += step.ways;
      edge.sure = edge.sure || step.sure;
      for (const path of step.paths) edge.paths.add(path);
    }
    svg = g("svg", { viewBox: `0 0 ${plan.wide} ${plan.high}`, role: "group", "aria-label": `${label}. The table below says the same` });
    plan.columns.forEach((column, place) => {
      const last = place === plan.columns.length - 1;
      const away = plan.columns.length - 1 - place;
      svg.append(g("text", { class: "head", x: BOX.edge + place * (BOX.wide + BOX.between), y: 22 }, last ? "Goal" : count(away, "step") + " away"));
    });
    const lines = [];
    for (const edge of edges.values()) {
      const x1 = edge.from.x + edge.from.wide;
      const y1 = edge.from.y + edge.from.high / 2;
      const y2 = edge.to.y + edge.to.high / 2;
      const forward = edge.to.column > edge.from.column;
      const x2 = forward ? edge.to.x : edge.to.x + edge.to.wide;
      const bend = forward ? Math.max(48, (x2 - x1) / 2) : 60;
      const line = g("path", { class: `edge ${edge.sure ? "sure" : "unsure"}`, d: `M${x1} ${y1}C${x1 + bend} ${y1} ${forward ? x2 - bend : x2 + bend} ${y2} ${x2} ${y2}`,
        "stroke-width": Math.min(6, 1.2 + Math.log2(edge.ways)) });
      line.append(g("title", {}, `${[...edge.paths].join(", ")}: ${count(edge.ways, "way")}`));
      lines.push([edge, line]);
      svg.append(line);
      if (edges.size <= 14 && forward) {
        const names = [...edge.paths];
        svg.append(g("text", { class: "tag", x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 4 }, names.length > 1 ? `${names[0]} +${names.length - 1}` : names[0]));
      }
    }
    const nodes = new Map();
    const light = box => {
      svg.classList.toggle("lit", Boolean(box));
      for (const [edge, line] of lines) line.classList.toggle("on", Boolean(box) && (edge.from === box || edge.to === box));
    };
    for (const box of shown) {
      const told = describe(model, box);
      const act = () => {
        if (box.kind === "group") {
          if (opened.get(box.key)) opened.delete(box.key);
          else opened.set(box.key, MEMBERS);
          render(box.key);
          say(`${told.title}: ${opened.get(box.key) ? "opened" : "closed"}`);
        } else if (box.kind === "more") {
          opened.set(box.group.key, opened.get(box.group.key) + MEMBERS * 2);
          render(box.group.key);
        } else {
          pick(box.place.at);
        }
      };
      const drawn = g("g", { class: `node act ${box.kind} ${box.end ? "end" : box.sure ? "sure" : "unsure"}`, role: "button", tabindex: "-1",
        "aria-label": `${told.title}. ${told.sub}`, "aria-expanded": box.kind === "group" ? String(box.open) : null,
        onclick: act, onmouseenter: () => light(box), onmouseleave: () => light(null), onfocus: () => light(box), onblur: () => light(null) },
      g("title", {}, told.whole),
      g("rect", { class: "box", x: box.x, y: box.y, width: box.wide, height: box.high, rx: 7 }));
      if (box.kind !== "more") drawn.append(g("rect", { class: "mark", x: box.x, y: box.y + 7, width: 3.5, height: box.high - 14, rx: 1.75 }));
      const room = box.kind === "group" ? 27 : box.kind === "member" ? 31 : 32;
      if (box.kind === "member" || box.kind === "more") {
        drawn.append(g("text", { x: box.x + 13, y: box.y + 19.5 }, short(told.title, room)));
      } else {
        drawn.append(g("text", { x: box.x + 14, y: box.y + 20 }, short(told.title, room)), g("text", { class: "sub", x: box.x + 14, y: box.y + 36 }, short(told.sub, 36)));
      }
      if (box.kind === "group") drawn.append(g("text", { class: "count", x: box.x + box.wide - 12, y: box.y + 20 }, `${number.format(box.group.list.length)} ${box.open ? "−" : "+"}`));
      nodes.set(box, drawn);
      drawn.addEventListener("keydown", event => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          act();
          return;
        }
        const to = beside(shown, box, event.key);
        if (!to) return;
        event.preventDefault();
        drawn.setAttribute("tabindex", "-1");
        nodes.get(to).setAttribute("tabindex", "0");
        nodes.get(to).focus();
      });
      svg.append(drawn);
    }
    const first = shown.find(box => box.key === focus) || shown[0];
    if (first) nodes.get(first).setAttribute("tabindex", "0");
    holder.replaceChildren(svg);
    scale(zoom);
    if (focus && first) nodes.get(first).focus();
    twin.replaceChildren(twin.firstChild, plain("Steps of the graph", ["From", "Step", "To", "Ways", "How sure"], [...edges.values()].map(edge => [
      h("span", { class: "break" }, describe(model, edge.from).title), h("span", {}, [...edge.paths].join(", ")), h("span", { class: "break" }, describe(model, edge.to).title),
      number.format(edge.ways), edge.sure ? "Certain" : "Conditional"])));
  }

  const zoomers = h("div", {},
    h("button", { type: "button", "aria-label": "Smaller", onclick: () => scale(zoom / 1.25) }, "−"),
    h("button", { type: "button", "aria-label": "Larger", onclick: () => scale(zoom * 1.25) }, "+"),
    h("button", { type: "button", onclick: fit }, "Fit"), h("button", { type: "button", onclick: () => scale(1) }, "100 %"));
  const many = parts.places.size > ALONE;
  const tools = h("div", { class: "graph-tools" },
    h("p", { class: "small muted" }, `${count(parts.places.size, "place")}, ${count(parts.steps.size, "step")}. `, many ? "The same steps stand in one box; press it to open it." : "Press a box for its ways."),
    zoomers);
  const key = h("p", { class: "key" }, h("span", {}, h("i", { class: "sure" }), "certain"), h("span", {}, h("i", { class: "unsure" }), "under conditions"),
    h("span", { class: "hint" }, "Arrow keys walk the boxes, Enter opens one."));
  node.append(tools, holder, key, h("br"), twin);
  render();
  node.fit = () => { if (size.wide > holder.clientWidth) scale(Math.max(0.62, (holder.clientWidth - 4) / size.wide)); };
  return node;
}

/** What a box says. */
function describe(model, box) {
  if (box.kind === "more") return { title: `${number.format(box.rest)} more …`, sub: "Shows more", whole: "Shows more" };
  if (box.kind === "group") {
    const n = box.group.list.length;
    if (box.end) {
      const title = box.key === "changed" ? "By a change of its own" : box.key === "directory" ? "Directory" : model.goal;
      return { title, sub: `${count(n, "place")} where ways end`, whole: `${title}: ${n}` };
    }
    if (box.group.kind) {
      const paths = new Set(box.group.list.map(one => one.step.paths[0]));
      return { title: box.group.kind, sub: `${count(paths.size, "path")} · ${box.sure ? "certain" : "conditional"}`, whole: `${box.group.kind}: ${[...paths].sort().join(", ")}` };
    }
    const path = model.path(box.group.step.paths[0]);
    return { title: path.title, sub: `${box.group.step.paths.join(" + ")} · ${box.sure ? "certain" : "conditional"}`, whole: `${path.whole}: ${count(n, "place")}` };
  }
  const at = box.place.at;
  const title = at < 0 ? "Roles of the directory" : model.label(at);
  const sub = box.end ? (at >= 0 && model.places[at].changed ? "administrator by its own change" : "where ways end")
    : `${box.place.step.paths.join(" + ")} · ${box.sure ? "certain" : "conditional"}`;
  return { title, sub, whole: at < 0 ? title : model.words(at) };
}

/** The box that an arrow key leads to. */
function beside(shown, box, key) {
  const column = shown.filter(other => other.column === box.column).sort((a, b) => a.y - b.y);
  const place = column.indexOf(box);
  if (key === "ArrowDown") return column[place + 1];
  if (key === "ArrowUp") return column[place - 1];
  const by = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (!by) return null;
  const next = shown.filter(other => other.column === box.column + by);
  return next.sort((a, b) => Math.abs(a.y - box.y) - Math.abs(b.y - box.y))[0];
}
