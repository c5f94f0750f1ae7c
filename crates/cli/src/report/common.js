// What both reports share: elements, theme, data, routes, copying.

/** An element. Texts become text nodes; nothing is ever read as markup. */
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const g = (tag, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

const LEVELS = ["critical", "high", "medium", "low", "info"];
const number = new Intl.NumberFormat("en");
const count = (value, one, many) => `${number.format(value)} ${value === 1 ? one : many || one + "s"}`;
const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
const instant = text => text ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : "";
const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

const STATES = {
  "fail": ["Fail", "square"],
  "not-assessed": ["Not assessed", "ring"],
  "pass": ["Pass", ""],
  "suppressed": ["Suppressed", "ring"],
  "not-applicable": ["Not applicable", "ring"],
  "not-built": ["Not built", "ring"],
};
const severity = level => h("span", { class: `badge ${LEVELS[level]}` }, capital(LEVELS[level]));
const stateBadge = state => h("span", { class: `badge ${state} ${STATES[state][1]}` }, STATES[state][0]);

/** The parts of an ARN that people read: what it is, and its name. */
function named(arn) {
  const parts = arn.split(":");
  if (parts[0] !== "arn" || parts.length < 6) return { kind: "", name: arn };
  const service = parts[2];
  const rest = parts.slice(5).join(":");
  if (service === "iam") {
    if (rest === "root") return { kind: "account", name: `Account ${parts[4]}` };
    const at = rest.indexOf("/");
    if (at > 0) return { kind: rest.slice(0, at), name: rest.slice(at + 1) };
  }
  if (service === "s3" && !rest.includes("/")) return { kind: "bucket", name: rest };
  return { kind: service, name: rest };
}

/** A sentence; what stands between backticks becomes code. */
const ticks = text => text.split("`").map((part, at) => at % 2 ? h("code", {}, part) : part);

/** A bar of shares with the same in words. */
function bar(shares, big) {
  const words = shares.filter(share => share[1]).map(([state, n]) => `${number.format(n)} ${STATES[state][0].toLowerCase()}`);
  const node = h("div", { class: big ? "bar big" : "bar", role: "img", "aria-label": words.join(", ") || "nothing" });
  for (const [state, n] of shares) {
    if (!n) continue;
    const part = h("i", { class: state });
    part.style.flex = `${n} 1 0`;
    node.append(part);
  }
  return node;
}

const live = h("p", { class: "sr", role: "status", "aria-live": "polite" });
const say = text => { live.textContent = text; };

/** Copies, in the old way where the page may not use the clipboard. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "sr", "aria-hidden": "true", tabindex: "-1" });
    area.value = text;
    const held = document.activeElement;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    if (held) held.focus();
  }
}

/** A text to copy; `diff` colours its lines. */
function code(text, what, diff) {
  const pre = h("pre", { tabindex: "0", role: "group", "aria-label": what });
  if (diff) {
    for (const line of text.replace(/\n$/, "").split("\n")) {
      const kind = line.startsWith("+") ? "add" : line.startsWith("-") ? "cut" : "same";
      pre.append(h("span", { class: kind }, line || " "));
    }
  } else {
    pre.append(h("code", {}, text));
  }
  const button = h("button", { type: "button", "aria-label": `Copy: ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    await copy(text);
    button.textContent = "Copied";
    say(`${what} copied`);
    setTimeout(() => { button.textContent = "Copy"; }, 1600);
  });
  return h("div", { class: "code" }, pre, button);
}

/** JSON laid out, where it is JSON. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const theme = {
  system: matchMedia("(prefers-color-scheme: dark)"),
  held: "system",
  start() {
    try { this.held = localStorage.getItem("bailiwick-theme") || "system"; } catch { /* none is kept */ }
    this.system.addEventListener("change", () => this.apply());
    this.apply();
  },
  apply() {
    const dark = this.held === "dark" || (this.held === "system" && this.system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  },
  next() {
    const list = ["system", "light", "dark"];
    this.held = list[(list.indexOf(this.held) + 1) % list.length];
    try { localStorage.setItem("bailiwick-theme", this.held); } catch { /* none is kept */ }
    this.apply();
  },
  button() {
    const button = h("button", { type: "button", id: "theme" });
    const label = () => {
      button.textContent = { system: "◐ Auto", light: "○ Light", dark: "● Dark" }[this.held];
      button.setAttribute("aria-label", `Theme: ${this.held}`);
    };
    button.addEventListener("click", () => { this.next(); label(); say(`Theme: ${this.held}`); });
    label();
    return button;
  },
};

async function data() {
  const held = document.getElementById("data");
  let text = held.textContent;
  if (held.type === "application/gzip") {
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    text = await new Response(stream).text();
  }
  held.remove();
  return JSON.parse(text);
}

/** Where one is: `#/name/argument?key=value`. */
function place() {
  const hash = location.hash.startsWith("#/") ? location.hash.slice(2) : "";
  const [path, query] = hash.split("?");
  const [name, ...rest] = path.split("/");
  let argument = rest.join("/");
  try { argument = decodeURIComponent(argument); } catch { /* as it stands */ }
  return { name, argument, query: new URLSearchParams(query || "") };
}

function link(name, query, argument) {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query || {})) if (value !== "" && value !== null && value !== undefined) params.set(key, value);
  const tail = params.toString();
  return `#/${name}${argument === undefined ? "" : "/" + encodeURIComponent(argument)}${tail ? "?" + tail : ""}`;
}

/** Says where one is without going there. */
function remember(name, query) {
  history.replaceState(null, "", link(name, query));
}

const mark = () => g("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linejoin": "round" },
  g("path", { d: "M12 2.5 20 5.5v6c0 5-3.4 8.4-8 10-4.6-1.6-8-5-8-10v-6z" }), g("path", { d: "m8.5 12 2.5 2.5 4.5-5" }));

/** Draws the frame and follows the routes. `app`: {title, account, tabs, routes}. */
function run(app) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const tabs = h("nav", { class: "tabs", "aria-label": "Parts of the report" });
  for (const [name, label, n] of app.tabs) {
    tabs.append(h("a", { href: link(name), "data-name": name }, label, n === undefined ? null : h("span", { class: "n" }, number.format(n))));
  }
  const print = h("button", { type: "button", onclick: () => window.print() }, "Print");
  const top = h("header", { class: "top" }, h("div", { class: "top-in" },
    h("div", { class: "brand" }, mark(), h("b", {}, "Bailiwick"), h("span", {}, app.subtitle)),
    h("div", { class: "tools" }, theme.button(), print), tabs));
  const foot = h("footer", {}, app.foot);
  document.getElementById("app").replaceChildren(top, main, foot, live);
  document.querySelector(".skip").addEventListener("click", event => { event.preventDefault(); main.focus(); });
  let first = true;
  let last = "";
  const show = () => {
    if (location.hash && !location.hash.startsWith("#/")) return;
    const at = place();
    const name = Object.hasOwn(app.routes, at.name) ? at.name : app.tabs[0][0];
    const part = app.under[name] || name;
    for (const tab of tabs.children) {
      if (tab.dataset.name === part) {
        tab.setAttribute("aria-current", "page");
        // Only the tabs scroll, never the page.
        tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - 40;
      } else {
        tab.removeAttribute("aria-current");
      }
    }
    main.replaceChildren();
    const from = last;
    last = `${name}/${at.argument}`;
    const done = app.routes[name](main, at, from) || {};
    const heading = main.querySelector("h1");
    document.title = `${heading ? heading.textContent : app.title} · ${app.title}`;
    if (first) {
      first = false;
      return;
    }
    if (done.focus) {
      done.focus.focus();
    } else if (heading) {
      window.scrollTo(0, 0);
      heading.setAttribute("tabindex", "-1");
      heading.focus({ preventScroll: true });
    }
  };
  window.addEventListener("hashchange", show);
  document.addEventListener("keydown", event => {
    const back = document.getElementById("back");
    if (event.key === "Escape" && back) location.hash = back.getAttribute("href");
  });
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...main.querySelectorAll("details:not([open])")];
    for (const part of opened) part.open = true;
  });
  window.addEventListener("afterprint", () => { for (const part of opened) part.open = false; });
  show();
}

/** Opens the page, and says so where it cannot. */
function boot(make) {
  theme.start();
  data().then(held => run(make(held))).catch(error => {
    document.getElementById("app").replaceChildren(h("p", { class: "wait", role: "alert" },
      `This report cannot be opened here: ${error.message}. A browser of 2023 or later opens it.`));
    throw error;
  });
}
