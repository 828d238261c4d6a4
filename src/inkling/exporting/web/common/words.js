// Results, and what is amiss with a camera, in words.

// A probability is never written as certain.
export function percent(share) {
  if (share < 0.005) return "<1 %";
  if (share > 0.995) return ">99 %";
  return `${Math.round(100 * share)} %`;
}

export function headline({ label, unknown }) {
  return unknown ? "Unlike every class it knows" : label;
}

// One sentence for those who hear the page.
export function spoken(name, result) {
  const verdict = result.unknown
    ? `unlike every class it knows; nearest: ${result.label}, ${percent(result.probability)}`
    : `${result.label}, ${percent(result.probability)}`;
  return name ? `${name}: ${verdict}` : verdict;
}

export function inHundred(share) {
  const n = Math.round(100 * share);
  return n < 1 ? "fewer than 1 in 100" : `about ${n} in 100`;
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
  "Browsers allow the camera only for pages from https:// or from this computer (localhost). Choose pictures instead, or serve this one over https.";
