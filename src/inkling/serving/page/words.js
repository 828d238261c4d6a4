// Numbers and results in words.

import { inHundred, percent } from "./common/words.js";

export function counted(n, noun, plural = `${noun}s`) {
  return `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
}

export function listed(names, most = 6) {
  const shown = names.slice(0, most);
  const others = names.length - shown.length;
  if (others > 0) return `${shown.join(", ")} and ${others} others`;
  return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : (shown[0] ?? "");
}

// A share that was counted: unlike a probability, it may be all or none.
export function measured(share) {
  return share === 0 || share === 1 ? `${100 * share} %` : percent(share);
}

export const READ_ONLY = "This service lets nobody change its memory.";

export const UNKNOWN_NEEDS = "For that it needs about 20 different pictures in all, two or more of each class: add some under Classes.";

export function unknownInWords({ label, probability, names }) {
  const may = names.length ? `It may be: ${names.join(", ")}. ` : "";
  return `${may}Nearest class: ${label} (${percent(probability)}).`;
}

export function evidenceInWords({ p_known: p, unknown }) {
  if (p === null || p === undefined) return "";
  const share = inHundred(p);
  if (unknown) return `Only ${share} pictures of the known classes are as unusual as this one.`;
  return `Of pictures of the known classes, ${share} are at least as unusual as this one.`;
}

const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [7, "day"], [5, "week"], [12, "month"], [Infinity, "year"]];

export function ago(time, now = Date.now()) {
  let value = (new Date(time).getTime() - now) / 1000;
  if (Math.abs(value) < 10) return "just now";
  for (const [size, unit] of STEPS) {
    if (Math.abs(value) < size) return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(value), unit);
    value /= size;
  }
  return time;
}
