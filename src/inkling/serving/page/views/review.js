// Review: groups of pictures that look like something new, and what becomes of them.

import { call, formOf, get, parts, post } from "../api.js";
import { element } from "../common/elements.js";
import { complain, decide, tellChanged } from "../decisions.js";
import { announce, empty } from "../dom.js";
import { offer, progressBar } from "../pictures.js";
import { toast } from "../toast.js";
import { counted } from "../words.js";
import { Board } from "./board.js";

const LOOSE = 120;

export class ReviewView {
  title = "Review";

  constructor({ state }) {
    this.state = state;
    this.told = element("p", { class: "quiet" });
    this.work = element("div");
    this.input = element("div");
    this.board = new Board({ onDecision: (text, ...requests) => this.#decide(text, requests), mayWrite: () => Boolean(state()?.may_write) });
    this.root = element("div", {}, element("div", { class: "head" }, element("h1", {}, "Review"), this.told), this.input, this.work, this.board.root);
  }

  enter() {
    this.scope = new AbortController();
    this.input.replaceChildren();
    return this.memoryChanged();
  }

  leave() {
    this.scope.abort();
  }

  async memoryChanged() {
    offer(this.input, Boolean(this.state()?.may_write && this.state().fitted), {
      title: "Drop unlabelled pictures here to look for new classes", folders: true, scope: this.scope.signal,
      hint: "What is unlike every known class is kept, and grouped once several are alike.",
      onPictures: ({ pictures }) => this.#observe(pictures.map((one) => one.file)),
    });
    if (!this.state()?.fitted) {
      this.told.textContent = "There is nothing to review: give it pictures of at least two classes first.";
      return;
    }
    try {
      const [found, known] = await Promise.all([get(`/v1/proposals?loose=${LOOSE}`), get("/v1/classes?exemplars=1")]);
      this.told.textContent = summary(found);
      this.board.show(found, known.classes);
    } catch (error) {
      complain(error);
    }
  }

  #decide(text, requests) {
    return decide(text, ...requests);
  }

  async #observe(files) {
    if (!files.length) return toast("There is no picture among those files.", { problem: true });
    const bar = progressBar("Looking at pictures");
    this.work.replaceChildren(bar.shown);
    let done = 0, candidates = 0, unreadable = 0;
    try {
      for (const part of parts(files)) {
        const told = await call("POST", "/v1/observe", { form: formOf(part), signal: bar.signal });
        done += part.length;
        candidates += told.predictions.filter((one) => one.unknown).length;
        unreadable += told.skipped.length;
        bar.show(done, files.length);
      }
    } catch (error) {
      complain(error);
    }
    empty(this.work);
    const told = `${counted(done, "picture")} looked at, ${candidates} unlike every known class${unreadable ? `, ${unreadable} unreadable` : ""}.`;
    toast(told);
    announce(told);
    tellChanged();
  }
}

function summary({ proposals, n_loose: loose }) {
  const groups = proposals.length ? `${counted(proposals.length, "group")} of pictures ${proposals.length === 1 ? "looks" : "look"} like something new.` : "No group of pictures waits for a decision.";
  return loose ? `${groups} ${counted(loose, "picture")} ${loose === 1 ? "is" : "are"} in no group.` : groups;
}
