// The list of pictures: each is added as waiting, and settled with a result or with why there is none.

import { element } from "./common/elements.js";
import { describe } from "./verdict.js";

export class PictureList {
  #entries = [];

  constructor(section) {
    this.section = section;
    this.list = section.querySelector("ol");
  }

  add(name) {
    const picture = element("div", { class: "picture" });
    const verdict = element("div", { class: "verdict" }, element("p", { class: "quiet" }, "Waiting"));
    const row = element("li", { class: "waiting" }, picture, element("div", {}, element("h3", { title: name }, name), verdict));
    const entry = { name, row, picture, verdict, result: null, problem: "" };
    this.#entries.unshift(entry);
    this.list.prepend(row);
    this.section.hidden = false;
    return entry;
  }

  settle(entry, result) {
    entry.result = { ...result, thumbnail: null, embedding: null };
    entry.row.className = result.unknown ? "unknown" : "known";
    entry.picture.append(shown(result.thumbnail));
    entry.verdict.replaceChildren(...describe(result));
  }

  refuse(entry, problem) {
    entry.problem = problem;
    entry.row.className = "unreadable";
    entry.verdict.replaceChildren(element("p", { class: "problem" }, problem));
  }

  clear() {
    this.#entries = [];
    this.list.replaceChildren();
    this.section.hidden = true;
  }

  holds(entry) {
    return this.#entries.includes(entry);
  }

  // One JSON object a line, with the names that run.py uses; those that could not be read have an error instead.
  jsonLines() {
    const lines = this.#entries.toReversed().filter(({ result, problem }) => result || problem);
    return lines.map((entry) => `${JSON.stringify(record(entry))}\n`).join("");
  }
}

function record({ name, result, problem }) {
  if (!result) return { path: name, error: problem };
  const { label, probability, unknown, pKnown } = result;
  return { path: name, label, probability, unknown, p_known: pKnown };
}

function shown(thumbnail) {
  const canvas = element("canvas", { "aria-hidden": "true", width: thumbnail.width, height: thumbnail.height });
  canvas.getContext("bitmaprenderer").transferFromImageBitmap(thumbnail);
  return canvas;
}
