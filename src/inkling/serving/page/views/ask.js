// Ask: what is in a picture. Nothing is kept unless somebody says that a verdict is wrong, or keeps what is unknown.

import { call, formOf, get, parts, predict } from "../api.js";
import { Camera } from "../common/camera.js";
import { element } from "../common/elements.js";
import { spoken } from "../common/words.js";
import { complain, decide, history, tellChanged } from "../decisions.js";
import { announce, button, empty, keepFocus, nameField, ownPicture } from "../dom.js";
import { correct } from "../examples.js";
import { inlet, progressBar } from "../pictures.js";
import { still } from "../still.js";
import { toast } from "../toast.js";
import { describe } from "../verdict.js";
import { counted } from "../words.js";

const NEAREST = 4;
const SUGGESTED = 4;
const ASKED_AGAIN = 48;

export class AskView {
  title = "Ask";
  #entries = []; // as shown, the latest pictures first: {file, row, verdict, problem, added, event}
  #classes = [];
  #queue = Promise.resolve();

  constructor({ state }) {
    this.state = state;
    this.list = element("ol", { class: "verdicts" });
    this.keepUnknown = button("", () => this.#keepUnknown(), { class: "plain", hidden: true });
    this.results = element("section", { "aria-labelledby": "results-title", hidden: true },
      element("div", { class: "bar-of-tools" }, element("h2", { id: "results-title" }, "Verdicts"), this.keepUnknown,
        button("Save as JSON lines", () => this.#save(), { class: "plain" }),
        button("Clear", () => this.#clear(), { class: "plain" })),
      this.list);
    this.work = element("div");
    this.input = element("section", { "aria-label": "Pictures" });
    this.filming = new Filming({ onKeep: (file) => this.#add([{ file }]), onEnd: () => this.#startCamera.focus() });
    this.#startCamera = button("Use the camera", () => this.filming.start(this.input));
    this.known = element("p", { class: "quiet" });
    this.root = element("div", {}, element("div", { class: "head" }, element("h1", {}, "What is in the picture?"), this.known),
      this.input, this.filming.root, this.work, this.results);
  }

  #startCamera;

  enter() {
    this.scope = new AbortController();
    this.input.replaceChildren(
      inlet({
        title: "Drop pictures here, or paste one", extra: [this.#startCamera], scope: this.scope.signal,
        hint: "They go to this service alone. It keeps none of them unless you say so.",
        onPictures: ({ pictures, leftOut }) => {
          if (leftOut) toast(`${counted(leftOut, "file")} left out: no picture, empty, or above 60 MB.`, { problem: !pictures.length });
          this.#add(pictures);
        },
      }),
    );
    this.memoryChanged();
  }

  leave() {
    this.scope.abort();
    this.filming.stop();
  }

  async memoryChanged() {
    try {
      this.#classes = this.state()?.classes ? (await get("/v1/classes?exemplars=0")).classes : [];
      await this.#forgetTakenBack();
    } catch (error) {
      return complain(error);
    }
    const names = this.#classes.map((one) => one.name);
    const shown = names.length > 12 ? `${names.slice(0, 12).join(", ")} and ${names.length - 12} others` : names.join(", ");
    this.known.replaceChildren(
      ...(this.state()?.fitted ? [`It knows ${counted(names.length, "class", "classes")}: ${shown}.`]
        : ["It knows nothing yet. ", element("a", { href: "#classes" }, "Give it pictures"), " of at least two classes first."]),
    );
    const settled = this.#entries.filter((one) => one.verdict).slice(0, ASKED_AGAIN);
    if (settled.length) this.#judge(settled);
  }

  #add(pictures) {
    const entries = pictures.map(({ file }) => {
      const entry = { file, verdict: null, problem: "", added: "" };
      entry.told = element("div", {}, element("p", { class: "quiet" }, "Waiting"));
      entry.row = element("li", {}, element("div", { class: "picture" }, ownPicture(file)),
        element("div", {}, element("h3", { title: file.name }, file.name), entry.told));
      return entry;
    });
    this.#entries.unshift(...entries);
    this.list.prepend(...entries.map((one) => one.row));
    this.results.hidden = !this.#entries.length;
    this.#judge(entries);
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
      }
    } catch (error) {
      if (error.name !== "AbortError") complain(error);
      for (const one of entries) if (!one.verdict && !one.problem) this.#refuse(one, "Not asked.");
    }
    empty(this.work);
    this.#showUnknown();
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
      this.#refuse(entries[0], error.message);
      return;
    }
    settle(entries, told, (one, verdict) => this.#settle(one, verdict), (one, why) => this.#refuse(one, `This picture cannot be read: ${why}.`));
  }

  #settle(entry, verdict) {
    const isNew = entry.verdict === null;
    entry.verdict = verdict;
    entry.row.className = verdict.unknown ? "unknown" : "known";
    const told = element("div", { class: "verdict" }, describe(verdict));
    if (isNew) entry.told.replaceChildren(told);
    else entry.told.firstElementChild.replaceWith(told);
    this.#showCorrection(entry);
    if (isNew) announce(spoken(entry.file.name, verdict));
  }

  // Names to press stay as they are while nothing about them changes: somebody may be about to press one.
  #showCorrection(entry) {
    if (!this.state()?.may_write) return;
    const offered = JSON.stringify([entry.added, this.#suggested(entry.verdict), this.#classes.map((one) => one.name)]);
    if (entry.offered === offered) return;
    entry.offered = offered;
    const shown = entry.added ? element("p", { class: "small added", tabindex: -1 }, `Added to ${entry.added}`) : this.#correction(entry);
    const before = entry.told.children[1];
    if (!before) return entry.told.append(shown);
    const typed = before.querySelector("input")?.value;
    if (typed && !entry.added) shown.querySelector("input").value = typed;
    keepFocus(entry.told, () => before.replaceWith(shown));
  }

  #suggested(verdict) {
    const names = verdict.unknown ? [...verdict.top_labels.slice(0, 2), ...verdict.names] : verdict.top_labels.slice(1);
    return [...new Set(names)].slice(0, SUGGESTED);
  }

  #refuse(entry, problem) {
    entry.problem = problem;
    entry.row.className = "unreadable";
    entry.told.replaceChildren(element("p", { class: "problem" }, problem));
  }

  // One click on a name, or a name of one's own.
  #correction(entry) {
    const { verdict } = entry;
    const add = (name) => this.#correct(entry, name);
    const names = this.#suggested(verdict);
    const known = new Set(this.#classes.map((one) => one.name));
    const chips = names.map((name) => button(known.has(name) ? name : `${name} (new)`, () => add(name), { class: "chip", "aria-label": `It is ${name}` }));
    const { field, input } = nameField({ label: "It is another class", names: [...known], placeholder: "another name", onenter: add });
    const go = button("Add", () => input.value.trim() && add(input.value.trim()), { class: "chip" });
    const right = !verdict.unknown && button("Right", () => add(verdict.label), { class: "chip", title: `Keep it as an example of ${verdict.label}` });
    return element("div", { class: "correction", role: "group", "aria-label": `Correct the verdict on ${entry.file.name}` },
      element("span", { class: "quiet small" }, verdict.unknown ? "It is …" : "Wrong? It is …"), chips, element("span", { class: "own-name" }, field, go), right);
  }

  async #correct(entry, name) {
    if (entry.added) return; // it is on its way
    entry.added = name;
    const done = await decide(`“${entry.file.name}” is now an example of “${name}”.`, () => correct(this.#classes, name, entry.file, entry.verdict.id));
    if (done) entry.event = done[0].event;
    else entry.added = "";
    this.#showCorrection(entry);
  }

  // What was added may have been taken back meanwhile, by anybody.
  async #forgetTakenBack() {
    const added = this.#entries.filter((one) => one.event);
    if (!added.length) return;
    const undone = new Set((await history()).events.map((one) => one.undoes));
    for (const one of added.filter(({ event }) => undone.has(event))) Object.assign(one, { added: "", event: null });
  }

  async #keepUnknown() {
    const entries = this.#unknown();
    for (const one of entries) one.kept = true;
    try {
      let open = 0;
      for (const part of parts(entries.map((one) => one.file))) {
        const told = await call("POST", "/v1/observe", { form: formOf(part) });
        open = told.observed.proposals.length;
      }
      toast(`${counted(entries.length, "picture")} kept. ${open ? `${counted(open, "group")} to decide about.` : "They make no group yet."}`, { link: { href: "#review", text: "Review" } });
      tellChanged();
    } catch (error) {
      for (const one of entries) one.kept = false;
      complain(error);
    }
    this.#showUnknown();
  }

  #unknown() {
    return this.#entries.filter((one) => one.verdict?.unknown && !one.kept && !one.added);
  }

