// Ask: what is in a picture. Nothing is kept unless somebody says that a verdict is wrong, or keeps what is unknown.

import { call, formOf, get, parts, predict } from "../api.js";
import { element } from "../common/elements.js";
import { complain, decide, history, tellChanged } from "../decisions.js";
import { button, empty, keepFocus } from "../dom.js";
import { correct } from "../examples.js";
import { groupSize } from "../grouping.js";
import { inlet, progressBar } from "../pictures.js";
import { csvOf, save } from "../saved.js";
import { toast } from "../toast.js";
import { settle } from "../verdict.js";
import { counted, UNKNOWN_NEEDS } from "../words.js";
import { Asked } from "./asked.js";
import { Filming } from "./filming.js";
import { Tally } from "./tally.js";

const NEAREST = 4;
const ASKED_AGAIN = 48;
const DRAWN_AT_ONCE = 24;
const NEAR = "800px"; // cards so far below what is seen are drawn
const NOT_ASKED = "Not asked: it was cancelled, or the service did not answer.";

export class AskView {
  title = "Ask";
  #entries = []; // the latest pictures first
  #classes = [];
  #queue = Promise.resolve();
  #startCamera;

  constructor({ state }) {
    this.state = state;
    this.list = element("ol", { class: "verdicts" });
    this.near = new IntersectionObserver((seen) => {
      for (const { target } of seen.filter((one) => one.isIntersecting)) this.#draw(target);
    }, { rootMargin: NEAR });
    this.byRow = new WeakMap();
    this.ways = {
      mayWrite: () => Boolean(this.state()?.may_write),
      classes: () => this.#classes.map((one) => one.name),
      onCorrect: (asked, name) => this.#correct(asked, name),
      onAskAgain: (some) => this.#judge(some),
    };
    this.keepUnknown = button("", () => this.#keepUnknown(), { class: "plain", hidden: true });
    this.askAgain = button("", () => this.#judge(this.#notAsked()), { class: "plain", hidden: true });
    this.tally = new Tally({ onChange: () => this.#showList() });
    this.results = element("section", { "aria-labelledby": "results-title", hidden: true },
      element("div", { class: "bar-of-tools" }, element("h2", { id: "results-title" }, "Verdicts"), this.askAgain, this.keepUnknown,
        button("Save as CSV", () => save(this.#table(), "verdicts.csv", "text/csv"), { class: "plain" }),
        button("Save as JSON lines", () => save(this.#lines(), "verdicts.jsonl", "application/x-ndjson"), { class: "plain" }),
        button("Clear", () => this.#clear(), { class: "plain" })),
      this.tally.root, this.list);
    this.work = element("div");
    this.input = element("section", { "aria-label": "Pictures" });
    this.filming = new Filming({ onKeep: (file) => this.#add([{ file }]), onEnd: () => this.#startCamera.focus() });
    this.#startCamera = button("Use the camera", () => this.filming.start(this.input));
    this.known = element("p", { class: "quiet" });
    this.limits = element("p", { class: "small limits", hidden: true }, `It can't recognise pictures of other things yet: each gets one of the classes that it knows. ${UNKNOWN_NEEDS}`);
    this.root = element("div", {}, element("div", { class: "head" }, element("h1", {}, "What is in the picture?"), this.known, this.limits),
      this.input, this.filming.root, this.work, this.results);
  }

  enter() {
    this.scope = new AbortController();
    this.input.replaceChildren(
      inlet({
        title: "Drop pictures here, or paste one", extra: [this.#startCamera], scope: this.scope.signal,
        hint: "They go to this service alone. It keeps none of them unless you say so.",
        onPictures: (pictures) => this.#add(pictures),
      }),
    );
    this.memoryChanged();
  }

  leave() {
    this.scope.abort();
    this.filming.stop();
  }

  async memoryChanged() {
    const { fitted, classes, detects_unknown: detects } = this.state() ?? {};
    try {
      this.#classes = classes ? (await get("/v1/classes?exemplars=0")).classes : [];
      await this.#forgetTakenBack();
    } catch (error) {
      return complain(error);
    }
    const names = this.#classes.map((one) => one.name);
    const shown = names.length > 12 ? `${names.slice(0, 12).join(", ")} and ${names.length - 12} others` : names.join(", ");
    this.known.replaceChildren(
      ...(fitted ? [`It knows ${counted(names.length, "class", "classes")}: ${shown}.`]
        : ["It knows nothing yet. ", element("a", { href: "#classes" }, "Give it pictures"), " of at least two classes first."]),
    );
    this.limits.hidden = !fitted || detects;
    const settled = this.#entries.filter((one) => one.verdict);
    for (const one of settled.slice(ASKED_AGAIN)) one.isStale = true;
    if (settled.length) this.#judge(settled.slice(0, ASKED_AGAIN));
  }

  #add(pictures) {
    const entries = pictures.map(({ file }) => new Asked(file, this.ways));
    for (const one of entries) this.byRow.set(one.row, one);
    this.#entries.unshift(...entries);
    this.#showList();
    this.#judge(entries);
  }

  // The list as it is filtered and ordered; what is far down is drawn when it comes near.
  #showList() {
    this.results.hidden = !this.#entries.length;
    this.tally.show(this.#entries);
    const shown = this.tally.of(this.#entries);
    shown.slice(0, DRAWN_AT_ONCE).forEach((one) => one.draw());
    const rows = shown.map((one) => one.row);
    const isSame = rows.length === this.list.children.length && rows.every((row, at) => row === this.list.children[at]);
    if (!isSame) keepFocus(this.list, () => this.list.replaceChildren(...rows));
    this.near.disconnect();
    for (const row of rows.filter((one) => !one.firstElementChild)) this.near.observe(row);
    this.#showTools();
  }

  #draw(row) {
    this.near.unobserve(row);
    this.byRow.get(row)?.draw();
  }

  #judge(entries) {
    this.#queue = this.#queue.then(() => this.#judged(entries));
  }

  async #judged(entries) {
    const byFile = new Map(entries.map((one) => [one.file, one]));
    const groups = parts(entries.map((one) => one.file), { most: 8 });
    const bar = groups.length > 2 ? progressBar("Asking") : null;
    if (bar) this.work.replaceChildren(bar.shown);
    let done = 0;
    try {
      for (const group of groups) {
        const some = group.map((file) => byFile.get(file)).filter((one) => this.#entries.includes(one));
        if (some.length) await this.#ask(some, bar?.signal);
        done += group.length;
        bar?.show(done, entries.length);
        this.tally.show(this.#entries);
      }
    } catch (error) {
      if (error.name !== "AbortError") complain(error);
      const why = error.name === "AbortError" || !error.status ? NOT_ASKED : `Not asked: ${error.message}`;
      for (const one of entries) if (!one.verdict && one.isWaiting) one.refuse(why, { isWaiting: true });
    }
    empty(this.work);
    this.#showList();
  }

  async #ask(entries, signal) {
    let told;
    try {
      told = await predict(entries.map((one) => one.file), { nearest: NEAREST, signal });
    } catch (error) {
      if (![413, 422, 400].includes(error.status)) throw error;
      if (entries.length > 1) {
        for (const one of entries) await this.#ask([one], signal); // one of them is to blame
        return;
      }
      entries[0].refuse(error.skipped.length ? unreadable(error.skipped[0].reason) : error.message);
      return;
    }
    settle(entries, told, (one, verdict) => one.settle(verdict), (one, why) => one.refuse(unreadable(why)));
  }

  async #correct(entry, name) {
    if (entry.added) return; // it is on its way
    entry.added = name;
    const done = await decide(`“${entry.file.name}” is now an example of “${name}”.`, () => correct(this.#classes, name, entry.file, entry.verdict.id));
    if (done) entry.markAdded(name, done[0].event);
    else entry.markAdded("");
  }

  // What was added may have been taken back meanwhile, by anybody.
  async #forgetTakenBack() {
    const added = this.#entries.filter((one) => one.event);
    if (!added.length) return;
    const undone = new Set((await history()).events.map((one) => one.undoes));
    for (const one of added.filter(({ event }) => undone.has(event))) one.markAdded("");
  }

  async #keepUnknown() {
    const entries = this.#unknown();
    for (const one of entries) one.kept = true;
    try {
      let open = 0;
      for (const part of parts(entries.map((one) => one.file))) {
        const told = await call("POST", "/v1/observe", { form: formOf(part, { min_images: groupSize(this.state()) }) });
        open = told.observed.proposals.length;
      }
      toast(`${counted(entries.length, "picture")} kept. ${open ? `${counted(open, "group")} to decide about.` : "They make no group yet."}`, { link: { href: "#review", text: "Review" } });
      tellChanged();
    } catch (error) {
      for (const one of entries) one.kept = false;
      complain(error);
    }
    this.#showTools();
  }

  #unknown() {
    return this.#entries.filter((one) => one.isUnknown && !one.kept && !one.added);
  }

  #notAsked() {
    return this.#entries.filter((one) => (!one.verdict && one.isWaiting && one.problem) || one.isStale);
  }

  #showTools() {
    const [unknown, missing] = [this.#unknown().length, this.#notAsked().length];
    keepFocus(this.results, () => {
      this.keepUnknown.hidden = !unknown || !this.state()?.may_write;
      this.askAgain.hidden = !missing;
    });
    this.keepUnknown.textContent = `Keep ${unknown === 1 ? "the unknown one" : `the ${unknown} unknown ones`} for review`;
    this.askAgain.textContent = `Ask again about ${counted(missing, "picture")}`;
  }

  #clear() {
    this.#entries = [];
    this.tally.clear();
    this.#showList();
    this.input.querySelector("input")?.focus();
  }

  #lines() {
    return this.#entries.filter((one) => one.verdict || one.problem)
      .map(({ file, verdict, problem }) => `${JSON.stringify(verdict ? { ...verdict, nearest: undefined } : { path: file.name, error: problem })}\n`).join("");
  }

  #table() {
    const columns = ["path", "label", "probability", "second", "second_probability", "unknown", "p_known", "names", "added_to", "error"];
    const rows = this.#entries.map(({ file, verdict, problem, added }) => {
      if (!verdict) return [file.name, "", "", "", "", "", "", "", "", problem];
      const { label, probability, top_labels: labels, top_probabilities: p, unknown, p_known: known, names } = verdict;
      return [file.name, label, probability, labels[1], p[1], unknown === null ? "" : String(unknown), known, names.join("; "), added, ""];
    });
    return csvOf(columns, rows);
  }
}

const unreadable = (why) => `This picture cannot be read: ${why}.`;
