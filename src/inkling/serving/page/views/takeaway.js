// What was learned, as files to take along.

import { call } from "../api.js";
import { element } from "../common/elements.js";
import { complain } from "../decisions.js";
import { button, newId } from "../dom.js";
import { saveBlob } from "../saved.js";
import { toast } from "../toast.js";

const LAYOUTS = { folders: "a folder for each class", csv: "a table (CSV) and pictures", imagefolder: "as Hugging Face reads them (imagefolder)" };

export function takeaway(state) {
  const [layout, originals] = [newId("layout"), newId("originals")];
  const list = element("select", { id: layout }, Object.entries(LAYOUTS).map(([value, text]) => element("option", { value }, text)));
  const box = element("input", { type: "checkbox", id: originals });
  const stem = () => (state()?.memory ?? "memory").replace(/\.ink$/, "");
  const get = async (made, what, name) => {
    made.disabled = true;
    try {
      saveBlob(await call("POST", "/v1/downloads", { json: what, as: "blob" }), name);
      toast(`${name} is ready: your browser saves it.`);
    } catch (error) {
      complain(error);
    }
    made.disabled = false;
    made.focus();
  };
  const memory = button("Download the memory", () => get(memory, { what: "memory" }, `${stem()}.ink`));
  const pictures = button("Download the labelled pictures", () => get(pictures, { what: "pictures", layout: list.value, originals: box.checked }, `${stem()}-${list.value}.zip`));
  return element("details", { class: "takeaway" }, element("summary", {}, "Take it along"),
    element("p", { class: "small" }, "The memory is one file with all that was learned, and its history: other machines serve it and use it from the command line."), element("p", {}, memory),
    element("p", { class: "small" }, "The labelled pictures come as a zip, in the small size that the memory keeps. Originals come only where the service still has the files; what it lacks is named in left-out.txt."),
    element("p", { class: "regroup" }, element("label", { for: layout }, "Pictures as"), list, element("span", {}, box, " ", element("label", { for: originals }, "originals")), pictures));
}
