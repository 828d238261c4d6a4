// A verdict as elements of the page.

import { element, stored } from "./dom.js";
import { evidenceInWords, headline, percent, unknownInWords } from "./words.js";

const SHOWN_CLASSES = 4;

export function describe(verdict, { nearest = true } = {}) {
  const answer = element("p", { class: "answer" }, element("strong", {}, headline(verdict)));
  if (!verdict.unknown) answer.append(" ", share(verdict.probability));
  return [
    answer,
    verdict.unknown && element("p", { class: "nearest" }, unknownInWords(verdict)),
    bars(verdict),
    evidenceInWords(verdict) && element("p", { class: "quiet small" }, evidenceInWords(verdict)),
    nearest && verdict.nearest?.length > 0 && evidence(verdict.nearest),
  ].filter(Boolean);
}

function bars(verdict) {
  const rows = verdict.top_labels.slice(0, SHOWN_CLASSES).map((label, rank) => {
    const probability = verdict.top_probabilities[rank];
    const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("span"));
    bar.firstChild.style.width = `${100 * probability}%`;
    return element("li", { class: rank === 0 && "first" }, element("span", { class: "name", title: label }, label), bar, share(probability));
  });
  return element("ol", { class: "bars", "aria-label": "Most probable classes" }, rows);
}

function evidence(nearest) {
  const shown = nearest.map((one) =>
    element("li", {}, stored(one, { alt: `${one.class}, similarity ${one.similarity.toFixed(2)}`, title: `${one.path}, similarity ${one.similarity.toFixed(2)}` }), element("span", { class: "name" }, one.class)),
  );
  return element("div", { class: "evidence" }, element("p", { class: "quiet small" }, "Nearest pictures that it knows"), element("ol", {}, shown));
}

export function share(probability) {
  return element("data", { value: probability }, percent(probability));
}
