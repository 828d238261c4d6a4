// Review: groups of pictures that look like something new, and what becomes of them.

import { call, formOf, get, parts } from "../api.js";
import { element } from "../common/elements.js";
import { complain, decide, tellChanged } from "../decisions.js";
import { button, empty, newId } from "../dom.js";
import { groupSize, groupSizes, keepGroupSize } from "../grouping.js";
import { work } from "../jobs.js";
import { offer, progressBar } from "../pictures.js";
import { toast } from "../toast.js";
import { counted, READ_ONLY, UNKNOWN_NEEDS } from "../words.js";
import { Board } from "./board.js";

const LOOSE = 120;

export class ReviewView {
  title = "Review";
  #grouping = null; // the bar of grouping that goes on

  constructor({ state }) {
    this.state = state;
    this.told = element("p", { class: "quiet" });
    this.work = element("div");
    this.input = element("div");
    this.grouping = element("section", { class: "grouping", "aria-label": "Grouping", hidden: true });
    this.board = new Board({ onDecision: (text, ...requests) => this.#decide(text, ...requests), mayWrite: () => Boolean(state()?.may_write) });
    this.root = element("div", {}, element("div", { class: "head" }, element("h1", {}, "Review"), this.told), this.input, this.work, this.grouping, this.board.root);
    this.#makeGrouping();
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
    const { fitted, detects_unknown: detects, may_write: mayWrite } = this.state() ?? {};
    offer(this.input, Boolean(mayWrite && fitted && detects), {
      title: "Drop unlabelled pictures here to look for new classes", folders: true, scope: this.scope.signal,
      hint: "Those that are unusual for every known class are kept, and grouped once several are alike.",
      onPictures: (pictures) => this.#observe(pictures.map((one) => one.file)),
    });
    if (!fitted) {
      this.told.textContent = "There is nothing to review: give it pictures of at least two classes first.";
      return;
    }
    try {
      const [found, known] = await Promise.all([get(`/v1/proposals?loose=${LOOSE}`), get("/v1/classes?exemplars=1")]);
      this.told.textContent = [summary(found), !detects && `It can't find what is new yet. ${UNKNOWN_NEEDS}`, !mayWrite && READ_ONLY].filter(Boolean).join(" ");
      this.#showGrouping(found);
      this.board.show(found, known.classes);
    } catch (error) {
      complain(error);
    }
  }

  // How many alike pictures a group needs, and a way to group all that waits anew.
  #makeGrouping() {
    const id = newId("size");
    this.size = element("select", { id, onchange: () => keepGroupSize(this.size.value) });
    this.again = button("Group again", () => this.#groupAgain());
    this.advice = element("div", { class: "advice", hidden: true });
    this.found = element("ul", { class: "found", role: "status" });
    this.grouping.append(
      this.found,
      this.advice,
      element("div", { class: "regroup" }, element("label", { for: id }, "A group needs"), this.size, element("span", {}, "alike pictures."), this.again),
      element("details", { class: "small" }, element("summary", {}, "How groups are made"),
        element("p", {}, "Pictures that look alike, and unlike every class that it knows, make a group. Copies of one picture count once. Groups of fewer pictures are found more easily, but are more often chance."),
        element("p", {}, "“Holds together” says how surely the same group is found when some pictures are left out. “Far from” a class: hardly any picture of the group could be of it; “not far from” a class: look whether the group isn't more of that class. “Group again” sorts all waiting pictures anew; groups that you split, merged, named or changed stay as they are.")));
  }

  #showGrouping({ proposals, n_loose: loose }) {
    const { may_write: mayWrite, detects_unknown: detects } = this.state();
    const waiting = loose + proposals.reduce((sum, one) => sum + one.pictures.length, 0);
    this.grouping.hidden = !(mayWrite && detects && waiting);
    const size = groupSize(this.state());
    this.size.replaceChildren(...groupSizes(this.state()).map((n) => element("option", { value: n, selected: n === size }, n)));
    this.advice.hidden = proposals.length > 0;
    this.advice.replaceChildren(
      element("h2", {}, "No group has formed"),
      element("p", {}, `A group needs at least ${counted(size, "picture")} that are alike. What you can do:`),
      element("ul", {},
        element("li", {}, "Let smaller groups form: choose a smaller number, and press “Group again”."),
        element("li", {}, "Pick pictures below that show the same thing, and make a class of them: two or three are enough to begin with."),
        element("li", {}, "Drop more pictures of the same things above.")));
  }

  // What was found of the groups holds until one of them is decided about.
  #decide(text, ...requests) {
    empty(this.found);
    return decide(text, ...requests.map((request) => () => request().catch((error) => {
      if (error.isConflict) error.message = this.board.asNumberedHere(error.message);
      throw error;
    })));
  }

