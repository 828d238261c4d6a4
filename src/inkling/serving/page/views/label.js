// Label next: unlabelled pictures one after another, the most useful first, each with one key.

import { call, get, parts, post, predict } from "../api.js";
import { element } from "../common/elements.js";
import { percent } from "../common/words.js";
import { complain, decide } from "../decisions.js";
import { announce, button, empty, keepFocus, nameField, ownPicture, stored } from "../dom.js";
import { offer, progressBar } from "../pictures.js";
import { correct } from "../examples.js";
import { margin, settle } from "../verdict.js";
import { counted, READ_ONLY } from "../words.js";

const KEYS = 9;
const FROM_POOL = 100;
const SMALL = 96; // pixels of the longer side of what a memory keeps

export class LabelView {
  title = "Label next";
  #classes = [];
  #own = []; // dropped here: {file, verdict}
  #pool = []; // waiting in the memory
  #later = new Set();
  #labelling = false;

  constructor({ state }) {
    this.state = state;
    this.told = element("p", { class: "quiet" });
    this.stage = element("section", { class: "stage", "aria-live": "polite", "aria-label": "Picture to label" });
    this.small = element("p", { class: "quiet small", hidden: true }, "This is the small copy that the memory keeps: the service has no larger one of this picture, as when it was started again since the picture was sent.");
    this.work = element("div");
    this.input = element("div");
    this.root = element("div", {}, element("div", { class: "head" }, element("h1", {}, "Label next"), this.told), this.stage, this.work, this.input);
  }

