// Questions that need an answer before anything goes on.

import { element } from "./common/elements.js";
import { button, newId } from "./dom.js";

// True, or the text of the field if there is one; null where the person says no.
export function ask({ title, text, yes, field }) {
  return new Promise((resolve) => {
    const id = newId("title");
    const input = field && element("input", { type: field.type ?? "text", value: field.value ?? "", "aria-label": field.label, autocomplete: "off", maxlength: 1000 });
    const dialog = element("dialog", { "aria-labelledby": id });
    const form = element("form", { method: "dialog" },
      element("h2", { id }, title), text && element("p", {}, text), input,
      element("div", { class: "buttons" },
        button("Cancel", () => dialog.close("")), element("button", { type: "submit", class: "primary", value: "yes" }, yes)));
    dialog.append(form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? (input ? input.value.trim() || null : true) : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    input?.select();
  });
}
