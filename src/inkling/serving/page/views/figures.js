// How well the classes are distinguished, in a few figures, and how they moved.

import { element } from "../common/elements.js";
import { percent } from "../common/words.js";
import { counted, measured } from "../words.js";

const CONFUSIONS = 6;

const LEFT_OUT = {
  right: "Right on pictures left out",
  pictures: ({ images, pictures, evaluation }) => (pictures < images ? `${pictures} sources: near-duplicates, bursts and groups count once` : `${counted(evaluation.n, "picture")} left out in turn`),
};
const CHECKED = {
  right: "Right",
  pictures: ({ evaluation: { unknown_labels: others } }) => (others?.count ? `of known classes; ${others.count} of others left out` : "all of known classes"),
};

export function figuresOfCheck(evaluation) {
  return figuresOf({ evaluation, images: evaluation.n }, null, CHECKED);
}

export function figuresOf(now, before, words = LEFT_OUT) {
  if (!now.evaluation) return [element("p", { class: "quiet" }, `How well it does cannot be measured yet: ${lower(now.why_no_evaluation ?? "there are too few pictures")}`)];
  const { top1, ece } = now.evaluation;
  const old = before?.evaluation;
  return [
    element("dl", { class: "tiles" },
      tile(words.right, measured(top1), moved(top1, old?.top1, true), interval(now.evaluation)),
      tile("Error of its probabilities", measured(ece), moved(ece, old?.ece, false), "mean gap of confidence and accuracy"),
      tile("Pictures", String(now.images), "", words.pictures(now))),
    confusions(now.evaluation),
    now.unknown && element("p", { class: "quiet small", title: now.unknown.finding }, ofUnknown(now.unknown)),
  ].filter(Boolean);
}

// What detection of unknown pictures promises, in plain words; the finding in its own words stands in the title.
function ofUnknown({ calibration }) {
  if (!calibration) return "It can't say “unknown” yet: give it about 20 different pictures in all, two or more of each class.";
  const { low, high } = calibration.realised;
  return `Pictures of other things are called unknown; by mistake so are ${percent(low)} to ${percent(high)} of those of its classes.`;
}

const lower = (text) => text[0].toLowerCase() + text.slice(1);

function tile(name, value, change, note) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, element("strong", {}, value), change && " ", change), element("dd", { class: "quiet small" }, note));
}

function interval({ intervals }) {
  const [low, high] = intervals?.top1 ?? [];
  return low === undefined ? "" : `between ${measured(low)} and ${measured(high)} with 95 % confidence`;
}

function moved(now, before, moreIsBetter) {
  if (before === undefined || before === null) return "";
  const points = Math.round(100 * now) - Math.round(100 * before);
  if (!points) return "";
  const better = points > 0 === moreIsBetter;
  return element("span", { class: better ? "better" : "worse" }, `${points > 0 ? "+" : "−"}${Math.abs(points)} since the latest change`);
}

function confusions({ confusion, per_class: perClass }) {
  const wrong = confusion.filter((one) => one.true !== one.predicted).sort((a, b) => b.count - a.count).slice(0, CONFUSIONS);
  if (!wrong.length) return element("p", { class: "quiet small" }, "No class was taken for another one.");
  return element("div", {}, element("h2", {}, "Taken for another class"),
    element("ul", { class: "confusions" }, wrong.map((one) =>
      element("li", {}, element("strong", {}, one.true), " for ", element("strong", {}, one.predicted), element("span", { class: "quiet" }, ` ${one.count} of ${perClass[one.true]?.support ?? "?"}`)))));
}
