// Check: how well it does on pictures with labels that it never saw.

import { call, formOf, parts } from "../api.js";
import { element } from "../common/elements.js";
import { complain } from "../decisions.js";
import { announce, empty } from "../dom.js";
import { work } from "../jobs.js";
import { offer, progressBar } from "../pictures.js";
import { toast } from "../toast.js";
import { counted, listed } from "../words.js";
import { figuresOfCheck } from "./figures.js";

export class CheckView {
  title = "Check";

  constructor({ state }) {
    this.state = state;
    this.told = element("p", { class: "quiet" });
    this.work = element("div");
    this.input = element("div");
    this.result = element("section", { class: "checked", "aria-label": "Result", hidden: true });
    this.root = element("div", {}, element("div", { class: "head" }, element("h1", {}, "Check"), this.told), this.input, this.work, this.result);
  }

  enter() {
    this.scope = new AbortController();
    this.input.replaceChildren();
    this.memoryChanged();
  }

  leave() {
    this.scope.abort();
  }

  memoryChanged() {
    const isFitted = Boolean(this.state()?.fitted);
    this.told.textContent = isFitted ? "Measure it on pictures that it was not fitted on: one folder for each class, named as the class is."
      : "There is nothing to check yet: give it pictures of at least two classes first.";
    offer(this.input, isFitted, {
      title: "Drop class folders here", primary: null, folders: "primary", scope: this.scope.signal,
      hint: "They are measured and forgotten. Pictures that it was fitted on are left out of the figures.",
      onPictures: (pictures) => this.#check(pictures),
    });
  }

  async #check(pictures) {
    const labelled = pictures.filter((one) => one.folder);
    if (!labelled.length) return toast("These pictures are in no folder, so nothing says what is on them. Choose a folder of class folders.", { problem: true });
    const bar = progressBar("Checking");
    this.work.replaceChildren(bar.shown);
    this.result.hidden = true;
    try {
      this.#show(labelled.length, pictures.length - labelled.length, await work("evaluate", { signal: bar.signal, prepare: (job) => this.#send(job, labelled, bar) }));
    } catch (error) {
      complain(error);
    }
    empty(this.work);
  }

  async #send(job, labelled, bar) {
    let done = 0;
    for (const [label, some] of Map.groupBy(labelled, (one) => one.folder)) {
      for (const part of parts(some.map((one) => one.file))) {
        await call("POST", `/v1/jobs/${job.id}/images`, { form: formOf(part, { label }), signal: bar.signal });
        done += part.length;
        bar.show(done, labelled.length);
      }
    }
  }

  #show(sent, folderless, job) {
    if (job.state !== "done") return toast(job.error ?? "The check was cancelled.", { problem: true });
    const evaluation = job.result;
    this.result.hidden = false;
    this.result.replaceChildren(
      element("div", { class: "figures" }, figuresOfCheck(evaluation)),
      leftOut(sent, folderless, job),
      job.has_report && element("p", {}, element("a", { href: `/v1/jobs/${job.id}/report`, target: "_blank", rel: "noopener" }, "Open the report by itself")),
      job.has_report && element("iframe", { src: `/v1/jobs/${job.id}/report`, title: "Report of the check", class: "report", onload: (event) => event.target.setAttribute("data-loaded", "") }));
    announce(`Checked on ${evaluation.n} pictures`);
  }
}

// Every picture that is not in the figures, and why.
function leftOut(sent, folderless, { skipped, result }) {
  const names = Object.entries(result.unknown_labels?.names ?? {}).map(([name, n]) => `${name} (${n})`);
  const others = result.unknown_labels?.count ?? 0;
  const learned = Math.max(0, sent - result.n - skipped.length - others);
  const said = [
    learned && `${counted(learned, "picture")} that it learned from, or that ${learned === 1 ? "is a copy" : "are copies"} of one`,
    others && `${counted(others, "picture")} of ${names.length === 1 ? "a class" : "classes"} that it does not know: ${listed(names, 12)}`,
    skipped.length && `${counted(skipped.length, "picture")} that cannot be read: ${listed(skipped.map((one) => one.path), 6)}`,
    folderless && `${counted(folderless, "picture")} in no folder, so nothing says what ${folderless === 1 ? "it shows" : "they show"}`,
  ].filter(Boolean);
  if (!said.length) return element("p", { class: "quiet small left-out" }, "All pictures are in these figures.");
  return element("div", { class: "left-out small" }, element("p", {}, "Left out of these figures:"), element("ul", {}, said.map((one) => element("li", {}, `${one}.`))));
}
