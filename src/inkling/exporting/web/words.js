// Results in words.

export function percent(share) {
  if (share < 0.005) return "<1 %";
  if (share > 0.995) return ">99 %";
  return `${Math.round(100 * share)} %`;
}

export function megabytes(bytes) {
  const value = bytes / 1e6;
  return value < 10 ? value.toFixed(1) : Math.round(value).toString();
}

export function progressInWords({ at, total, starting }) {
  if (starting) return "Starting the model";
  if (!total) return `Loading the model: ${megabytes(at)} MB so far`;
  return `Loading the model: ${megabytes(at)} of ${megabytes(total)} MB`;
}

export function headline({ label, unknown }) {
  return unknown ? "Unlike every class it knows" : label;
}

export function nearest({ label, probability }) {
  return `Nearest: ${label} (${percent(probability)})`;
}

// One sentence for those who hear the page.
export function spoken(name, result) {
  const verdict = result.unknown
    ? `unlike every class it knows; nearest: ${result.label}, ${percent(result.probability)}`
    : `${result.label}, ${percent(result.probability)}`;
  return name ? `${name}: ${verdict}` : verdict;
}

export function pValueInWords({ pKnown, unknown }) {
  if (pKnown === null) return "";
  const share = inHundred(pKnown);
  const known = "of the known classes";
  if (unknown) return `Only ${share} pictures ${known} are as unusual as this one (p\u00a0=\u00a0${shortNumber(pKnown)}).`;
  return `Of the pictures ${known}, ${share} are at least as unusual as this one (p\u00a0=\u00a0${shortNumber(pKnown)}).`;
}

export function thresholdInWords(rate) {
  return `That is the case below ${inHundred(rate)}: so many pictures of the known classes are called unknown by mistake. The most probable class is then only the nearest.`;
}

export function versionInWords({ memory, versions }) {
  const name = memory.name ?? "A classifier";
  const version = memory.version === null ? "" : `, version ${memory.version}`;
  return `${name}${version}, exported by Inkling ${versions.inkling}`;
}

function inHundred(share) {
  const n = Math.round(100 * share);
  return n < 1 ? "fewer than 1 in 100" : `about ${n} in 100`;
}

function shortNumber(p) {
  return p < 0.001 ? p.toExponential(0) : String(Number(p.toPrecision(2)));
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
  "Browsers allow the camera only for pages from https:// or from this computer (localhost). Choose pictures instead, or serve the folder over https.";
