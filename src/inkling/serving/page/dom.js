// Elements that this page is made of.

import { element } from "./common/elements.js";

export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

export function announce(sentence) {
  document.getElementById("announced").textContent = sentence;
}

let made = 0;

export function newId(stem) {
  made += 1;
  return `${stem}-${made}`;
}

// A text field with suggestions. `required` gives what it holds; where that is nothing, it says so beside the field.
export function nameField({ label, names, value = "", placeholder = "", onenter, ...attributes }) {
  const list = newId("names");
  const input = element("input", {
    type: "text", list, value, placeholder, "aria-label": label, autocomplete: "off", spellcheck: "false", maxlength: 200, ...attributes,
    onkeydown: (event) => {
      if (event.key === "Enter" && input.value.trim()) {
        event.preventDefault();
        onenter?.(input.value.trim());
      }
    },
  });
  const options = element("datalist", { id: list }, names.map((name) => element("option", { value: name })));
  const missing = element("span", { class: "missing problem small", role: "alert", id: newId("missing") });
  const required = (sentence) => {
    const name = input.value.trim();
    missing.textContent = name ? "" : sentence;
    if (name) return name;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", missing.id);
    input.focus();
    return "";
  };
  input.addEventListener("input", () => {
    missing.textContent = "";
    input.removeAttribute("aria-invalid");
  });
  return { input, required, field: element("span", { class: "name-field" }, input, options, missing) };
}

// A picture of the memory; one that it keeps no picture of shows its name.
export function stored(image, attributes = {}) {
  const shown = element("img", { src: image.picture, alt: fileName(image.path), title: image.path, loading: "lazy", decoding: "async", ...attributes });
  shown.addEventListener("error", () => {
    shown.replaceWith(element("span", { class: "no-picture", title: image.path }, fileName(image.path)));
  });
  return shown;
}

export function fileName(path) {
  return path.split(/[\\/]/).at(-1) || path;
}

// A file of this computer as a picture; the browser lets go of it once it is shown.
export function ownPicture(file, attributes = {}) {
  const address = URL.createObjectURL(file);
  const shown = element("img", { src: address, alt: file.name, decoding: "async", ...attributes });
  shown.addEventListener("load", () => URL.revokeObjectURL(address));
  shown.addEventListener("error", () => {
    URL.revokeObjectURL(address);
    shown.replaceWith(element("span", { class: "no-picture" }, file.name));
  });
  return shown;
}

const CONTROLS = "a[href], button, input, select, textarea, [tabindex]";

// What had the focus in a place has it after a change too; where that is gone, what stands where it stood, or `instead`.
export function keepFocus(place, change, instead = () => null) {
  const before = document.activeElement;
  const wasIn = before !== place && place.contains(before);
  const at = wasIn ? controlsOf(place).indexOf(before) : -1;
  const name = wasIn && nameOf(before);
  change();
  const after = document.activeElement;
  if (!wasIn || (after !== place && place.contains(after) && after.checkVisibility())) return;
  const now = controlsOf(place);
  const found = now.find((one) => nameOf(one) === name) ?? instead() ?? now[Math.min(Math.max(at, 0), now.length - 1)];
  (found ?? document.getElementById("main")).focus();
}

// A list to choose from, and a button that does it: going through a list by its keys alone changes nothing yet.
export function choiceOf({ label, hint, options, yes, onChoose, ...attributes }) {
  const first = element("option", { value: "", disabled: true, selected: true }, hint);
  const go = button(yes, () => onChoose(list.value), { hidden: true });
  const list = element("select", {
    "aria-label": label, ...attributes,
    onchange: () => {
      go.hidden = !list.value;
    },
    onkeydown: (event) => {
      if (event.key !== "Enter" || !list.value) return;
      event.preventDefault();
      onChoose(list.value);
    },
  }, first, options);
  return element("span", { class: "choice-of" }, list, go);
}

// Empties a place; the focus does not fall out of the view with it.
export function empty(place) {
  keepFocus(place, () => place.replaceChildren());
}

const controlsOf = (place) => [...place.querySelectorAll(CONTROLS)].filter((one) => !one.disabled && one.checkVisibility());

function nameOf(control) {
  const of = control.closest("[data-group], [data-class], [data-of]");
  return JSON.stringify([{ ...of?.dataset }, control.localName, control.getAttribute("aria-label") ?? control.textContent]);
}
