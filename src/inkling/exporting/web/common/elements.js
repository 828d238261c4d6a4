// Elements of a page. Text is set as text: names of files and classes never become markup.

import { percent } from "./words.js";

const SHOWN_CLASSES = 4;

// Attributes that are functions are listeners; true and false set and leave out an attribute.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// The most probable classes, from [{label, probability}, ...]; the first of them is marked.
export function bars(ranked) {
  const rows = ranked.slice(0, SHOWN_CLASSES).map(({ label, probability }, rank) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("span"));
    bar.firstChild.style.width = `${100 * probability}%`;
    return element("li", { class: rank === 0 && "first" }, element("span", { class: "name", title: label }, label), bar, share(probability));
  });
  return element("ol", { class: "bars", "aria-label": "Most probable classes" }, rows);
}

export function share(probability) {
  return element("data", { value: probability }, percent(probability));
}
