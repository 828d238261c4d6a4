// Files that people drop, paste or choose, with those of folders.

import { element } from "./common/elements.js";
import { button } from "./dom.js";
import { toast } from "./toast.js";
import { counted } from "./words.js";

const ENDINGS = /\.(jpe?g|jfif|png|gif|webp|bmp|tiff?|avif|hei[cf])$/i;
export const MOST_BYTES = 60 * 2 ** 20;

const isPicture = (file) => file.size > 0 && file.size <= MOST_BYTES && (file.type.startsWith("image/") ? file.type !== "image/svg+xml" : ENDINGS.test(file.name));

// [{folder, file}]: the name of the folder that holds a file, "" where it came alone, and how many were left out.
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return sorted([...transfer.files].map((file) => ({ folder: "", file })));
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return sorted(found);
}

async function walk(entry, folder, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    if (file) found.push({ folder, file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const batch = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!batch.length) return;
    for (const each of batch) await walk(each, entry.name, found);
  }
}

export function chosen(files) {
  return sorted([...files].map((file) => ({ folder: file.webkitRelativePath?.split("/").at(-2) ?? "", file })));
}

function sorted(found) {
  const visible = found.filter(({ file }) => !file.name.startsWith("."));
  const pictures = visible.filter(({ file }) => isPicture(file));
  return { pictures, leftOut: visible.length - pictures.length };
}

// Those of the files that are pictures; what is left out is said.
export function picturesIn({ pictures, leftOut }) {
  if (leftOut) toast(`${counted(leftOut, "file")} left out: no picture, empty, or above 60 MB.`, { problem: !pictures.length });
  else if (!pictures.length) toast("There is no picture in that folder.", { problem: true });
  return pictures;
}

// A place where pictures come in: dropped anywhere on the page, pasted, or chosen.
export function inlet({ title, hint, primary = "Choose pictures", folders = false, extra = [], onPictures, scope }) {
  const take = (found) => {
    const pictures = picturesIn(found);
    if (pictures.length) onPictures(pictures);
  };
  const choose = (attributes, text, kind) => {
    const input = element("input", { type: "file", multiple: true, ...attributes });
    input.addEventListener("change", () => {
      const found = chosen(input.files);
      input.value = ""; // the same file may be chosen again
      take(found);
    });
    return element("label", { class: `button ${kind}` }, input, text);
  };
  const zone = element("div", { class: "drop-zone" },
    element("p", { class: "by-mouse" }, element("strong", {}, title)),
    element("div", { class: "buttons" },
      primary === null ? "" : choose({ accept: "image/*" }, primary, "primary"),
      folders ? choose({ webkitdirectory: true }, "Choose a folder", folders === "primary" ? "primary" : "") : "", extra),
    hint && element("p", { class: "quiet small" }, hint));
  acceptDrops(zone, take, scope);
  return zone;
}

// An inlet in a place as long as it is wanted; what is there already stays.
export function offer(place, wanted, options) {
  if (wanted === Boolean(place.firstElementChild)) return;
  place.replaceChildren(...(wanted ? [inlet(options)] : []));
}

function acceptDrops(zone, take, signal) {
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (on) => zone.classList.toggle("over", on);
  const listen = (name, listener) => document.addEventListener(name, listener, { signal });
  const accept = (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(true);
  };
  listen("dragenter", accept); // what moves under a mouse at rest is entered, and dropped on at once
  listen("dragover", accept);
  listen("dragleave", (event) => event.relatedTarget === null && mark(false));
  listen("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(false);
    take(await dropped(event.dataTransfer));
  });
  listen("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take(chosen(files));
  });
}

// A bar for long work, with a way to end it. Of some work nobody knows how far it is.
export function progressBar(text, { measured = true } = {}) {
  const abort = new AbortController();
  const bar = element("progress", { max: 1, value: measured ? 0 : null, "aria-label": text });
  const words = element("span", { class: "small" }, text);
  const shown = element("div", { class: "progress" }, words, bar, button("Cancel", () => abort.abort(), { class: "plain" }));
  return {
    shown,
    signal: abort.signal,
    show(done, all) {
      [bar.max, bar.value] = [all, done];
      words.textContent = `${text}: ${done.toLocaleString("en")} of ${all.toLocaleString("en")}`;
    },
  };
}