  enter() {
    this.scope = new AbortController();
    document.addEventListener("keydown", (event) => this.#key(event), { signal: this.scope.signal });
    this.input.replaceChildren();
    return this.memoryChanged();
  }

  leave() {
    this.scope.abort();
  }

  async memoryChanged() {
    offer(this.input, Boolean(this.state()?.may_write && this.state().fitted), {
      title: "Drop unlabelled pictures here", folders: true, scope: this.scope.signal,
      hint: "They come in the order in which a label helps most. Of those that you drop here, only the ones that you label are kept; of those that wait under Review, the memory keeps a small copy, and the service a larger one until it ends.",
      onPictures: (pictures) => this.#take(pictures.map((one) => one.file)),
    });
    if (!this.state()?.fitted) {
      this.told.textContent = "Give it pictures of at least two classes first; then it can say which pictures to label next.";
      this.stage.replaceChildren();
      return;
    }
    if (!this.told.textContent) this.told.textContent = "Looking for the pictures that help most";
    try {
      const [known, next] = await Promise.all([get("/v1/classes?exemplars=0"), get(`/v1/next?most=${FROM_POOL}`)]);
      [this.#classes, this.#pool] = [known.classes, next.order];
      this.#show();
    } catch (error) {
      complain(error);
    }
  }

  async #take(files) {
    const entries = files.map((file) => ({ file, verdict: null }));
    const bar = progressBar("Looking at pictures");
    this.work.replaceChildren(bar.shown);
    let done = 0;
    try {
      for (const group of parts(files)) {
        const some = entries.slice(done, done + group.length);
        const told = await predict(group, { signal: bar.signal });
        settle(some, told, (one, verdict) => Object.assign(one, { verdict }), () => {});
        done += group.length;
        bar.show(done, files.length);
      }
    } catch (error) {
      complain(error);
    }
    empty(this.work);
    this.#own.push(...entries.filter((one) => one.verdict));
    this.#show();
  }

  // Own pictures first: those whose two likeliest classes are nearest to each other, and those that are unknown.
  #queue() {
    const own = this.#own.toSorted((a, b) => margin(a.verdict) - margin(b.verdict));
    const all = [...own, ...this.#pool];
    return [...all.filter((one) => !this.#later.has(key(one))), ...all.filter((one) => this.#later.has(key(one)))];
  }

  #show() {
    const queue = this.#queue();
    const [first] = queue;
    const mayWrite = Boolean(this.state()?.may_write);
    if (!mayWrite) this.told.textContent = `${counted(queue.length, "picture")} without a label. ${READ_ONLY}`;
    else this.told.textContent = first ? `${counted(queue.length, "picture")} without a label, the most useful first.` : "No picture waits for a label. Drop some below, or keep unknown ones under Ask.";
    if (!first || !mayWrite) return empty(this.stage);
    const likely = first.verdict?.top_labels ?? [first.label, first.second];
    const names = [...new Set([...likely, ...this.#classes.map((one) => one.name)])].filter((name) => this.#classes.some((one) => one.name === name)).slice(0, KEYS);
    this.shownNames = names;
    const choices = names.map((name, at) => button("", () => this.#label(first, name), { class: "choice", "aria-keyshortcuts": at + 1 }));
    choices.forEach((one, at) => one.append(element("kbd", {}, at + 1), names[at]));
    const others = this.#classes.map((one) => one.name);
    this.small.hidden = true;
    const { field } = nameField({ label: "Another class", names: others, placeholder: first.file ? "another class, or a new one" : "another class", onenter: (name) => this.#label(first, name) });
    const later = button("Later ", () => this.#skip(first), { class: "plain", "aria-keyshortcuts": "0" });
    later.append(element("kbd", {}, "0"));
    keepFocus(this.stage, () => this.stage.replaceChildren(
      element("div", { class: "large" }, first.file ? ownPicture(first.file) : this.#waiting(first)),
      element("div", { class: "choices" },
        element("p", {}, why(first)),
        element("div", { class: "keys", role: "group", "aria-label": "Classes" }, choices), field, later), this.small), () => choices[0]);
  }

  // The small picture at once, and one that is large enough to label by as soon as it is there.
  #waiting(one) {
    const shown = stored(one);
    this.small.hidden = true;
    call("GET", `/v1/images/${one.id}/larger`, { as: "blob", signed: true }).then((blob) => {
      const address = URL.createObjectURL(blob);
      shown.addEventListener("load", () => {
        URL.revokeObjectURL(address);
        this.small.hidden = !shown.isConnected || Math.max(shown.naturalWidth, shown.naturalHeight) > SMALL;
      }, { once: true });
      shown.src = address;
    }).catch(() => {}); // the small one stays
    return shown;
  }

  #skip(one) {
    this.#later.delete(key(one));
    this.#later.add(key(one));
    this.#show();
  }

  async #label(one, name) {
    if (this.#labelling) return;
    this.#labelling = true;
    this.stage.setAttribute("aria-busy", "true");
    const known = this.#classes.some((each) => each.name === name);
    if (!known && !one.file) {
      complain(new Error(`There is no class “${name}” yet. Add it under Classes, or accept its group under Review.`));
    } else {
      const done = await decide(`Labelled as “${name}”.`, () => (one.file ? correct(this.#classes, name, one.file, one.verdict.id) : post(`/v1/images/${one.id}/move`, { to: name })));
      if (done) {
        // At once: until the service has told what waits now, the next key must not label the same picture again.
        [this.#own, this.#pool] = [this.#own, this.#pool].map((some) => some.filter((each) => key(each) !== key(one)));
        announce(`Labelled as ${name}`);
      }
    }
    this.#labelling = false;
    this.stage.removeAttribute("aria-busy");
    this.#show();
  }

  #key(event) {
    if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    const [first] = this.#queue();
    if (!first || !/^[0-9]$/.test(event.key) || !this.state()?.may_write) return;
    const name = this.shownNames?.[Number(event.key) - 1];
    if (event.key === "0") this.#skip(first);
    else if (name) this.#label(first, name);
  }
}

const key = (one) => one.file ?? one.id;

function why(one) {
  if (!one.verdict) return ofPool(one.reason);
  const { label, probability, unknown, top_labels: labels } = one.verdict;
  if (unknown) return "Unlike every class it knows.";
  return `${label} (${percent(probability)})${labels[1] ? ` or ${labels[1]}` : ""}?`;
}

// The service's reason, as this page writes numbers and names.
function ofPool(reason) {
  const [, likely, n] = reason.match(/^(.*), typical of (\d+) such$/) ?? [null, reason, 0];
  const others = n > 1 ? ` ${n} pictures that wait are like this; one label helps with all.` : "";
  return `${likely.replace(/\((\d+)%\)/g, (_, n) => `(${percent(n / 100)})`)}.${others}`;
}