  #showUnknown() {
    const n = this.#unknown().length;
    keepFocus(this.results, () => {
      this.keepUnknown.hidden = !n || !this.state()?.may_write;
    });
    this.keepUnknown.textContent = `Keep ${n === 1 ? "the unknown one" : `the ${n} unknown ones`} for review`;
  }

  #clear() {
    this.#entries = [];
    this.list.replaceChildren();
    this.results.hidden = true;
    this.input.querySelector("input")?.focus();
  }

  #save() {
    const lines = this.#entries.filter((one) => one.verdict || one.problem)
      .map(({ file, verdict, problem }) => `${JSON.stringify(verdict ? { ...verdict, nearest: undefined } : { path: file.name, error: problem })}\n`);
    const address = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
    element("a", { href: address, download: "verdicts.jsonl" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }
}

// The answers come in the order of the files, without those that were skipped.
export function settle(entries, told, settled, refused) {
  const skipped = [...told.skipped];
  const predictions = [...told.predictions];
  for (const entry of entries) {
    const isSkipped = skipped[0]?.path === entry.file.name && predictions[0]?.path !== entry.file.name;
    if (isSkipped || !predictions.length) refused(entry, skipped.shift()?.reason ?? "it was left out");
    else settled(entry, predictions.shift());
  }
}

