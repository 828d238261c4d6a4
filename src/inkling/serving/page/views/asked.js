// A picture that was asked about: its card, and the names by which a wrong verdict is corrected.

import { element } from "../common/elements.js";
import { spoken } from "../common/words.js";
import { announce, button, keepFocus, nameField, ownPicture } from "../dom.js";
import { describe } from "../verdict.js";

const SUGGESTED = 4;

export class Asked {
  verdict = null;
  problem = ""; // why there is no verdict
  isWaiting = true;
  isStale = false; // the memory has changed since
  added = ""; // the class that it was added to
  event = null; // by which
  kept = false;
  #offered = "";
  #isDrawn = false;

  // `ways`: mayWrite(), classes() and what to do: onCorrect(asked, name), onAskAgain([asked]).
  constructor(file, ways) {
    Object.assign(this, { file, ways });
    this.row = element("li", { class: "asked" });
  }

  get isUnknown() {
    return Boolean(this.verdict?.unknown);
  }

  // What is far down the page is drawn when it comes near; until then its place is kept.
  draw() {
    if (this.#isDrawn) return;
    this.#isDrawn = true;
    this.told = element("div");
    this.row.replaceChildren(element("div", { class: "picture" }, ownPicture(this.file)),
      element("div", {}, element("h3", { title: this.file.name }, this.file.name), this.told));
    this.#show();
  }

  settle(verdict) {
    const isFirst = this.verdict === null;
    Object.assign(this, { verdict, problem: "", isWaiting: false, isStale: false });
    this.#show();
    if (isFirst) announce(spoken(this.file.name, verdict));
  }

  refuse(problem, { isWaiting = false } = {}) {
    Object.assign(this, { problem, isWaiting });
    if (!this.verdict) this.#show();
  }

  markAdded(name, event = null) {
    Object.assign(this, { added: name, event });
    if (this.verdict) this.showCorrection();
  }

  #show() {
    this.row.className = this.verdict ? (this.isUnknown ? "asked unknown" : "asked known") : this.problem && !this.isWaiting ? "asked unreadable" : "asked";
    if (!this.#isDrawn) return;
    if (!this.verdict) return this.#showProblem();
    const told = element("div", { class: "verdict" }, describe(this.verdict));
    if (this.told.firstElementChild?.matches(".verdict")) this.told.firstElementChild.replaceWith(told);
    else this.told.replaceChildren(told);
    this.showCorrection();
  }

  #showProblem() {
    this.told.replaceChildren(element("p", { class: this.problem ? "problem" : "quiet" }, this.problem || "Waiting"));
    if (this.problem && this.isWaiting) this.told.append(button("Ask again", () => this.ways.onAskAgain([this]), { class: "chip", "aria-label": `Ask again about ${this.file.name}` }));
  }

  // Names to press stay as they are while nothing about them changes: somebody may be about to press one.
  showCorrection() {
    if (!this.#isDrawn || !this.verdict || !this.ways.mayWrite()) return;
    const offered = JSON.stringify([this.added, this.#suggested(), this.ways.classes()]);
    if (this.#offered === offered) return;
    this.#offered = offered;
    const shown = this.added ? element("p", { class: "small added", tabindex: -1 }, `Added to ${this.added}`) : this.#correction();
    const before = this.told.children[1];
    if (!before) return this.told.append(shown);
    const typed = before.querySelector("input")?.value;
    if (typed && !this.added) shown.querySelector("input").value = typed;
    keepFocus(this.told, () => before.replaceWith(shown));
  }

  #suggested() {
    const { unknown, top_labels: labels, names } = this.verdict;
    return [...new Set(unknown ? [...labels.slice(0, 2), ...names] : labels.slice(1))].slice(0, SUGGESTED);
  }

  // One press on a name, or a name of one's own.
  #correction() {
    const { label, unknown } = this.verdict;
    const add = (name) => this.ways.onCorrect(this, name);
    const known = this.ways.classes();
    const chips = this.#suggested().map((name) => button(known.includes(name) ? name : `${name} (new)`, () => add(name), { class: "chip", "aria-label": `It is ${name}` }));
    const { field, required } = nameField({ label: "It is another class", names: known, placeholder: "another name", onenter: add });
    const go = button("Add", () => {
      const name = required("Type what is on the picture, then press Add.");
      if (name) add(name);
    }, { class: "chip" });
    const right = !unknown && button("Right", () => add(label), { class: "chip", title: `Keep it as an example of ${label}` });
    return element("div", { class: "correction", role: "group", "aria-label": `Correct the verdict on ${this.file.name}` },
      element("span", { class: "quiet small" }, unknown ? "It is …" : "Wrong? It is …"), chips, element("span", { class: "own-name" }, field, go), right);
  }
}
