// How many pictures got which verdict: a table whose rows filter the list below, and its order.

import { element } from "../common/elements.js";
import { button, keepFocus, newId } from "../dom.js";
import { isDoubtful, margin } from "../verdict.js";
import { counted, measured } from "../words.js";

const FEW = 2; // so many verdicts need no table

const KINDS = {
  all: { name: () => "All", fits: () => true },
  unknown: { name: () => "Unlike every class", fits: (one) => one.isUnknown },
  doubtful: { name: () => "Doubtful", fits: (one) => one.verdict && isDoubtful(one.verdict), hint: "Two classes are about equally likely" },
  waiting: { name: () => "Not asked", fits: (one) => !one.verdict && one.isWaiting },
  unreadable: { name: () => "Unreadable", fits: (one) => !one.verdict && !one.isWaiting },
};

export class Tally {
  #chosen = "all";
  #order = "came";
  #said = "";

  constructor({ onChange }) {
    this.onChange = onChange;
    const id = newId("order");
    this.list = element("select", { id, onchange: () => {
      this.#order = this.list.value;
      onChange();
    } }, element("option", { value: "came" }, "latest first"), element("option", { value: "doubt" }, "most doubtful first"));
    this.caption = element("caption", { class: "for-screen-readers" }, "Verdicts by class; a name shows those pictures alone");
    this.rows = element("tbody");
    this.root = element("div", { class: "tally", hidden: true },
      element("div", { class: "table-of" }, element("table", {}, this.caption,
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Verdict"), element("th", { scope: "col" }, "Pictures"), element("th", { scope: "col" }, "Share"))), this.rows)),
      element("p", { class: "regroup small" }, element("label", { for: id }, "Order"), this.list));
  }

  clear() {
    [this.#chosen, this.#order, this.list.value] = ["all", "came", "came"];
  }

  // Those of the pictures that are to be shown, in their order.
  of(entries) {
    const found = entries.filter(fitting(this.#chosen));
    if (this.#order === "came") return found;
    const doubt = (one) => (one.verdict ? margin(one.verdict) : -1);
    return found.toSorted((a, b) => doubt(a) - doubt(b));
  }

  show(entries) {
    this.root.hidden = entries.length <= FEW;
    const labels = Map.groupBy(entries.filter((one) => one.verdict && !one.isUnknown), (one) => one.verdict.label);
    const classes = [...labels].map(([name, some]) => [`=${name}`, some.length]).sort(([a, n], [b, m]) => m - n || a.localeCompare(b));
    const kinds = Object.keys(KINDS).map((kind) => [kind, entries.filter(fitting(kind)).length]).filter(([kind, n]) => n || kind === "all");
    if (![...kinds, ...classes].some(([kind]) => kind === this.#chosen)) this.#chosen = "all";
    const said = JSON.stringify([kinds, classes, this.#chosen]);
    if (said === this.#said) return;
    this.#said = said;
    keepFocus(this.rows, () => this.rows.replaceChildren(...[...kinds, ...classes].map(([kind, n]) => this.#row(kind, n, entries.length))));
  }

  #row(kind, n, all) {
    const name = KINDS[kind]?.name() ?? kind.slice(1);
    const choose = button(name, () => {
      this.#chosen = kind;
      this.onChange();
    }, { class: "plain", "aria-pressed": kind === this.#chosen, title: KINDS[kind]?.hint ?? name, "aria-label": `${name}: show ${counted(n, "picture")}` });
    return element("tr", { class: kind === this.#chosen ? "chosen" : KINDS[kind] && "kind" }, element("th", { scope: "row" }, choose), element("td", {}, n.toLocaleString("en")), element("td", {}, measured(n / all)));
  }
}

function fitting(kind) {
  return KINDS[kind]?.fits ?? ((one) => one.verdict && !one.isUnknown && one.verdict.label === kind.slice(1));
}
