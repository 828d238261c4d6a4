"use strict";
// The findings of an audit, to look at and decide about. All text goes in as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const CHUNK = 40;
  const ACTIONS = { keep: "Keep", relabel: "Relabel", drop: "Drop" };
  const at = (id) => document.getElementById(id);

  const element = (tag, properties, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (value === null || value === undefined || value === false) continue;
      made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  };
  const name = (text) => element("bdi", {}, text);
  // A path breaks after a slash before it breaks within a name.
  const pathOf = (text) =>
    element("bdi", {}, ...text.split("/").flatMap((part, n, all) => (n < all.length - 1 ? [`${part}/`, element("wbr")] : [part])));

  // Decisions by path, kept over a reload where the browser lets the page keep anything.
  const decisions = new Map();
  const kept = (() => {
    try {
      localStorage.setItem(`${data.key}:try`, "");
      localStorage.removeItem(`${data.key}:try`);
      return localStorage;
    } catch {
      return null;
    }
  })();
  const restore = () => {
    let stored = null;
    try {
      stored = JSON.parse(kept.getItem(data.key));
    } catch {
      return;
    }
    if (!Array.isArray(stored)) return;
    const known = new Set(items.map((item) => item.path));
    for (const one of stored) {
      if (!Array.isArray(one) || !known.has(one[0]) || !Object.hasOwn(ACTIONS, one[1])) continue;
      if (one[1] === "relabel" && typeof one[2] !== "string") continue;
      decisions.set(one[0], { action: one[1], label: one[1] === "relabel" ? one[2] : "" });
    }
  };
  const store = () => {
    try {
      kept.setItem(data.key, JSON.stringify([...decisions].map(([path, one]) => [path, one.action, one.label])));
    } catch {
      at("kept").hidden = false;
    }
  };

  // One item for each image of each finding; those of a test set can't be decided about.
  const items = [];
  const byPath = new Map();
  const findings = data.findings.map((finding, number) => ({ ...finding, number, items: [], node: null }));
  for (const finding of findings) {
    finding.files.forEach((image, place) => {
      const { path, label, tested } = data.images[image];
      const others = finding.classes.filter((one) => one !== label);
      const suggested = place === 0 && finding.relabel ? finding.relabel : others[0] || null;
      const item = { finding, image, path, label, tested, suggested, rule: finding.rules[place], told: finding.told[place], node: null };
      finding.items.push(item);
      if (tested) return;
      items.push(item);
      if (!byPath.has(path)) byPath.set(path, []);
      byPath.get(path).push(item);
    });
  }

  let shown = [];
  let order = [];
  let current = null;
  let rendered = 0;

  // Filters.
  const kinds = new Set();
  const decided = (finding) => finding.items.every((item) => item.tested || decisions.has(item.path));
  const passes = (finding) =>
    (!kinds.size || kinds.has(finding.kind)) &&
    (!at("class").value || finding.classes.includes(at("class").value)) &&
    (!at("state").value || decided(finding) === (at("state").value === "decided"));

  const filter = () => {
    shown = findings.filter(passes);
    order = shown.flatMap((finding) => finding.items.filter((item) => !item.tested));
    for (const item of items) item.node = null;
    current = null;
    rendered = 0;
    at("findings").replaceChildren();
    render(CHUNK);
    at("none").hidden = shown.length > 0;
    const pictures = new Set(order.map((item) => item.path)).size;
    at("shown").textContent = `${shown.length} of ${findings.length} findings, ${pictures} images`;
    at("accept").disabled = !acceptable().length;
  };

  const render = (most) => {
    const end = Math.min(shown.length, rendered + most);
    const made = document.createDocumentFragment();
    for (; rendered < end; rendered += 1) {
      const finding = shown[rendered];
      if (rendered === 0 || shown[rendered - 1].kind !== finding.kind) made.append(heading(finding.kind));
      made.append(card(finding));
    }
    at("findings").append(made);
    at("more").hidden = rendered >= shown.length;
  };

  const heading = (kind) =>
    element(
      "li",
      { class: "kind-heading" },
      element("h3", {}, kind.replaceAll("_", " ")),
      element("p", {}, data.kinds[kind]),
    );

  const card = (finding) => {
    const several = finding.items.length > 1;
    return element(
      "li",
      { class: several ? "finding several" : "finding" },
      element(
        "p",
        { class: "evidence" },
        finding.evidence,
        finding.kind === "mislabelled" ? null : element("span", { class: "score" }, ` Sure by ${finding.score} of 1.`),
      ),
      element("ul", { class: "images" }, ...finding.items.map(imageOf)),
      finding.suggestion ? element("p", { class: "suggestion" }, finding.suggestion) : null,
    );
  };

  const source = (item) => {
    const picture = data.images[item.image].picture;
    return picture === null ? null : `data:image/jpeg;base64,${data.pictures[picture]}`;
  };

  const imageOf = (item) => {
    const uri = source(item);
    const picture = uri
      ? element(
          "button",
          { type: "button", class: "picture", "data-do": "enlarge", "aria-label": `Enlarge ${item.path}` },
          element("img", { src: uri, alt: "", loading: "lazy", decoding: "async" }),
        )
      : element("span", { class: "picture missing", role: "img", "aria-label": "no picture" });
    const label = item.label === null ? element("span", { class: "muted" }, "no label") : name(item.label);
    const node = element(
      "li",
      { class: item.tested ? "image tested" : "image", tabindex: item.tested ? null : "-1" },
      picture,
      element(
        "div",
        { class: "facts" },
        element("p", { class: "label" }, label, element("span", { class: "verdict" })),
        element("p", { class: "path" }, item.tested ? "in the test set: " : "", pathOf(item.path)),
        item.tested ? null : choices(item),
      ),
    );
    item.node = node;
    node.inkling = item;
    if (!item.tested) paint(item);
    return node;
  };

  const choices = (item) => {
    const button = (action, ...text) =>
      element("button", { type: "button", class: action, "data-do": action, "aria-pressed": "false" }, ...text);
    const select = element(
      "select",
      { "aria-label": "Relabel to another class" },
      element("option", { value: "" }, item.suggested ? "another class" : "relabel to"),
    );
    return element(
      "div",
      { class: "choices", role: "group", "aria-label": "Decision" },
      button("keep", "Keep"),
      item.suggested ? button("relabel", "Relabel: ", name(item.suggested)) : null,
      button("drop", "Drop"),
      select,
    );
  };

  // The list of all classes is made for the image that asks for it.
  const fill = (select, item) => {
    if (select.options.length > 1) return;
    for (const one of data.classes) if (one !== item.label) select.append(element("option", { value: one }, one));
  };

  const told = (item) => {
    const found = decisions.get(item.path);
    if (!found) return "";
    return found.action === "relabel" ? `relabel to ${found.label}` : found.action;
  };

  const paint = (item) => {
    const { node } = item;
    if (!node) return;
    const found = decisions.get(item.path);
    node.dataset.decided = found ? found.action : "";
    const verdict = node.querySelector(".verdict");
    verdict.replaceChildren();
    if (found) verdict.append(found.action === "relabel" ? " \u2192 " : ` ${found.action}`);
    if (found && found.action === "relabel") verdict.append(name(found.label));
    for (const button of node.querySelectorAll(".choices button")) {
      const same = found && button.dataset.do === found.action && (found.action !== "relabel" || found.label === item.suggested);
      button.setAttribute("aria-pressed", same ? "true" : "false");
    }
    node.setAttribute("aria-label", `${item.path}, labelled ${item.label ?? "nothing"}. ${told(item) || "undecided"}`);
  };

  const count = () => {
    const by = { keep: 0, relabel: 0, drop: 0 };
    for (const one of decisions.values()) by[one.action] += 1;
    at("count").textContent = `${decisions.size} of ${byPath.size} images decided`;
    at("by").textContent = decisions.size ? `${by.keep} keep, ${by.relabel} relabel, ${by.drop} drop` : "";
    at("meter").style.width = byPath.size ? `${(100 * decisions.size) / byPath.size}%` : "0";
    at("export").disabled = !decisions.size;
    at("clear").disabled = !decisions.size;
    at("accept").disabled = !acceptable().length;
  };

  const set = (item, action, label) => {
    if (action) decisions.set(item.path, { action, label: action === "relabel" ? label : "" });
    else decisions.delete(item.path);
    for (const other of byPath.get(item.path)) paint(other);
  };

  const decide = (item, action, label) => {
    const found = decisions.get(item.path);
    const same = found && found.action === action && (action !== "relabel" || found.label === label);
    set(item, same ? null : action, label);
    store();
    count();
    at("said").textContent = `${item.path}: ${told(item) || "undecided"}. ${at("count").textContent}.`;
  };

  const acceptable = () =>
    order.filter((item) => item.rule && item.rule[0] !== "keep" && !decisions.has(item.path));

  // Moving about.
  const focus = (item) => {
    if (current && current.node) {
      current.node.tabIndex = -1;
      current.node.removeAttribute("aria-current");
    }
    current = item;
    if (!item) return;
    while (!item.node && rendered < shown.length) render(CHUNK);
    item.node.tabIndex = 0;
    item.node.setAttribute("aria-current", "true");
    item.node.focus({ preventScroll: true });
    item.node.scrollIntoView({ block: "nearest" });
    if (at("large").open) enlarge(item);
  };
  const go = (by) => {
    if (!order.length) return;
    const place = current ? order.indexOf(current) + by : 0;
    focus(order[Math.min(Math.max(place, 0), order.length - 1)]);
  };

  const enlarge = (item) => {
    const figures = item.finding.items.map((one) => {
      const uri = source(one);
      return element(
        "figure",
        { class: one === item ? "this" : "" },
        uri ? element("img", { src: uri, alt: one.path }) : element("span", { class: "picture missing" }),
        element("figcaption", {}, one.label === null ? "no label" : name(one.label), element("small", {}, one.tested ? "in the test set: " : "", pathOf(one.path))),
      );
    });
    at("pictures").replaceChildren(...figures);
    at("large-text").textContent = item.finding.evidence;
    if (!at("large").open) at("large").showModal();
  };

  // What comes out: rows as --fix-list writes them, in its order.
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const csv = () => {
    const rows = [data.columns];
    const written = new Set();
    for (const item of items) {
      const found = decisions.get(item.path);
      if (!found || written.has(item.path)) continue;
      written.add(item.path);
      const { kind, score } = item.finding;
      rows.push([item.path, found.action, found.label, kind, score, item.told]);
    }
    const text = rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
    return /^[\x00-\x7f]*$/.test(text) ? text : `\ufeff${text}`;
  };
  const save = () => {
    const address = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    const link = element("a", { href: address, download: "fixes.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    at("said").textContent = `Saved ${decisions.size} corrections as fixes.csv.`;
  };

  // Keys: j, k and arrows move; 1 to 3, or shift-K, R and D decide; 0 or U takes a decision back.
  const KEYS = {
    j: () => go(1),
    k: () => go(-1),
    ArrowDown: () => go(1),
    ArrowRight: () => go(1),
    ArrowUp: () => go(-1),
    ArrowLeft: () => go(-1),
  };
  const DECIDE = { 1: "keep", K: "keep", 2: "relabel", r: "relabel", R: "relabel", 3: "drop", d: "drop", D: "drop", 0: "", u: "", U: "" };
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input, textarea")) return;
    if (Object.hasOwn(KEYS, event.key)) {
      event.preventDefault();
      KEYS[event.key]();
    } else if (Object.hasOwn(DECIDE, event.key) && order.length) {
      event.preventDefault();
      byKey(DECIDE[event.key]);
    } else if ((event.key === "Enter" || event.key === "e") && current && event.target === current.node) {
      event.preventDefault();
      enlarge(current);
    }
  };
  const byKey = (action) => {
    if (!current) focus(order[0]);
    else if (!action) {
      if (decisions.has(current.path)) decide(current, decisions.get(current.path).action, decisions.get(current.path).label);
    } else if (action === "relabel" && !current.suggested) {
      at("large").close();
      const select = current.node.querySelector("select");
      fill(select, current);
      select.focus();
    } else {
      const found = decisions.get(current.path);
      const label = action === "relabel" ? current.suggested : "";
      if (!found || found.action !== action || found.label !== label) decide(current, action, label);
      go(1);
    }
  };

  const itemOf = (target) => target.closest(".image")?.inkling ?? null;
  at("findings").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const item = itemOf(event.target);
    if (!item) return;
    if (!item.tested && item !== current) {
      const active = document.activeElement;
      focus(item);
      if (active && item.node.contains(active)) active.focus({ preventScroll: true });
    }
    if (!button) return;
    if (button.dataset.do === "enlarge") enlarge(item);
    else decide(item, button.dataset.do, item.suggested);
  });
  for (const kind of ["focusin", "pointerdown"]) {
    at("findings").addEventListener(kind, (event) => {
      if (event.target.tagName === "SELECT") fill(event.target, itemOf(event.target));
    });
  }
  at("findings").addEventListener("change", (event) => {
    const item = itemOf(event.target);
    if (!item || !event.target.value) return;
    set(item, null);
    decide(item, "relabel", event.target.value);
    event.target.value = "";
    if (item !== current) focus(item);
    else item.node.focus({ preventScroll: true });
  });
  document.addEventListener("keydown", pressed);
  at("large").addEventListener("click", (event) => {
    if (event.target === at("large") || event.target.closest("[data-do=close]")) at("large").close();
  });
  at("large").addEventListener("close", () => current?.node?.focus({ preventScroll: true }));
  at("class").addEventListener("change", filter);
  at("state").addEventListener("change", filter);
  at("export").addEventListener("click", save);
  at("accept").addEventListener("click", () => {
    const all = acceptable();
    for (const item of all) if (!decisions.has(item.path)) set(item, item.rule[0], item.rule[1]);
    store();
    count();
    at("said").textContent = `Took ${all.length} suggestions. ${at("count").textContent}.`;
  });
  at("clear").addEventListener("click", () => {
    if (!window.confirm(`Forget all ${decisions.size} decisions?`)) return;
    decisions.clear();
    items.forEach(paint);
    store();
    count();
  });
  at("kinds").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { kind } = button.dataset;
    if (!kind) kinds.clear();
    else if (!kinds.delete(kind)) kinds.add(kind);
    for (const one of at("kinds").children) {
      one.setAttribute("aria-pressed", String(one.dataset.kind ? kinds.has(one.dataset.kind) : !kinds.size));
    }
    filter();
  });
  new IntersectionObserver(
    (seen) => {
      if (seen.some((one) => one.isIntersecting) && rendered < shown.length) render(CHUNK);
    },
    { rootMargin: "1200px" },
  ).observe(at("more"));

  // Begin.
  const chip = (kind, text, n) =>
    element("button", { type: "button", "data-kind": kind, "aria-pressed": String(!kind) }, text, element("span", { class: "n" }, String(n)));
  at("kinds").append(chip("", "all", findings.length));
  for (const kind of Object.keys(data.kinds)) {
    const n = findings.filter((finding) => finding.kind === kind).length;
    if (n) at("kinds").append(chip(kind, kind.replaceAll("_", " "), n));
  }
  for (const one of data.classes) {
    if (findings.some((finding) => finding.classes.includes(one))) at("class").append(element("option", { value: one }, one));
  }
  at("kept").hidden = kept !== null;
  if (kept) restore();
  if (decisions.size) at("said").textContent = `${decisions.size} decisions of an earlier visit are here.`;
  filter();
  count();
  at("panel").hidden = false;
})();
