// What the page hands over as files.

import { element } from "./common/elements.js";

export function save(text, name, type) {
  saveBlob(new Blob([text], { type }), name);
}

export function saveBlob(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// A cell: no control characters, and nothing that a spreadsheet takes for a formula.
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = String(value).replace(/[\u0000-\u001f\u007f]/g, " ").replace(/^(?=[=+@\t-])/, "'");
  return /[",;]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(columns, rows) {
  return [columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
