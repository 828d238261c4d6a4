// Numbers and results in words.

export function percent(share) {
  if (share < 0.005) return "<1 %";
  if (share > 0.995 && share < 1) return ">99 %";
  return `${Math.round(100 * share)} %`;
}

export function counted(n, noun, plural = `${noun}s`) {
  return `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
}

export function listed(names, most = 6) {
  const shown = names.slice(0, most);
  const others = names.length - shown.length;
  if (others > 0) return `${shown.join(", ")} and ${others} others`;
  return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : (shown[0] ?? "");
}

export function headline({ label, unknown }) {
  return unknown ? "Unlike every class it knows" : label;
}

export function spoken(name, verdict) {
  const nearest = `${verdict.label}, ${percent(verdict.probability)}`;
  return `${name}: ${verdict.unknown ? `unlike every class it knows; nearest: ${nearest}` : nearest}`;
}

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

function inHundred(share) {
  const n = Math.round(100 * share);
  return n < 1 ? "fewer than 1 in 100" : `about ${n} in 100`;
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

export function cameraProblem(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "The browser does not let this page use the camera. Allow it in the settings of the page, beside its address, and try again.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "No camera was found. Connect one, or choose pictures instead.";
    case "NotReadableError":
    case "AbortError":
      return "The camera gives no picture. Another program may be using it; close that and try again.";
    default:
      return `The camera cannot be used: ${error.message}`;
  }
}

export const NO_CAMERA_HERE =
  "Browsers allow the camera only for pages from https:// or from this computer (localhost). Choose pictures instead, or serve the page over https.";
