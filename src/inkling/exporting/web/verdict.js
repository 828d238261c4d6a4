// A result as elements of the page. Text is set as text: names of files and classes never become markup.

import { headline, nearest, pValueInWords, percent } from "./words.js";

const SHOWN_CLASSES = 4;

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function describe(result) {
  const { label, probability, unknown } = result;
  const answer = element("p", { class: "answer" }, element("strong", {}, headline(result)));
  if (!unknown) answer.append(" ", share(probability));
  const parts = [answer];
  if (unknown) parts.push(element("p", { class: "nearest" }, nearest(result)));
  parts.push(bars(result.ranked.slice(0, SHOWN_CLASSES), label));
  const evidence = pValueInWords(result);
  if (evidence) parts.push(element("p", { class: "quiet small" }, evidence));
  return parts;
}

function bars(classes, label) {
  const rows = classes.map((one) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("span"));
    bar.firstChild.style.width = `${100 * one.probability}%`;
    return element("li", one.label === label ? { class: "first" } : {}, element("span", { class: "name", title: one.label }, one.label), bar, share(one.probability));
  });
  return element("ol", { class: "bars", "aria-label": "Most probable classes" }, ...rows);
}

function share(probability) {
  return element("data", { value: probability }, percent(probability));
}