  // What the latest grouping says beyond its groups.
  #showFound({ number, leaning = [] }) {
    const likely = number && `Likely ${number[0] === number[1] ? counted(number[0], "new class", "new classes") : `${number[0]} to ${number[1]} new classes`} among the pictures looked at.`;
    const apart = leaning.map(({ known_class: name, paths, of }) => `Near ${name}: ${paths.length} of ${counted(of, "picture")} lean apart, perhaps a class that resembles it.`);
    this.found.replaceChildren(...[likely, ...apart].filter(Boolean).map((text) => element("li", {}, text)));
  }

  async #groupAgain() {
    if (this.#grouping) return;
    const bar = progressBar("Grouping the pictures that wait", { measured: false });
    this.#grouping = bar;
    this.again.disabled = true;
    this.work.replaceChildren(bar.shown);
    try {
      const job = await work("discover", { signal: bar.signal, min_images: groupSize(this.state()) });
      if (job.state !== "done") throw new Error(job.error ?? "Grouping was cancelled.");
      this.#showFound(job.result);
      toast(grouped(job.result, groupSize(this.state())));
    } catch (error) {
      if (bar.signal.aborted) toast("Grouping was cancelled.");
      else complain(error);
    }
    this.#grouping = null;
    this.again.disabled = false;
    empty(this.work);
    tellChanged();
  }

  async #observe(files) {
    const bar = progressBar("Looking at pictures");
    this.work.replaceChildren(bar.shown);
    let done = 0, kept = 0, unlike = 0, unreadable = 0, told = null;
    try {
      for (const part of parts(files)) {
        told = await call("POST", "/v1/observe", { form: formOf(part, { min_images: groupSize(this.state()) }), signal: bar.signal });
        done += part.length;
        kept += told.observed.candidates;
        unlike += told.predictions.filter((one) => one.unknown).length;
        unreadable += told.skipped.length;
        bar.show(done, files.length);
      }
    } catch (error) {
      complain(error);
    }
    empty(this.work);
    if (told) {
      this.#showFound(told.observed);
      toast(`${counted(done, "picture")} looked at: ${kept} kept for grouping, ${unlike} of them unlike every known class${unreadable ? `; ${unreadable} cannot be read` : ""}.`);
    } else if (bar.signal.aborted) toast("Cancelled: no picture was looked at.");
    tellChanged();
  }
}

function summary({ proposals, n_loose: loose }) {
  const groups = proposals.length ? `${counted(proposals.length, "group")} of pictures ${proposals.length === 1 ? "looks" : "look"} like something new.` : "No group of pictures waits for a decision.";
  return loose ? `${groups} ${counted(loose, "picture")} ${loose === 1 ? "is" : "are"} in no group.` : groups;
}

function grouped({ proposals, waiting, drift }, size) {
  if (proposals.length) return `${counted(proposals.length, "group")} of alike pictures; ${counted(waiting, "picture")} wait in all.`;
  const why = drift.all_alike ? "Nearly all pictures are alike: if they show one new thing, pick them and make a class of them"
    : drift.found ? "Nearly all pictures look unlike the known classes: another camera may have taken them, or they all show new things. Pictures of known things among them would tell" : `There are no ${size} alike among the ${counted(waiting, "picture")} that wait`;
  return `No group has formed. ${why}.`;
}
