// Results in words.

import { inHundred, percent } from "./common/words.js";

export function megabytes(bytes) {
  const value = bytes / 1e6;
  return value < 10 ? value.toFixed(1) : Math.round(value).toString();
}

export function progressInWords({ at, total, starting }) {
  if (starting) return "Starting the model";
  if (!total) return `Loading the model: ${megabytes(at)} MB so far`;
  return `Loading the model: ${megabytes(at)} of ${megabytes(total)} MB`;
}

export function nearest({ label, probability }) {
  return `Nearest: ${label} (${percent(probability)})`;
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

function shortNumber(p) {
  return p < 0.001 ? p.toExponential(0) : String(Number(p.toPrecision(2)));
}
