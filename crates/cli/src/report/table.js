// Tables that are sorted and paged, and walked by keys.

const SIZES = [25, 50, 100, 250];
/** Rows that are printed at most. */
const PRINTED = 2000;

/**
 * A table. `spec`: {label, columns, rows, view, changed, empty, cards}. A column: {key, label, cell(row),
 * compare(a, b), first, n, bare}; its `first` cell heads the row. `view`: {sort, down, page, size}.
 */
function table(spec) {
  const { columns, view } = spec;
  const body = h("tbody", { role: "rowgroup" });
  const heads = new Map();
  const head = h("tr", { role: "row" });
  for (const column of columns) {
    const cell = h("th", { scope: "col", role: "columnheader", class: column.n ? "n" : null });
    if (column.compare) {
      cell.append(h("button", { type: "button", onclick: () => {
        view.down = view.sort === column.key ? !view.down : false;
        view.sort = column.key;
        view.page = 0;
        arrange();
        draw();
        say(`Sorted by ${column.label}, ${view.down ? "descending" : "ascending"}`);
      } }, column.label));
    } else {
      cell.append(column.label);
    }
    heads.set(column.key, cell);
    head.append(cell);
  }
  const grid = h("table", { role: "table", "aria-label": spec.label, class: spec.cards === false ? null : "cards" },
    h("thead", { role: "rowgroup" }, head), body);
  const status = h("p", { class: "small muted num" });
  const back = h("button", { type: "button", onclick: () => turn(-1) }, "← Previous");
  const next = h("button", { type: "button", onclick: () => turn(1) }, "Next →");
  const size = h("select", { "aria-label": "Rows on a page", onchange: () => {
    view.size = Number(size.value);
    view.page = 0;
    draw();
  } }, SIZES.map(n => h("option", { value: n }, `${n} rows`)));
  const pager = h("div", { class: "pager" }, h("div", {}, back, next), status, h("div", {}, size));
  const none = h("p", { class: "none" }, spec.empty || "Nothing here.");
  const hint = h("p", { class: "small muted hint" }, "Arrow keys walk the rows, Enter opens one, Page Up and Page Down turn pages.");
  const node = h("div", {}, h("div", { class: "frame" }, grid), none, pager, spec.open ? hint : null);
  let rows = [];
  let sorted = [];
  let printing = false;

  const pages = () => Math.max(1, Math.ceil(sorted.length / view.size));
  function arrange() {
    const column = columns.find(one => one.key === view.sort);
    sorted = rows;
    if (column && column.compare) {
      const sign = view.down ? -1 : 1;
      sorted = rows.slice().sort((a, b) => sign * column.compare(a, b));
    }
    for (const [key, cell] of heads) {
      if (key === view.sort) cell.setAttribute("aria-sort", view.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
  }
  const links = () => [...body.querySelectorAll(".title")];
  function turn(by, walk) {
    const to = Math.min(pages() - 1, Math.max(0, view.page + by));
    if (to === view.page) return;
    view.page = to;
    draw();
    say(status.textContent);
    const all = links();
    if (walk && all.length) all[walk === "last" ? all.length - 1 : 0].focus();
    else if (back.disabled && document.activeElement === document.body) next.focus();
    else if (next.disabled && document.activeElement === document.body) back.focus();
  }
  function line(row) {
    const href = spec.open ? spec.open(row) : null;
    const tr = h("tr", { role: "row", class: href ? "open" : null });
    for (const column of columns) {
      const inner = column.cell(row);
      const kind = column.n ? "n" : column.bare ? "bare" : null;
      tr.append(column.first
        ? h("th", { scope: "row", role: "rowheader" }, inner)
        : h("td", { role: "cell", class: kind, "data-label": column.label }, inner));
    }
    if (href) {
      tr.addEventListener("click", event => {
        if (!event.target.closest("a, button") && !String(getSelection())) location.hash = href;
      });
    }
    return tr;
  }
  function draw() {
    view.page = Math.min(view.page, pages() - 1);
    const from = printing ? 0 : view.page * view.size;
    const shown = sorted.slice(from, from + (printing ? PRINTED : view.size));
    body.replaceChildren(...shown.map(line));
    links().forEach((one, at) => { one.tabIndex = at ? -1 : 0; });
    const some = sorted.length > 0;
    grid.parentNode.hidden = !some;
    hint.hidden = !some;
    none.hidden = some;
    pager.hidden = sorted.length <= SIZES[0];
    size.value = String(view.size);
    back.disabled = view.page === 0;
    next.disabled = view.page >= pages() - 1;
    status.textContent = `${number.format(from + 1)} to ${number.format(from + shown.length)} of ${number.format(sorted.length)}, page ${view.page + 1} of ${pages()}`;
    if (spec.changed) spec.changed();
  }
  body.addEventListener("keydown", event => {
    const all = links();
    const at = all.indexOf(event.target);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "PageDown") turn(1, "first");
    else if (event.key === "PageUp") turn(-1, "first");
    else if (to === undefined) return;
    else if (to < 0) turn(-1, "last");
    else if (to >= all.length) turn(1, "first");
    else {
      all[at].tabIndex = -1;
      all[to].tabIndex = 0;
      all[to].focus();
    }
    event.preventDefault();
  });
  const before = () => { if (node.isConnected) { printing = true; draw(); } };
  const after = () => { if (printing) { printing = false; draw(); } };
  window.addEventListener("beforeprint", before);
  window.addEventListener("afterprint", after);

  node.update = list => { rows = list; arrange(); draw(); };
  node.focusOn = href => links().find(one => one.getAttribute("href") === href);
  node.update(spec.rows);
  return node;
}

/** A choice of a filter. `options`: [value, label]. */
function choice(label, value, options, changed) {
  const select = h("select", { onchange: () => changed(select.value) }, options.map(([key, text]) => h("option", { value: key }, text)));
  select.value = options.some(([key]) => key === value) ? value : options[0][0];
  return labelled(label, select);
}

let fields = 0;

/** A field below its label. */
function labelled(label, field, wide) {
  fields += 1;
  field.id = `field-${fields}`;
  return h("div", { class: wide ? "lab wide" : "lab" }, h("label", { for: field.id }, label), field);
}

/** A field to search in, heard when typing rests. */
function search(label, value, changed) {
  const input = h("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  input.value = value;
  let wait = 0;
  input.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => changed(input.value.trim()), 140);
  });
  return labelled(label, input, true);
}

/** A small table without pages. */
function plain(label, heads, rows, cards) {
  return h("div", { class: "frame" }, h("table", { role: "table", "aria-label": label, class: cards === false ? null : "cards" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map(head => h("th", { scope: "col", role: "columnheader" }, head)))),
    h("tbody", { role: "rowgroup" }, rows.map(row => h("tr", { role: "row" }, row.map((cell, at) => at
      ? h("td", { role: "cell", "data-label": heads[at] }, cell)
      : h("th", { scope: "row", role: "rowheader" }, cell)))))));
}