// The camera with its verdict beside it.
class Filming {
  constructor({ onKeep, onEnd }) {
    this.video = element("video", { playsinline: true, "aria-label": "What the camera sees" });
    this.video.muted = true;
    this.live = element("div", { class: "verdict" });
    this.rate = element("p", { class: "quiet small rate" });
    this.stopButton = button("Stop", () => this.camera.stop());
    const keep = button("Keep this one", async () => onKeep(await still(this.video, `camera ${new Date().toLocaleTimeString("en-GB")}.jpg`)), { class: "primary" });
    this.root = element("section", { class: "camera", "aria-label": "Camera", hidden: true },
      element("div", { class: "view" }, this.video, element("div", { class: "on-view" }, keep, this.stopButton)), this.live, this.rate);
    this.camera = new Camera(this.video, {
      onFrame: async () => this.#judge(await still(this.video, "camera.jpg")),
      onStop: (problem) => {
        const hadFocus = this.root.contains(document.activeElement);
        this.root.hidden = true;
        this.input.hidden = false;
        if (problem) toast(problem, { problem: true });
        if (hadFocus) onEnd();
      },
    });
  }

  async start(input) {
    this.input = input;
    this.times = [];
    this.heard = "";
    this.live.replaceChildren();
    this.rate.textContent = "";
    this.root.hidden = false;
    this.input.hidden = true;
    this.stopButton.focus();
    try {
      await this.camera.start();
    } catch (error) {
      this.camera.stop(error.message);
      this.root.hidden = true;
      this.input.hidden = false;
      toast(error.message, { problem: true });
    }
  }

  stop() {
    this.camera.stop();
  }

  async #judge(file) {
    const verdict = (await predict([file], { top: 4 })).predictions[0];
    this.live.replaceChildren(...describe(verdict, { nearest: false }));
    this.live.classList.toggle("unknown", Boolean(verdict.unknown));
    const what = verdict.unknown ? "unknown" : verdict.label;
    if (what !== this.heard) announce(spoken("Camera", verdict));
    this.heard = what;
    this.times = [...this.times.slice(-10), performance.now()];
    const { times } = this;
    if (times.length > 2) this.rate.textContent = `${((1000 * (times.length - 1)) / (times.at(-1) - times[0])).toFixed(1)} verdicts a second`;
  }
}
