// A verdict as elements of the page.

import { bars, element, share } from "./common/elements.js";
import { headline } from "./common/words.js";
import { stored } from "./dom.js";
import { evidenceInWords, unknownInWords } from "./words.js";

export function describe(verdict, { nearest = true } = {}) {
  const answer = element("p", { class: "answer" }, element("strong", {}, headline(verdict)));
  if (!verdict.unknown) answer.append(" ", share(verdict.probability));
  return [
    answer,
    verdict.unknown && element("p", { class: "nearest" }, unknownInWords(verdict)),
    bars(verdict.top_labels.map((label, rank) => ({ label, probability: verdict.top_probabilities[rank] }))),
    evidenceInWords(verdict) && element("p", { class: "quiet small" }, evidenceInWords(verdict)),
    nearest && verdict.nearest?.length > 0 && evidence(verdict.nearest),
  ].filter(Boolean);
}

function evidence(nearest) {
  const shown = nearest.map((one) =>
    element("li", {}, stored(one, { alt: `${one.class}, similarity ${one.similarity.toFixed(2)}`, title: `${one.path}, similarity ${one.similarity.toFixed(2)}` }), element("span", { class: "name" }, one.class)),
  );
  return element("div", { class: "evidence" }, element("p", { class: "quiet small" }, "Nearest pictures that it knows"), element("ol", {}, shown));
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

// How far the likeliest class is ahead of the next; what is unknown has no class ahead.
export function margin({ top_probabilities: p, unknown }) {
  return unknown ? 0 : p[0] - (p[1] ?? 0);
}

const CLEAR = 0.4;

export function isDoubtful(verdict) {
  return !verdict.unknown && margin(verdict) < CLEAR;
}
